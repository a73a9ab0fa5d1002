//! How far a request to the API server came.

/// What of reaching the API server failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The kubeconfig cannot be used.
    Kubeconfig,
    /// Credentials could not be got: an exec plugin failed, or a file cannot be read.
    Credentials,
    /// The server's name could not be looked up.
    Name,
    /// No TCP connection came about.
    Tcp,
    /// The proxy did not let it through.
    Proxy,
    /// The TLS handshake failed.
    Tls,
    /// There is a connection, and no answer as the API server gives it.
    Http,
    /// The API server does not accept the credentials.
    Authentication,
}

impl Stage {
    /// Returns the name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kubeconfig => "kubeconfig",
            Self::Credentials => "credentials",
            Self::Name => "name",
            Self::Tcp => "TCP",
            Self::Proxy => "proxy",
            Self::Tls => "TLS",
            Self::Http => "HTTP",
            Self::Authentication => "authentication",
        }
    }

    /// Says what failed, in a sentence about `server`.
    pub(super) fn sentence(self, server: &str, cause: &str) -> String {
        match self {
            Self::Kubeconfig => cause.to_owned(),
            Self::Credentials => format!("there are no credentials for {server}: {cause}"),
            Self::Name => format!("the name in {server} cannot be looked up: {cause}"),
            Self::Tcp => format!("no TCP connection to {server}: {cause}"),
            Self::Proxy => format!("the proxy does not connect to {server}: {cause}"),
            Self::Tls => {
                format!("{server} takes TCP connections, but the TLS handshake fails: {cause}")
            }
            Self::Http => format!("{server} does not answer as an API server does: {cause}"),
            Self::Authentication => {
                format!("{server} answers over TLS, but does not accept the credentials: {cause}")
            }
        }
    }

    /// Says what to do next.
    pub(super) fn hint(self, cause: &str) -> &'static str {
        match self {
            Self::Kubeconfig => "see whether `kubectl config view` can read it",
            Self::Credentials => {
                "run the plugin that the kubeconfig names by hand, or log in again"
            }
            Self::Name => {
                "is the VPN up, and is it the right context? see `kubectl config view --minify`"
            }
            Self::Tcp if cause.contains("refused") => {
                "nothing listens there: is the cluster running, and is it the right context?"
            }
            Self::Tcp => "a firewall or a VPN that is down drops packets like this",
            Self::Proxy => "look at `proxy-url` of the kubeconfig, HTTPS_PROXY and NO_PROXY",
            Self::Tls => {
                "was the cluster made anew? get a new kubeconfig, or look at `certificate-authority` and `tls-server-name` in it"
            }
            Self::Http => {
                "is it the API server's address, with the path that it may need? see `kubectl get --raw /version -v=8`"
            }
            Self::Authentication => {
                "log in again; see who you are with `kubectl auth whoami` and with what, `kubectl config view --minify`"
            }
        }
    }
}

/// Whether the API server was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It was not to be.
    NotAsked,
    /// It answered; its version, where it tells that.
    Yes {
        /// `v1.33.1`.
        version: Option<String>,
    },
    /// It was not reached.
    No {
        /// What failed.
        stage: Stage,
        /// Why, as the network or the server said it.
        cause: String,
    },
}
