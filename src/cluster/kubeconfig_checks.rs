//! What client-go refuses in a kubeconfig before it connects
//! (`client-go/tools/clientcmd/validation.go`), so that nothing goes out that kubectl would not send.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::jiff::Timestamp;
use kube::config::{AuthInfo, AuthProviderConfig, Cluster, Kubeconfig};

use super::exec_plugin;

/// Takes an empty text for none, as Go does.
fn drop_empty(text: &mut Option<String>) {
    if text.as_deref() == Some("") {
        *text = None;
    }
}

/// Takes the paths for none that were empty before kube laid them over the file's folder.
pub(super) fn tidy_paths(kubeconfig: &mut Kubeconfig, file: &Path) {
    let Some(folder) = file.parent() else { return };
    let empty = folder.join("").to_str().map(str::to_owned);
    let users = kubeconfig.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut());
    let of_users = users.flat_map(|user| {
        [&mut user.client_certificate, &mut user.client_key, &mut user.token_file]
    });
    let clusters = kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut());
    let of_clusters = clusters.map(|cluster| &mut cluster.certificate_authority);
    for path in of_users.chain(of_clusters) {
        if *path == empty {
            *path = None;
        }
    }
}

/// Keeps of a user only whom they impersonate.
pub(super) fn without_credentials(user: AuthInfo) -> AuthInfo {
    AuthInfo {
        impersonate: user.impersonate,
        impersonate_uid: user.impersonate_uid,
        impersonate_groups: user.impersonate_groups,
        impersonate_user_extra: user.impersonate_user_extra,
        ..AuthInfo::default()
    }
}

/// Takes what is empty in a user for not there.
pub(super) fn tidy_user(user: &mut AuthInfo) {
    for text in [
        &mut user.username,
        &mut user.token_file,
        &mut user.client_certificate,
        &mut user.client_certificate_data,
        &mut user.client_key,
        &mut user.impersonate,
        &mut user.impersonate_uid,
    ] {
        drop_empty(text);
    }
    for secret in [&mut user.token, &mut user.password, &mut user.client_key_data] {
        if secret.as_ref().is_some_and(is_empty) {
            *secret = None;
        }
    }
    join_lines(&mut user.client_certificate_data);
    if let Some(key) = &user.client_key_data {
        use secrecy::ExposeSecret;
        user.client_key_data = Some(joined(key.expose_secret()).into());
    }
    if user.impersonate_groups.as_ref().is_some_and(Vec::is_empty) {
        user.impersonate_groups = None;
    }
}

fn is_empty(secret: &secrecy::SecretString) -> bool {
    use secrecy::ExposeSecret;
    secret.expose_secret().is_empty()
}

/// Go reads base64 over line ends.
fn joined(text: &str) -> String {
    text.replace(['\n', '\r'], "")
}

fn join_lines(text: &mut Option<String>) {
    if let Some(text) = text {
        *text = joined(text);
    }
}

/// The same in a cluster.
pub(super) fn tidy_cluster(cluster: &mut Cluster) {
    for text in [
        &mut cluster.server,
        &mut cluster.certificate_authority,
        &mut cluster.certificate_authority_data,
        &mut cluster.proxy_url,
        &mut cluster.tls_server_name,
    ] {
        drop_empty(text);
    }
    join_lines(&mut cluster.certificate_authority_data);
}

/// Says what is wrong with a user.
pub(super) fn wrong_user(user: &AuthInfo) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |text: &str| wrong.push(text.to_owned());
    let has_certificate =
        user.client_certificate.is_some() || user.client_certificate_data.is_some();
    let has_key = user.client_key.is_some() || user.client_key_data.is_some();
    if user.token.is_some() && (user.username.is_some() || user.password.is_some()) {
        say("it has a token and a name with a password: only one of them is allowed");
    }
    if has_certificate {
        if user.client_certificate.is_some() && user.client_certificate_data.is_some() {
            say("it has both client-certificate and client-certificate-data");
        }
        if user.client_key.is_some() && user.client_key_data.is_some() {
            say("it has both client-key and client-key-data");
        }
        if !has_key {
            say("it has a client certificate without a client-key");
        }
    }
    let impersonates = user.impersonate_uid.is_some()
        || user.impersonate_groups.is_some()
        || user.impersonate_user_extra.as_ref().is_some_and(|extra| !extra.is_empty());
    if impersonates && user.impersonate.is_none() {
        say(
            "it has as-uid, as-groups or as-user-extra without `as`: they are impersonated only with a user",
        );
    }
    match (&user.exec, &user.auth_provider) {
        (Some(_), Some(_)) => say("it has both an exec plugin and an auth-provider"),
        (Some(exec), None) => wrong.extend(exec_plugin::wrong(exec)),
        (None, Some(provider)) => wrong.extend(wrong_provider(provider)),
        (None, None) => {}
    }
    wrong
}

