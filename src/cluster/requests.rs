//! Tells each request, where somebody listens: verb, address, outcome and time, as kubectl does from
//! `-v=6` on; never headers or bodies.

use std::sync::OnceLock;
use std::time::Instant;

use http::{Method, Request, Response, Uri};
use tower::BoxError;

use super::client::root_cause;

type Listener = Box<dyn Fn(&str) + Send + Sync>;

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// From now on tells each request of this process, a line each.
pub fn tell_requests(to: impl Fn(&str) + Send + Sync + 'static) {
    // Whoever listens first goes on listening.
    let _ = LISTENER.set(Box::new(to));
}

/// A request that is under way, and that somebody wants to hear of.
pub(super) struct Asked {
    method: Method,
    address: String,
    at: Instant,
    listener: &'static Listener,
}

impl Asked {
    /// Takes notice of a request; nothing is done where nobody listens.
    pub(super) fn new<B>(request: &Request<B>) -> Option<Self> {
        let listener = LISTENER.get()?;
        let (method, address) = (request.method().clone(), address(request.uri()));
        Some(Self { method, address, at: Instant::now(), listener })
    }

    /// Tells how it ended; of an answer that streams, how it began.
    pub(super) fn ended<B>(self, answer: &Result<Response<B>, BoxError>) {
        let Self { method, address, at, listener } = self;
        let milliseconds = at.elapsed().as_millis();
        let outcome = match answer {
            Ok(answer) => answer.status().to_string(),
            Err(error) => format!("failed ({})", root_cause(error.as_ref())),
        };
        listener(&format!("{method} {address} {outcome} in {milliseconds} milliseconds"));
    }
}

/// Returns an address without the name and password that it may hold.
pub(super) fn address(uri: &Uri) -> String {
    let host = uri.authority().map_or("", |authority| {
        let text = authority.as_str();
        text.rsplit_once('@').map_or(text, |(_, host)| host)
    });
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{}://{host}{path}", uri.scheme_str().unwrap_or("http"))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_told_without_a_password() {
        let uri = "https://me:secret@h:6443/api/v1/pods?limit=5".parse().unwrap();
        assert_eq!(address(&uri), "https://h:6443/api/v1/pods?limit=5");
    }
}
