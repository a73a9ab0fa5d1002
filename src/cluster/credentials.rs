//! What requests are signed with, as client-go does it, and got anew when it no longer serves.
//!
//! kube's own layer is not used: it takes a token over a token's file, keeps the line end of such a
//! file, wants a password beside a name, and runs providers that client-go no longer has.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};
use k8s_openapi::jiff::Timestamp;
use kube::client::{AuthError, Body};
use kube::config::AuthInfo;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tower::{BoxError, Layer, Service, ServiceExt};

use super::exec_plugin;
use super::flags::Plugins;
use super::requests::Asked;

/// A plugin whose credentials are refused is not asked again before this: it may ask a person.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// How long the content of a token's file is taken for good, as in client-go.
const READ_AGAIN: Duration = Duration::from_secs(50);

/// What a request is signed with.
#[derive(Clone)]
pub(super) struct Credentials {
    user: Arc<AuthInfo>,
    plugins: Plugins,
    current: Arc<Mutex<Current>>,
}

/// A certificate and its key, PEM.
pub(super) type Identity = (String, String);

struct Current {
    header: Option<HeaderValue>,
    /// Until when it is good, where that is known.
    expires: Option<Timestamp>,
    /// How often it was got.
    generation: u64,
    at: Instant,
}

impl Credentials {
    /// Gets them for the first time, which may run an exec plugin; a certificate that it gave comes
    /// back, for it belongs to connections.
    pub(super) fn get(
        user: &AuthInfo,
        plugins: Plugins,
    ) -> Result<(Self, Option<Identity>), String> {
        let (current, identity) = got(user, plugins, 0)?;
        let current = Arc::new(Mutex::new(current));
        Ok((Self { user: Arc::new(user.clone()), plugins, current }, identity))
    }

    /// Returns what to sign with now: got anew where it is known to be no longer good.
    async fn current(&self) -> Result<(Option<HeaderValue>, u64), BoxError> {
        let mut current = self.current.lock().await;
        let expired = current.expires.is_some_and(|at| at <= Timestamp::now());
        let aged = self.user.token_file.is_some() && current.at.elapsed() > READ_AGAIN;
        if expired || aged {
            let generation = current.generation;
            match self.got_anew(generation).await {
                Ok(newer) => *current = newer,
                // Where a file is gone, what was in it holds, as in client-go.
                Err(_) if aged => current.at = Instant::now(),
                Err(why) => return Err(refused(why)),
            }
        }
        Ok((current.header.clone(), current.generation))
    }

    /// Gets newer ones than those of `generation`; false where there are none.
    async fn renew(&self, generation: u64) -> Result<bool, BoxError> {
        let mut current = self.current.lock().await;
        if current.generation != generation {
            return Ok(true);
        }
        let can = self.user.exec.is_some() || self.user.token_file.is_some();
        if !can || (generation > 0 && current.at.elapsed() < ASK_AGAIN) {
            return Ok(false);
        }
        *current = self.got_anew(generation).await.map_err(refused)?;
        Ok(true)
    }

