//! The kubeconfigs, and what is typed and set beside them.

/// What both tools are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Ask the server.
    Sent,
    /// Say why not.
    Refused,
    /// This tool asks the server, and kubectl does not; `docs/connecting.md` says why.
    OursOnly,
}

/// A kubeconfig and what is beside it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Files by path in the folder of the case; a text that starts with `#!` is a program.
    pub(crate) files: Vec<(&'static str, String)>,
    pub(crate) flags: Vec<&'static str>,
    pub(crate) env: Vec<(&'static str, &'static str)>,
    pub(crate) expect: Expect,
    /// What this tool says when it refuses.
    pub(crate) says: Option<&'static str>,
    /// Whether it is run where a pod's files are.
    pub(crate) in_pod: bool,
}

const CA: &str = "server: '{server}', certificate-authority: '{ca}'";

/// Makes a kubeconfig of one context; the fields of cluster and user are YAML's flow.
fn config(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- {{name: c, context: {{cluster: k, user: u}}}}\nclusters:\n- {{name: k, cluster: {{{cluster}}}}}\nusers:\n- {{name: u, user: {{{user}}}}}\n"
    )
}

fn case(name: &'static str, expect: Expect, text: String) -> Case {
    Case {
        name,
        files: vec![("config", text)],
        flags: vec!["--kubeconfig", "{dir}/config"],
        env: Vec::new(),
        expect,
        says: None,
        in_pod: false,
    }
}

impl Case {
    fn flags(mut self, flags: &[&'static str]) -> Self {
        self.flags.extend(flags);
        self
    }

    fn file(mut self, name: &'static str, text: &str) -> Self {
        self.files.push((name, text.to_owned()));
        self
    }

    /// Sets a variable.
    fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.env.push((name, value));
        self
    }

    /// The files are named by `KUBECONFIG` alone.
    fn listed(mut self, list: &'static str) -> Self {
        self.flags.clear();
        self.env("KUBECONFIG", list)
    }

    fn says(mut self, text: &'static str) -> Self {
        self.says = Some(text);
        self
    }
}

fn sent(name: &'static str, cluster: &str, user: &str) -> Case {
    case(name, Expect::Sent, config(cluster, user))
}

fn refused(name: &'static str, cluster: &str, user: &str) -> Case {
    case(name, Expect::Refused, config(cluster, user))
}

pub(crate) fn cases() -> Vec<Case> {
    [users(), plugins(), proxies(), servers(), files(), flags(), pods()]
        .into_iter()
        .flatten()
        .collect()
}

