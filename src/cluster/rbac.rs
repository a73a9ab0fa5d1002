//! Service accounts, Roles and their bindings: what a driver in the cluster needs to be there.

use kube::api::{GetParams, Patch, PatchParams, PostParams};
use kube::core::Request;
use serde_json::Value;

use super::client::Cluster;
use super::error::{Action, ClusterError};
use super::jobs::built;
use super::labels::MANAGER;
use super::marks::is_ours;

/// What came of applying an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was not there.
    Created,
    /// It was there, made by this tool, and is now as wanted.
    Configured,
    /// Somebody else made it, so it is left alone.
    LeftAlone,
}

/// Where objects of a kind are.
struct Kind {
    resource: &'static str,
    group: &'static str,
    name: &'static str,
}

const SERVICE_ACCOUNT: Kind =
    Kind { resource: "serviceaccounts", group: "", name: "serviceaccount" };
const ROLE: Kind = Kind {
    resource: "roles",
    group: "rbac.authorization.k8s.io",
    name: "role.rbac.authorization.k8s.io",
};
const ROLE_BINDING: Kind = Kind {
    resource: "rolebindings",
    group: "rbac.authorization.k8s.io",
    name: "rolebinding.rbac.authorization.k8s.io",
};

impl Kind {
    fn of(object: &Value) -> Self {
        match object["kind"].as_str() {
            Some("Role") => ROLE,
            Some("RoleBinding") => ROLE_BINDING,
            _ => SERVICE_ACCOUNT,
        }
    }

    fn action(&self, verb: &'static str, namespace: &str, name: &str) -> Action {
        Action {
            verb,
            resource: self.resource,
            group: self.group,
            object: format!("{}/{name}", self.name),
            namespace: namespace.to_owned(),
        }
    }

    fn path(&self, namespace: &str) -> String {
        let resource = self.resource;
        match self.group {
            "" => format!("/api/v1/namespaces/{namespace}/{resource}"),
            group => format!("/apis/{group}/v1/namespaces/{namespace}/{resource}"),
        }
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Names an object as kubectl does.
#[must_use]
pub fn object_name(object: &Value) -> String {
    format!("{}/{}", Kind::of(object).name, text(object, "/metadata/name"))
}

impl Cluster {
    /// Tells whether a service account is there.
    pub async fn has_service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<bool, ClusterError> {
        let action = SERVICE_ACCOUNT.action("get", namespace, name);
        let request = Request::new(SERVICE_ACCOUNT.path(namespace));
        let request = built(request.get(name, &GetParams::default()), &action)?;
        match self.call::<Value>(&action, request).await {
            Ok(_) => Ok(true),
            Err(ClusterError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates a service account, a Role or a binding, or makes one that this tool created before
    /// as it is wanted now.
    pub async fn apply_rights(&self, object: &Value) -> Result<Applied, ClusterError> {
        let kind = Kind::of(object);
        let (namespace, name) =
            (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
        let path = kind.path(namespace);
        let field_manager = Some(MANAGER.to_owned());
        let params = PostParams { field_manager: field_manager.clone(), ..PostParams::default() };
        let action = kind.action("create", namespace, name);
        let bytes = object.to_string().into_bytes();
        let request = built(Request::new(path.clone()).create(&params, bytes), &action)?;
        match self.call::<Value>(&action, request).await {
            Ok(_) => return Ok(Applied::Created),
            Err(error) if error.is_already_exists() => {}
            Err(error) => return Err(error),
        }
        let action = kind.action("get", namespace, name);
        let request = Request::new(path.clone()).get(name, &GetParams::default());
        let found: Value = self.call(&action, built(request, &action)?).await?;
        if !is_ours(&found) {
            return Ok(Applied::LeftAlone);
        }
        let action = kind.action("patch", namespace, name);
        let params = PatchParams { field_manager, ..PatchParams::default() };
        let request = Request::new(path).patch(name, &params, &Patch::Merge(object));
        self.call::<Value>(&action, built(request, &action)?).await?;
        Ok(Applied::Configured)
    }
}