    async fn got_anew(&self, generation: u64) -> Result<Current, String> {
        let (user, plugins) = (Arc::clone(&self.user), self.plugins);
        let got = tokio::task::spawn_blocking(move || got(&user, plugins, generation + 1)).await;
        // A certificate that comes anew serves only connections to come, which there are none of.
        got.map_err(|error| error.to_string())?.map(|(current, _)| current)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

fn refused(why: String) -> BoxError {
    Box::new(kube::Error::Auth(AuthError::AuthExec(why)))
}

/// Gets what a user signs with. A token's file counts before a token, these before a name and a
/// password, all before an exec plugin (`client-go/transport/round_trippers.go`).
fn got(
    user: &AuthInfo,
    plugins: Plugins,
    generation: u64,
) -> Result<(Current, Option<Identity>), String> {
    let (mut expires, mut identity) = (None, None);
    let header = if let Some(token) = token(user)? {
        Some(bearer(&token)?)
    } else if let Some(name) = &user.username {
        let password = user.password.as_ref().map_or("", |password| password.expose_secret());
        let both = STANDARD.encode(format!("{name}:{password}"));
        Some(sensitive(&format!("Basic {both}"))?)
    } else if let Some(exec) = &user.exec {
        let given = exec_plugin::run(exec, plugins)?;
        (expires, identity) = (given.expires, given.identity);
        given.token.as_deref().map(bearer).transpose()?
    } else {
        None
    };
    Ok((Current { header, expires, generation, at: Instant::now() }, identity))
}

fn token(user: &AuthInfo) -> Result<Option<String>, String> {
    let inline = user.token.as_ref().map(|token| token.expose_secret().to_owned());
    let Some(file) = &user.token_file else { return Ok(inline) };
    match std::fs::read_to_string(file).map(|text| text.trim().to_owned()) {
        Ok(text) if !text.is_empty() => Ok(Some(text)),
        _ if inline.is_some() => Ok(inline),
        Ok(_) => Err(format!("the token file {file} is empty")),
        Err(error) => Err(format!("cannot read the token file {file}: {error}")),
    }
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "a token or a password holds characters that no header can".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

impl<S> Layer<S> for Credentials {
    type Service = Signed<S>;

    fn layer(&self, inner: S) -> Signed<S> {
        Signed { credentials: self.clone(), inner }
    }
}

/// Signs requests.
#[derive(Clone)]
pub(super) struct Signed<S> {
    credentials: Credentials,
    inner: S,
}

impl<S, B> Service<Request<Body>> for Signed<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { credentials, inner } = self.clone();
        Box::pin(async move {
            let again = copy(&request);
            let (signature, generation) = credentials.current().await?;
            let answer = send(inner.clone(), signed(request, signature)).await?;
            let Some(again) = again else { return Ok(answer) };
            if answer.status() != StatusCode::UNAUTHORIZED || !credentials.renew(generation).await?
            {
                return Ok(answer);
            }
            let (signature, _) = credentials.current().await?;
            send(inner, signed(again, signature)).await
        })
    }
}

/// Sends a request, and tells it where somebody listens.
async fn send<S, B>(inner: S, request: Request<Body>) -> Result<Response<B>, BoxError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
{
    let asked = Asked::new(&request);
    let answer = inner.oneshot(request).await;
    if let Some(asked) = asked {
        asked.ended(&answer);
    }
    answer
}

/// Signs a request that is not signed.
fn signed(mut request: Request<Body>, signature: Option<HeaderValue>) -> Request<Body> {
    if let Some(signature) = signature {
        request.headers_mut().entry(header::AUTHORIZATION).or_insert(signature);
    }
    request
}

/// Says why there are no credentials.
pub(super) fn refusal(error: &AuthError) -> String {
    match error {
        AuthError::AuthExec(why) => why.clone(),
        error => error.to_string(),
    }
}

fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(user: &AuthInfo) -> Result<String, String> {
        let (current, _) = got(user, Plugins::MayAsk, 0)?;
        Ok(current.header.map_or_else(String::new, |it| it.to_str().unwrap().to_owned()))
    }

    #[test]
    fn a_file_counts_before_a_token_and_its_line_end_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "of-the-file\n").unwrap();
        let mut user = AuthInfo {
            token: Some("inline".to_owned().into()),
            token_file: Some(file.to_str().unwrap().to_owned()),
            ..AuthInfo::default()
        };
        assert_eq!(header(&user).unwrap(), "Bearer of-the-file");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(header(&user).unwrap(), "Bearer inline");
        user.token = None;
        assert!(header(&user).unwrap_err().starts_with("cannot read the token file"));
        std::fs::write(&file, " \n").unwrap();
        assert!(header(&user).unwrap_err().ends_with("is empty"));
    }

    #[test]
    fn a_name_needs_no_password() {
        let user = AuthInfo { username: Some("me".to_owned()), ..AuthInfo::default() };
        assert_eq!(header(&user).unwrap(), "Basic bWU6");
        let broken = AuthInfo { token: Some("a\nb".to_owned().into()), ..AuthInfo::default() };
        assert!(!header(&broken).unwrap_err().contains('\n'));
    }
}