fn users() -> Vec<Case> {
    vec![
        sent("a token", CA, "token: t"),
        sent("a token's file, with a line end", CA, "tokenFile: '{dir}/token'").file("token", "f\n"),
        sent("a relative token's file", CA, "tokenFile: sub/token").file("sub/token", "f"),
        sent("a token and a file", CA, "token: t, tokenFile: token").file("token", "f\n"),
        sent("a token and a file that is gone", CA, "token: t, tokenFile: token"),
        refused("a file that is gone", CA, "tokenFile: token").says("cannot read the token file"),
        sent("client certificate files", CA, "client-certificate: '{client.crt}', client-key: '{client.key}'"),
        sent("client certificate data, RSA", CA, "client-certificate-data: {other64.crt}, client-key-data: {other64.key}"),
        sent("a certificate and a token", CA, "token: t, client-certificate: '{client.crt}', client-key: '{client.key}'"),
        refused("a certificate without a key", CA, "client-certificate: '{client.crt}'").says("without a client-key"),
        refused("a certificate as file and as data", CA, "client-certificate: '{client.crt}', client-certificate-data: {other64.crt}, client-key: '{client.key}'"),
        refused("a certificate that is not there", CA, "client-certificate: gone.crt, client-key: gone.key"),
        sent("a name and a password", CA, "username: me, password: hunter2"),
        sent("a name alone", CA, "username: me"),
        refused("a token and a name", CA, "token: t, username: me, password: hunter2").says("only one of them is allowed"),
        sent("what is empty counts for nothing", CA, "token: t, username: '', password: '', tokenFile: '', client-certificate: '', client-certificate-data: '', client-key-data: ''"),
        refused("nothing to say who one is", CA, "").says("nothing to say who they are with"),
        sent("impersonation with all of it", CA, "token: t, as: me, as-uid: '7', as-groups: [a, b], as-user-extra: {scopes: [x, w], 'acme.com/Role %': [z]}"),
        refused("groups without a user", CA, "token: t, as-groups: [a]").says("without `as`"),
        refused("the provider gcp", CA, "auth-provider: {name: gcp, config: {cmd-path: /bin/true}}").says("gke-gcloud-auth-plugin"),
        refused("the provider azure", CA, "auth-provider: {name: azure, config: {}}").says("kubelogin"),
        refused("a provider nobody knows", CA, "auth-provider: {name: nix}"),
        // Its claims are {"exp": 4102444800}, and {"exp": 1}.
        sent("the provider oidc", CA, "auth-provider: {name: oidc, config: {idp-issuer-url: 'https://i.invalid', client-id: c, id-token: e30.eyJleHAiOiA0MTAyNDQ0ODAwfQ.x}}"),
        refused("the provider oidc, expired", CA, "auth-provider: {name: oidc, config: {idp-issuer-url: 'https://i.invalid', client-id: c, id-token: e30.eyJleHAiOiAxfQ.x}}").says("has expired"),
    ]
}

const V1: &str = "client.authentication.k8s.io/v1";

