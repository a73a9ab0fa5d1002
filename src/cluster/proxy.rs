//! Chooses the proxy as Go's client does (pure): kubeconfig first, then the environment.

use std::net::IpAddr;

/// The proxy variables of the environment.
#[derive(Clone, Debug, Default)]
pub(super) struct ProxyVariables {
    /// `HTTPS_PROXY` or `https_proxy`.
    pub(super) https: Option<String>,
    /// `HTTP_PROXY` or `http_proxy`.
    pub(super) http: Option<String>,
    /// `NO_PROXY` or `no_proxy`.
    pub(super) no: Option<String>,
}

impl ProxyVariables {
    /// Reads them from this process's environment.
    pub(super) fn read() -> Self {
        let read = |names: [&str; 2]| {
            names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        };
        Self {
            https: read(["HTTPS_PROXY", "https_proxy"]),
            http: read(["HTTP_PROXY", "http_proxy"]),
            no: read(["NO_PROXY", "no_proxy"]),
        }
    }
}

/// Returns the proxy for `server`, if there is one.
///
/// `configured` is the kubeconfig's `proxy-url`, which always holds. The environment's holds unless
/// `NO_PROXY` names the server or the server is this machine, as in Go's `http.ProxyFromEnvironment`
/// (kube itself matches `NO_PROXY` against the proxy, not the server).
pub(super) fn choose(
    server: &http::Uri,
    configured: Option<&str>,
    variables: &ProxyVariables,
) -> Option<String> {
    if let Some(url) = configured.filter(|url| !url.is_empty()) {
        return Some(url.to_owned());
    }
    let host = server.host()?.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    if is_this_machine(&host) || is_excluded(&host, server.port_u16(), variables.no.as_deref()) {
        return None;
    }
    let url = if server.scheme_str() == Some("http") { &variables.http } else { &variables.https };
    url.as_ref().map(|url| if url.contains("://") { url.clone() } else { format!("http://{url}") })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_excluded(host: &str, port: Option<u16>, no: Option<&str>) -> bool {
    no.unwrap_or_default().split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(
        |entry| {
            let entry = entry.to_lowercase();
            if entry == "*" {
                return true;
            }
            if let Some((network, bits)) = entry.split_once('/') {
                return in_network(host, network, bits);
            }
            let (name, entry_port) = match entry.rsplit_once(':') {
                Some((name, digits)) if !name.contains(':') => (name, digits.parse::<u16>().ok()),
                _ => (entry.as_str(), None),
            };
            if entry_port.is_some() && entry_port != port {
                return false;
            }
            match name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
                Some(domain) => host.ends_with(&format!(".{domain}")),
                None => host == name || host.ends_with(&format!(".{name}")),
            }
        },
    )
}

fn in_network(host: &str, network: &str, bits: &str) -> bool {
    let (Ok(host), Ok(network), Ok(bits)) =
        (host.parse::<IpAddr>(), network.parse::<IpAddr>(), bits.parse::<u32>())
    else {
        return false;
    };
    let (host, network, width) = match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => {
            (u128::from(host.to_bits()), u128::from(network.to_bits()), 32_u32)
        }
        (IpAddr::V6(host), IpAddr::V6(network)) => (host.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let Some(shift) = width.checked_sub(bits) else { return false };
    let shift = |address: u128| address.checked_shr(shift).unwrap_or(0);
    shift(host) == shift(network)
}

/// Returns the name and the password in a proxy's URL.
pub(super) fn login(proxy: &http::Uri) -> Result<Option<(String, String)>, String> {
    let authority = proxy.authority().map_or("", http::uri::Authority::as_str);
    let Some((login, _)) = authority.rsplit_once('@') else { return Ok(None) };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    match (unescaped(user), unescaped(password)) {
        (Some(user), Some(password)) => Ok(Some((user, password))),
        _ => {
            Err("the name or the password in the proxy's URL is not escaped as URLs are".to_owned())
        }
    }
}

/// Takes `%2F` and the like for what it stands for.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{ProxyVariables, choose, login};

    fn chosen(server: &str, configured: Option<&str>, no: &str) -> Option<String> {
        let variables = ProxyVariables {
            https: Some("proxy:3128".to_owned()),
            http: None,
            no: Some(no.to_owned()),
        };
        choose(&server.parse().unwrap(), configured, &variables)
    }

    #[test]
    fn chooses_as_go_does() {
        let proxy = Some("http://proxy:3128".to_owned());
        assert_eq!(chosen("https://k8s.example:6443", None, ""), proxy);
        assert_eq!(chosen("https://127.0.0.1:6443", None, ""), None);
        assert_eq!(chosen("https://localhost:6443", None, ""), None);
        assert_eq!(chosen("https://k8s.example:6443", None, "example"), None);
        assert_eq!(chosen("https://k8s.example:6443", None, ".example"), None);
        assert_eq!(chosen("https://k8s.example:6443", None, "k8s.example:6443"), None);
        assert_eq!(chosen("https://k8s.example:6443", None, "k8s.example:443"), proxy);
        assert_eq!(chosen("https://10.1.2.3", None, "10.0.0.0/8"), None);
        assert_eq!(chosen("https://11.1.2.3", None, "10.0.0.0/8"), proxy);
        assert_eq!(chosen("https://[fd00::1]:6443", None, "fd00::/8"), None);
        assert_eq!(chosen("https://[fe00::1]:6443", None, "fd00::/8"), proxy);
        assert_eq!(chosen("https://k8s.example", None, "*"), None);
        assert_eq!(
            chosen("https://127.0.0.1", Some("socks5://p:1"), "*"),
            Some("socks5://p:1".to_owned())
        );
    }

    #[test]
    fn a_login_may_be_escaped() {
        let of = |url: &str| login(&url.parse().unwrap());
        let pair = |user: &str, password: &str| Ok(Some((user.to_owned(), password.to_owned())));
        assert_eq!(of("http://p:1"), Ok(None));
        assert_eq!(of("http://me@p:1"), pair("me", ""));
        assert_eq!(of("http://me:a%2Fb%40c@p:1"), pair("me", "a/b@c"));
        assert!(of("http://me:%zz@p:1").is_err());
    }
}