/// client-go has only one of its providers left.
fn wrong_provider(provider: &AuthProviderConfig) -> Option<String> {
    let has = |key: &str| provider.config.get(key).is_some_and(|value| !value.is_empty());
    match provider.name.as_str() {
        "oidc" if !has("idp-issuer-url") || !has("client-id") => {
            Some("its auth-provider oidc wants idp-issuer-url and client-id".to_owned())
        }
        "oidc" if !has("id-token") => Some(
            "its auth-provider oidc has no id-token; log in again, or use an exec plugin such as kubelogin".to_owned(),
        ),
        "oidc" => None,
        "gcp" => Some(
            "the auth-provider gcp is gone since Kubernetes 1.26: use gke-gcloud-auth-plugin".to_owned(),
        ),
        "azure" => Some(
            "the auth-provider azure is gone since Kubernetes 1.26: use kubelogin".to_owned(),
        ),
        other => Some(format!("there is no auth-provider {other:?}")),
    }
}

/// Takes the token that the provider `oidc` keeps in the file for the user's. client-go would get a new
/// one with its refresh token where it has expired; here a person does.
pub(super) fn settle_provider(user: &mut AuthInfo) -> Result<(), String> {
    let Some(provider) = user.auth_provider.take() else { return Ok(()) };
    let token = provider.config.get("id-token").cloned().unwrap_or_default();
    let expires = expiry(&token).ok_or("the id-token of its auth-provider oidc is no token")?;
    if expires <= Timestamp::now().as_second() {
        return Err("the id-token of the auth-provider oidc has expired: log in again, or use an exec plugin such as kubelogin".to_owned());
    }
    if user.token.is_none() && user.token_file.is_none() && user.username.is_none() {
        user.token = Some(token.into());
    }
    Ok(())
}

/// Reads when a token expires, in seconds since 1970.
fn expiry(token: &str) -> Option<i64> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims["exp"].as_i64()
}

/// Says what is wrong with a cluster.
pub(super) fn wrong_cluster(cluster: &Cluster) -> Vec<String> {
    let mut wrong = Vec::new();
    let has_authority =
        cluster.certificate_authority.is_some() || cluster.certificate_authority_data.is_some();
    if cluster.certificate_authority.is_some() && cluster.certificate_authority_data.is_some() {
        wrong.push("it has both certificate-authority and certificate-authority-data".to_owned());
    }
    if cluster.insecure_skip_tls_verify == Some(true) && has_authority {
        wrong.push("it has insecure-skip-tls-verify and a certificate-authority".to_owned());
    }
    if cluster.server.is_none() {
        wrong.push("it has no server".to_owned());
    }
    if let Some(proxy) = &cluster.proxy_url {
        let scheme = proxy.split_once("://").map(|(scheme, _)| scheme.to_lowercase());
        if !matches!(scheme.as_deref(), Some("http" | "https" | "socks5")) {
            // A login may stand in it, so it is not shown.
            wrong.push("its proxy-url is none of http, https and socks5".to_owned());
        }
    }
    wrong
}

/// Tells whether a user has anything to say who they are with.
pub(super) fn can_identify(user: &AuthInfo) -> bool {
    user.token.is_some()
        || user.token_file.is_some()
        || user.username.is_some()
        || user.client_certificate.is_some()
        || user.client_certificate_data.is_some()
        || user.exec.is_some()
        || user.auth_provider.is_some()
}
