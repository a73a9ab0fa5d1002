//! Credentials that are got anew when the API server no longer accepts them.
//!
//! kube runs an exec plugin again shortly before the time at which its token is said to expire. But
//! many give no time, and a token may be revoked earlier; client-go then asks the plugin once more, and so
//! does this.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use kube::client::middleware::AuthLayer;
use kube::client::{AuthError, Body, ConfigExt};
use tokio::sync::Mutex;
use tower::{BoxError, Layer, Service, ServiceExt};

/// A plugin whose credentials are refused is not asked again before this: it may ask a person.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// What a request is signed with.
#[derive(Clone)]
pub(super) struct Credentials {
    config: Arc<kube::Config>,
    current: Arc<Mutex<Current>>,
}

struct Current {
    layer: Option<Arc<AuthLayer>>,
    /// How often it was got.
    generation: u64,
    at: Instant,
}

impl Credentials {
    /// Gets them for the first time, which may run an exec plugin.
    pub(super) fn get(config: &kube::Config) -> Result<Self, kube::Error> {
        let layer = config.auth_layer()?.map(Arc::new);
        let current = Current { layer, generation: 0, at: Instant::now() };
        Ok(Self { config: Arc::new(config.clone()), current: Arc::new(Mutex::new(current)) })
    }

    /// Tells whether requests carry something; a certificate belongs to the connection.
    pub(super) fn in_requests(&self) -> bool {
        self.current.try_lock().is_ok_and(|current| current.layer.is_some())
    }

    async fn current(&self) -> (Option<Arc<AuthLayer>>, u64) {
        let current = self.current.lock().await;
        (current.layer.clone(), current.generation)
    }

    /// Gets newer ones than those of `generation`; false where there are none.
    async fn renew(&self, generation: u64) -> Result<bool, BoxError> {
        let mut current = self.current.lock().await;
        if current.generation != generation {
            return Ok(true);
        }
        let auth = &self.config.auth_info;
        let can = auth.exec.is_some() || auth.token_file.is_some();
        if !can || (generation > 0 && current.at.elapsed() < ASK_AGAIN) {
            return Ok(false);
        }
        let config = Arc::clone(&self.config);
        let layer = tokio::task::spawn_blocking(move || config.auth_layer()).await??;
        *current =
            Current { layer: layer.map(Arc::new), generation: generation + 1, at: Instant::now() };
        Ok(true)
    }
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
            let (layer, generation) = credentials.current().await;
            let answer = send(layer, inner.clone(), request).await?;
            let Some(again) = again else { return Ok(answer) };
            if answer.status() != StatusCode::UNAUTHORIZED || !credentials.renew(generation).await?
            {
                return Ok(answer);
            }
            let (layer, _) = credentials.current().await;
            send(layer, inner, again).await
        })
    }
}

async fn send<S, B>(
    layer: Option<Arc<AuthLayer>>,
    inner: S,
    request: Request<Body>,
) -> Result<Response<B>, BoxError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    match layer {
        Some(layer) => layer.layer(inner).oneshot(request).await,
        None => inner.oneshot(request).await,
    }
}

/// Says why there are no credentials. Of a plugin only its name and last words are told: variables,
/// arguments and what else it prints may hold secrets.
pub(super) fn refusal(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { cmd, out } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty());
            let last = last.map(|line| format!(": {}", line.trim())).unwrap_or_default();
            let program = program_of(cmd);
            format!("the exec plugin {program} of the kubeconfig ended with {}{last}", out.status)
        }
        AuthError::AuthExecStart(error) => {
            format!("the exec plugin of the kubeconfig cannot be run: {error}")
        }
        error => error.to_string(),
    }
}

/// Takes the program out of a command as Rust writes it: `NAME="VALUE" "PROGRAM" "ARGUMENT"`.
fn program_of(command: &str) -> &str {
    let words = command.match_indices('"').map(|(at, _)| at);
    let start = words.filter(|&at| at == 0 || command[..at].ends_with(' ')).map(|at| at + 1).next();
    let rest = start.map_or("", |start| &command[start..]);
    rest.split('"').next().unwrap_or_default()
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
    use super::program_of;
    use std::process::Command;

    #[test]
    fn the_program_is_told_and_no_variable_or_argument() {
        let mut command = Command::new("/opt/aws");
        command.arg("get-token").arg("--key=hunter2");
        assert_eq!(program_of(&format!("{command:?}")), "/opt/aws");
        command.env("SECRET", r#"hunter2 "and" more"#).env("A", "b");
        assert_eq!(program_of(&format!("{command:?}")), "/opt/aws");
    }
}
