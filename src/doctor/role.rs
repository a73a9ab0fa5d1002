//! The Roles that are missing, as `kubectl apply -f -` takes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::facts::{Answered, Identity};
use super::rights::Need;
use crate::cluster::short_hash;

/// Verbs by group and resource.
type Rules = BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>;

/// Returns a Role and its binding for each namespace in which rights are missing that commands
/// cannot do without; with [`Need::Optional`], also those that they can do without, but for
/// Secrets: whoever may list these may read them all.
///
/// Its name tells its content apart, so that what was given before stays when another one is applied.
#[must_use]
pub fn missing_roles(rights: &[Answered], who: &Identity, need: Need) -> Vec<Value> {
    let mut places: BTreeMap<Option<&str>, Rules> = BTreeMap::new();
    let counts = |answered: &&Answered| {
        answered.is_missing(Need::Required)
            || need == Need::Optional
                && answered.right.resource != "secrets"
                && answered.is_missing(Need::Optional)
    };
    for answered in rights.iter().filter(counts) {
        let right = answered.right;
        let rules = places.entry(answered.namespace.as_deref()).or_default();
        rules.entry((right.group, right.resource)).or_default().insert(right.verb);
    }
    places.into_iter().flat_map(|(namespace, rules)| role(namespace, rules, who)).collect()
}

fn role(namespace: Option<&str>, rules: Rules, who: &Identity) -> [Value; 2] {
    // Resources with the same verbs share a rule.
    let mut shared: BTreeMap<(&str, BTreeSet<&str>), Vec<&str>> = BTreeMap::new();
    for ((group, resource), verbs) in rules {
        shared.entry((group, verbs)).or_default().push(resource);
    }
    let rules: Value = shared
        .into_iter()
        .map(|((group, verbs), resources)| {
            json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
        })
        .collect();
    let name = format!("kubectl-mage-{}", short_hash(&format!("{} {rules}", who.name)));
    let metadata = match namespace {
        Some(namespace) => json!({"name": name, "namespace": namespace}),
        None => json!({"name": name}),
    };
    let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
    let api = "rbac.authorization.k8s.io";
    let version = format!("{api}/v1");
    [
        json!({"apiVersion": version, "kind": kind, "metadata": metadata, "rules": rules}),
        json!({
            "apiVersion": version, "kind": format!("{kind}Binding"), "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": kind, "name": name},
            "subjects": [subject(&who.name)],
        }),
    ]
}

/// Names whoever asks as a binding does.
fn subject(name: &str) -> Value {
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    match account {
        Some((namespace, account)) => {
            json!({"kind": "ServiceAccount", "name": account, "namespace": namespace})
        }
        None => json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::facts::Counts;
    use crate::doctor::rights::{Place, Right};

    fn answered(verb: &'static str, resource: &'static str, need: Need) -> Answered {
        let group = if resource == "jobs" { "batch" } else { "" };
        Answered {
            command: "run",
            counts: Counts::Yes,
            right: Right { verb, resource, group, place: Place::Jobs, need },
            namespace: Some("etl".to_owned()),
            allowed: Some(false),
        }
    }

    #[test]
    fn it_holds_what_is_missing_and_no_more() {
        let mut rights = vec![
            answered("create", "jobs", Need::Required),
            answered("get", "jobs", Need::Required),
            answered("list", "pods", Need::Required),
            answered("list", "secrets", Need::Optional),
            answered("list", "events", Need::Optional),
        ];
        rights[1].allowed = Some(true);
        let who = |name: &str| Identity { name: name.to_owned(), groups: Vec::new() };
        let rules = |need| {
            let all = missing_roles(&rights, &who("me"), need);
            all[0]["rules"].to_string()
        };
        assert_eq!(
            rules(Need::Required),
            r#"[{"apiGroups":[""],"resources":["pods"],"verbs":["list"]},{"apiGroups":["batch"],"resources":["jobs"],"verbs":["create"]}]"#
        );
        assert!(rules(Need::Optional).contains(r#""resources":["events","pods"]"#));
        let all = missing_roles(&rights, &who("system:serviceaccount:ci:robot"), Need::Required);
        assert_eq!(all[1]["subjects"][0]["namespace"], "ci");
        assert_eq!(all[1]["roleRef"]["name"], all[0]["metadata"]["name"]);
        rights.clear();
        assert!(missing_roles(&rights, &who("me"), Need::Optional).is_empty());
    }
}