/// A plugin that notes what it is told, and prints a credential with these fields in its status.
fn plugin(version: &str, status: &str) -> String {
    let credential =
        format!(r#"{{"kind":"ExecCredential","apiVersion":"{version}","status":{{{status}}}}}"#);
    format!(
        "#!/bin/sh\necho \"$KUBERNETES_EXEC_INFO\" >> {{dir}}/told\necho \"$* $PLUGIN\" >> {{dir}}/told\ncat << 'END'\n{credential}\nEND\n"
    )
}

fn exec(fields: &str) -> String {
    format!("exec: {{apiVersion: {V1}, command: ./plugin, interactiveMode: Never, {fields}}}")
}

fn plugins() -> Vec<Case> {
    let token = r#""token":"of-the-plugin""#;
    let pair = r#""clientCertificateData":"{client-json}","clientKeyData":"{client-key-json}""#;
    let both = format!("{token},{pair}");
    let expired = format!(r#"{token},"expirationTimestamp":"2020-01-01T00:00:00Z""#);
    let beta = "client.authentication.k8s.io/v1beta1";
    let tell = "server: '{server}', certificate-authority: '{ca}', disable-compression: false, extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: a, deep: {b: 1}}}]";
    let with = |user: &str, status: &str| sent("", CA, user).file("plugin", &plugin(V1, status));
    let named = |name, case: Case| Case { name, ..case };
    let bad = |name, user: &str, status: &str| Case {
        name,
        expect: Expect::Refused,
        ..with(user, status)
    };
    vec![
        named("a plugin's token", with(&exec(""), token)),
        named("a plugin's certificate", with(&exec(""), pair)),
        named("a plugin's token and certificate", with(&exec(""), &both)),
        named(
            "arguments and variables",
            with(&exec("args: [get, --it], env: [{name: PLUGIN, value: v}]"), token),
        ),
        named(
            "null arguments and variables",
            with(&exec("args: null, env: null, installHint: h, provideClusterInfo: false"), token),
        ),
        sent("what a plugin is told of the cluster", tell, &exec("provideClusterInfo: true"))
            .file("plugin", &plugin(V1, token)),
        named(
            "a plugin that may ask, without a terminal",
            with(&exec("").replace("Never", "IfAvailable"), token),
        ),
        sent(
            "v1beta1 says nothing of asking",
            CA,
            &format!("exec: {{apiVersion: {beta}, command: ./plugin}}"),
        )
        .file("plugin", &plugin(beta, token)),
        sent(
            "a plugin on the PATH",
            CA,
            &exec("")
                .replace("./plugin", "sh")
                .replace("interactiveMode", "args: ['{dir}/plugin'], interactiveMode"),
        )
        .file("plugin", &plugin(V1, token)),
        named("a plugin and a token", with(&format!("token: t, {}", exec("")), token)),
        named("a plugin and --token", with(&exec(""), token)).flags(&["--token", "of-the-flag"]),
        named("a plugin and impersonation", with(&format!("as: me, {}", exec("")), token)),
        named("a plugin whose token is old", with(&exec(""), &expired)),
        bad(
            "a plugin that must ask, without a terminal",
            &exec("").replace("Never", "Always"),
            token,
        )
        .says("standard input is no terminal"),
        bad("v1 says nothing of asking", &exec("").replace("interactiveMode: Never, ", ""), token)
            .says("interactiveMode"),
        bad("v1alpha1", &exec("").replace(V1, "client.authentication.k8s.io/v1alpha1"), token)
            .says("it must be"),
        bad(
            "a plugin without a version",
            "exec: {command: ./plugin, interactiveMode: Never}",
            token,
        ),
        bad(
            "a plugin without a command",
            &format!("exec: {{apiVersion: {V1}, interactiveMode: Never}}"),
            token,
        )
        .says("no `command`"),
        bad(
            "a plugin and a provider",
            &format!("auth-provider: {{name: oidc}}, {}", exec("")),
            token,
        ),
        bad("a plugin that gives nothing", &exec(""), "").says("neither a token nor a certificate"),
        bad("a plugin that gives a key alone", &exec(""), r#""clientKeyData":"k""#)
            .says("only one of"),
        refused("a plugin of another version", CA, &exec(""))
            .file("plugin", &plugin(beta, token))
            .says("is configured for"),
        refused("a plugin that fails", CA, &exec(""))
            .file("plugin", "#!/bin/sh\necho hunter2\necho sorry >&2\nexit 3\n")
            .says("sorry"),
        refused(
            "a plugin that is not there",
            CA,
            &exec("installHint: 'brew install it'").replace("./plugin", "no-such-plugin"),
        )
        .says("brew install it"),
    ]
}

const TEST: &str = "server: 'https://kubernetes.test:6443', certificate-authority: '{ca}'";

fn proxies() -> Vec<Case> {
    let by = |name, url: &str| sent(name, &format!("{TEST}, proxy-url: '{url}'"), "token: t");
    let proxy = "http://127.0.0.1:{http-proxy}";
    vec![
        by("proxy-url http", proxy),
        by("proxy-url http with a login", "http://me:hunter2%2F@127.0.0.1:{http-proxy}"),
        by("proxy-url https", "https://127.0.0.1:{https-proxy}"),
        by("proxy-url https with a login", "https://me:hunter2@localhost:{https-proxy}"),
        by("proxy-url socks5", "socks5://127.0.0.1:{socks-proxy}"),
        by("proxy-url socks5 with a login", "socks5://me:hunter2@127.0.0.1:{socks-proxy}"),
        sent(
            "a proxy and a certificate",
            &format!("{TEST}, proxy-url: '{proxy}'"),
            "client-certificate: '{client.crt}', client-key: '{client.key}'",
        ),
        sent("a proxy for this machine", &format!("{CA}, proxy-url: '{proxy}'"), "token: t"),
        refused(
            "proxy-url ftp",
            &format!("{TEST}, proxy-url: 'ftp://me:hunter2@127.0.0.1:1'"),
            "token: t",
        )
        .says("none of http, https and socks5"),
        refused(
            "a proxy that is away",
            &format!("{TEST}, proxy-url: 'http://127.0.0.1:1'"),
            "token: t",
        ),
        sent("HTTPS_PROXY", TEST, "token: t").env("HTTPS_PROXY", proxy),
        sent("https_proxy without a scheme", TEST, "token: t")
            .env("https_proxy", "127.0.0.1:{http-proxy}"),
        sent("HTTPS_PROXY is not for this machine", CA, "token: t").env("HTTPS_PROXY", proxy),
        sent("HTTPS_PROXY socks5", TEST, "token: t")
            .env("HTTPS_PROXY", "socks5://127.0.0.1:{socks-proxy}"),
        sent(
            "proxy-url over HTTPS_PROXY",
            &format!("{TEST}, proxy-url: 'socks5://127.0.0.1:{{socks-proxy}}'"),
            "token: t",
        )
        .env("HTTPS_PROXY", proxy),
        refused("NO_PROXY", TEST, "token: t")
            .env("HTTPS_PROXY", proxy)
            .env("NO_PROXY", "other.test, .test"),
        sent("NO_PROXY for others", TEST, "token: t")
            .env("HTTPS_PROXY", proxy)
            .env("NO_PROXY", "other.test,10.0.0.0/8,:,bad/x,[,kubernetes.test:1"),
    ]
}

fn servers() -> Vec<Case> {
    vec![
        sent(
            "a path in the URL",
            "server: '{server}/k8s/clusters/x', certificate-authority: '{ca}'",
            "token: t",
        ),
        sent(
            "a slash at the end",
            "server: '{server}/k8s/clusters/x/', certificate-authority: '{ca}'",
            "token: t",
        ),
        sent("IPv6", "server: '{v6}', certificate-authority: '{ca}'", "token: t"),
        sent(
            "a name",
            "server: 'https://localhost:{port}', certificate-authority: '{ca}'",
            "token: t",
        ),
        refused(
            "no scheme, and an authority",
            "server: '127.0.0.1:{port}', certificate-authority: '{ca}'",
            "token: t",
        ),
        refused(
            "no scheme, and a certificate",
            "server: '127.0.0.1:{port}', insecure-skip-tls-verify: true",
            "client-certificate: '{client.crt}', client-key: '{client.key}'",
        ),
        sent(
            "no scheme is http, over which no credentials go",
            "server: '127.0.0.1:{plain}'",
            "token: t, as: me",
        ),
        sent("no scheme, and nothing of TLS", "server: '127.0.0.1:{plain}'", "token: t"),
        sent("without TLS", "server: 'http://127.0.0.1:{plain}'", "token: t"),
        sent("without TLS nobody need say who they are", "server: 'http://127.0.0.1:{plain}'", ""),
        sent(
            "authority data",
            "server: '{server}', certificate-authority-data: {ca64}",
            "token: t",
        ),
        refused(
            "an authority as file and as data",
            "server: '{server}', certificate-authority-data: {ca64}, certificate-authority: '{ca}'",
            "token: t",
        ),
        refused(
            "authority data that is none",
            "server: '{server}', certificate-authority-data: aGVsbG8=",
            "token: t",
        ),
        refused(
            "an authority that is not there",
            "server: '{server}', certificate-authority: gone.crt",
            "token: t",
        ),
        refused("nobody vouches for the server", "server: '{server}'", "token: t"),
        sent("insecure", "server: '{server}', insecure-skip-tls-verify: true", "token: t"),
        refused(
            "insecure and an authority",
            &format!("{CA}, insecure-skip-tls-verify: true"),
            "token: t",
        ),
        sent(
            "tls-server-name",
            "server: '{named}', certificate-authority: '{ca}', tls-server-name: only-this-name.test",
            "token: t",
        ),
        refused("another name", "server: '{named}', certificate-authority: '{ca}'", "token: t"),
        refused("no server", "certificate-authority: '{ca}'", "token: t"),
        sent("disable-compression", &format!("{CA}, disable-compression: true"), "token: t"),
    ]
}

fn files() -> Vec<Case> {
    let second = "apiVersion: v1\nkind: Config\ncurrent-context: d\ncontexts:\n- {name: d, context: {cluster: k, user: v}}\nclusters:\n- {name: k, cluster: {server: 'https://127.0.0.1:1'}}\nusers:\n- {name: u, user: {as: me}}\n- {name: v, user: {token: v}}\n";
    let lines = "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: u}}\nclusters:\n- name: k\n  cluster:\n    server: '{server}'\n    certificate-authority-data: |-\n      LINES\nusers:\n- {name: u, user: {token: t}}\n";
    let encoded = super::recorder::encoded("ca.crt");
    let (one, other) = encoded.split_at(64);
    let lines = lines.replace("LINES", &format!("{one}\n      {other}"));
    let json = r#"{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],"clusters":[{"name":"k","cluster":{"server":"{server}","certificate-authority":"{ca}"}}],"users":[{"name":"u","user":{"token":"t"}}],"preferences":{}}"#;
    let unset = |text: String| text.replace("current-context: c\n", "");
    let empty = |text: String| text.replace("current-context: c\n", "current-context: ''\n");
    vec![
        sent("KUBECONFIG, the first wins and what is missing is passed over", CA, "token: t").file("second", second).listed("{dir}/gone:{dir}/config:{dir}/second"),
        case("KUBECONFIG, the context of the second", Expect::Sent, empty(config(CA, "token: t"))).file("second", second).listed("{dir}/config:{dir}/second"),
        sent("KUBECONFIG, a context of the second", CA, "token: t").file("second", second).listed("{dir}/config::{dir}/second").flags(&["--context", "d"]),
        sent("KUBECONFIG, paths relative to their own file", "server: '{server}', certificate-authority: '{ca}'", "tokenFile: token").file("sub/second", &config(CA, "tokenFile: token").replace("name: c,", "name: d,").replace("user: u}", "user: w}").replace("name: u,", "name: w,")).file("sub/token", "of-the-second").listed("{dir}/config:{dir}/sub/second").flags(&["--context", "d"]),
        refused("KUBECONFIG, one is broken", CA, "token: t").file("second", "users: {a: [").listed("{dir}/config:{dir}/second"),
        refused("KUBECONFIG, all are missing", CA, "token: t").listed("{dir}/gone:{dir}/lost"),
        Case { files: vec![(".kube/config", config(CA, "token: t"))], flags: Vec::new(), ..sent("the file in the home", CA, "") },
        refused("a file that is named and not there", CA, "token: t").flags(&["--kubeconfig", "{dir}/gone"]),
        case("JSON", Expect::Sent, json.to_owned()),
        case("base64 in lines", Expect::Sent, lines),
        case("an empty file", Expect::Refused, String::new()),
        case("no current context", Expect::Refused, unset(config(CA, "token: t"))).says("names no current context"),
        case("a context by its flag", Expect::Sent, unset(config(CA, "token: t"))).flags(&["--context", "c"]),
        case("a current context that is not there", Expect::Refused, config(CA, "token: t").replace("current-context: c", "current-context: x")),
        case("a user that is not there", Expect::Refused, config(CA, "token: t").replace("user: u}", "user: x}")),
        case("a cluster that is not there", Expect::Refused, config(CA, "token: t").replace("cluster: k,", "cluster: x,")),
        case("null lists", Expect::Refused, "apiVersion: v1\nkind: Config\nclusters: null\ncontexts: null\nusers: null\ncurrent-context: ''\n".to_owned()),
    ]
}

fn flags() -> Vec<Case> {
    let two =
        config(CA, "token: t") + "- {name: v, user: {token: v, as: of-the-file, as-groups: [g]}}\n";
    let two = two.replace("users:\n", "- {name: l, cluster: {server: 'https://localhost:{port}', certificate-authority: '{ca}'}}\nusers:\n");
    let with = |name, flags: &[&'static str]| case(name, Expect::Sent, two.clone()).flags(flags);
    let without =
        |name, flags: &[&'static str]| Case { expect: Expect::Refused, ..with(name, flags) };
    let none = |name, flags: &[&'static str]| Case {
        files: Vec::new(),
        flags: flags.to_vec(),
        ..sent(name, CA, "")
    };
    let named =
        "server: '{named}', certificate-authority: '{ca}', tls-server-name: only-this-name.test";
    vec![
        with("--user", &["--user", "v"]),
        with("--cluster", &["--cluster", "l"]),
        with("--server", &["--server", "https://localhost:{port}"]),
        with("--server with a path", &["-s", "https://localhost:{port}/p/"]),
        with("--server without a scheme", &["-s", "127.0.0.1:{plain}"]),
        with("--token", &["--token", "of-the-flag"]),
        with("--as", &["--as", "somebody"]),
        with("--as and groups", &["--as", "somebody", "--as-group", "a", "--as-group", "b"]),
        with("--as over the file's", &["--user", "v", "--as", "somebody"]),
        with("--as-group over the file's", &["--user", "v", "--as-group", "h"]),
        with(
            "--insecure-skip-tls-verify over an authority",
            &["--insecure-skip-tls-verify", "-s", "https://127.0.0.1:{port}"],
        ),
        without("--as-group alone", &["--as-group", "a"]),
        without("--user that is not there", &["--user", "x"]),
        without("--cluster that is not there", &["--cluster", "x"]),
        without("--context that is not there", &["--context", "x"]),
        sent("--token over a token's file", CA, "tokenFile: token")
            .file("token", "f")
            .flags(&["--token", "of-the-flag"]),
        sent(
            "--token and a certificate",
            CA,
            "client-certificate: '{client.crt}', client-key: '{client.key}'",
        )
        .flags(&["--token", "of-the-flag"]),
        refused("--token and a name", CA, "username: me, password: hunter2")
            .flags(&["--token", "of-the-flag"]),
        sent("--token and impersonation", CA, "token: t, as: me, as-groups: [g]")
            .flags(&["--token", "of-the-flag"]),
        refused("--server leaves tls-server-name behind", named, "token: t")
            .flags(&["--server", "{named}"]),
        none("nothing but flags", &["--server", "http://127.0.0.1:{plain}", "--token", "t"]),
        none(
            "nothing but flags, insecure",
            &["--server", "{server}", "--token", "t", "--insecure-skip-tls-verify"],
        ),
        Case { expect: Expect::Refused, ..none("nothing at all", &[]) },
    ]
}

/// What a pod finds: a service account's files, and where the API server is.
fn pods() -> Vec<Case> {
    let ca = std::fs::read_to_string(super::recorder::fixture("ca.crt")).unwrap_or_default();
    let pod = |name, flags: &[&'static str]| {
        let case =
            Case { files: Vec::new(), flags: flags.to_vec(), in_pod: true, ..sent(name, CA, "") };
        let case = case.file("account/token", "of-the-account\n").file("account/ca.crt", &ca);
        let case = case.file("account/namespace", "etl");
        case.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("KUBERNETES_SERVICE_PORT", "{port}")
    };
    vec![
        pod("in a pod", &[]),
        Case { expect: Expect::OursOnly, ..pod("in a pod, --as", &["--as", "me"]) },
        pod("in a pod, an empty kubeconfig", &[])
            .file("empty", "")
            .env("KUBECONFIG", "{dir}/empty"),
        pod("in a pod, a kubeconfig wins", &["--kubeconfig", "{dir}/config"])
            .file("config", &config(CA, "token: t")),
        pod("in a pod, --server", &["--server", "http://127.0.0.1:{plain}"]),
    ]
}
