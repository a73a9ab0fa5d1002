//! The Job controller may not create the pod: quotas, limits, policies (`FailedCreate`).

use super::cause::{Cause, between, fragment};

/// Explains `FailedCreate`, an event of the Job.
pub(super) fn admission(reason: &str, message: &str) -> Cause {
    quota(reason, message)
        .or_else(|| limit_range(reason, message))
        .or_else(|| policy(reason, message))
        .or_else(|| missing(reason, message))
        .unwrap_or_else(|| {
            let text = message.strip_prefix("Error creating: ").unwrap_or(message);
            Cause::new(reason, format!("the pod cannot be created: {}", fragment(text)))
                .hint("see `kubectl describe job`, and what was sent with `kubectl mage render`")
        })
}

fn quota(reason: &str, message: &str) -> Option<Cause> {
    if let Some(name) = between(message, "exceeded quota: ", ", requested: ") {
        let asked = between(message, "requested: ", ", used: ")?;
        let used = between(message, "used: ", ", limited: ")?;
        let hard = fragment(&message[message.find("limited: ")? + "limited: ".len()..]);
        return Some(
            Cause::new(
                reason,
                format!("quota {name} leaves no room: the pod asks for {asked}, {used} is in use, the limit is {hard}"),
            )
            .hint(format!(
                "wait until other pods end, ask for less with resource_requests, or have the quota raised: `kubectl describe resourcequota {name}`"
            )),
        );
    }
    let rest = &message[message.find("failed quota: ")? + "failed quota: ".len()..];
    let (name, must) = rest.split_once(": ")?;
    let must = fragment(must.trim_start_matches("must specify "));
    Some(
        Cause::new(reason, format!("quota {name} wants every pod to specify {must}"))
            .hint("set them in resource_limits and resource_requests"),
    )
}

fn limit_range(reason: &str, message: &str) -> Option<Cause> {
    let rule = message.split("forbidden: ").nth(1)?;
    let ranges = [" usage per Container", " usage per Pod", "limit to request ratio per"];
    ranges.iter().any(|words| rule.contains(words)).then(|| {
        let rule = fragment(rule.trim_start_matches('[').trim_end_matches(']'));
        Cause::new(reason, format!("a LimitRange of the namespace refuses the pod: {rule}")).hint(
            "change resource_limits or resource_requests to fit: `kubectl describe limitrange`",
        )
    })
}

fn policy(reason: &str, message: &str) -> Option<Cause> {
    if let Some(level) = between(message, "violates PodSecurity \"", "\"") {
        let level = level.split(':').next().unwrap_or(level);
        let rules = message.split_once("\": ").map_or("", |(_, rules)| fragment(rules));
        return Some(
            Cause::new(
                reason,
                format!("the namespace enforces Pod Security level {level}, which the pod violates: {rules}"),
            )
            .hint("set what it names in pod.security_context and container_config.security_context, or use another namespace"),
        );
    }
    if let Some(name) = between(message, "ValidatingAdmissionPolicy '", "'") {
        let said = message.split_once("denied request: ").map_or(message, |(_, said)| said);
        return Some(
            Cause::new(
                reason,
                format!("admission policy {name} denies the pod: {}", fragment(said)),
            )
            .hint("change the pod as it says, or ask whoever made the policy"),
        );
    }
    if let Some(name) = between(message, "failed calling webhook \"", "\"") {
        let said = message.rsplit("\": ").next().unwrap_or(message);
        let said = said.rsplit(": ").next().unwrap_or(said);
        return Some(
            Cause::new(reason, format!("admission webhook {name}, which is asked about every pod, does not answer: {}", fragment(said)))
                .hint("it is the webhook's fault, not the block's: ask whoever runs it; the pod comes when it answers"),
        );
    }
    let name = between(message, "admission webhook \"", "\" denied the request")?;
    let said = message.split_once("denied the request").map_or("", |(_, said)| said);
    let said = fragment(said.trim_start_matches([':', ' ']));
    Some(
        Cause::new(reason, format!("admission webhook {name} denies the pod: {said}"))
            .hint("change the pod as it says, or ask whoever runs the webhook"),
    )
}

fn missing(reason: &str, message: &str) -> Option<Cause> {
    if let Some(name) = between(message, "serviceaccount \"", "\" not found") {
        return Some(
            Cause::new(
                reason,
                format!("ServiceAccount {name} does not exist in the Job's namespace"),
            )
            .hint("create it, or correct service_account_name"),
        );
    }
    let name = between(message, "no PriorityClass with name ", " was found")?;
    Some(
        Cause::new(reason, format!("PriorityClass {name} does not exist"))
            .hint("correct pod.priority_class_name: `kubectl get priorityclasses`"),
    )
}

#[cfg(test)]
mod tests {
    use super::admission;

    /// These need a webhook that answers, or a quota on limits; the rest is tested by recorded
    /// events.
    #[test]
    fn says_who_refuses() {
        let all = [
            r#"Error creating: admission webhook "labels.example.com" denied the request: every pod needs an owner"#,
            r#"Error creating: pods "x" is forbidden: failed quota: team: must specify limits.cpu for: mage; limits.memory for: mage"#,
            r#"Error creating: pods "x" is forbidden: no PriorityClass with name urgent was found"#,
            "Error creating: Internal error occurred: resource quota evaluation timed out",
        ];
        let sentences: Vec<String> =
            all.iter().map(|text| admission("FailedCreate", text).sentence).collect();
        insta::assert_snapshot!(sentences.join("\n"), @r"
        admission webhook labels.example.com denies the pod: every pod needs an owner
        quota team wants every pod to specify limits.cpu for: mage; limits.memory for: mage
        PriorityClass urgent does not exist
        the pod cannot be created: Internal error occurred: resource quota evaluation timed out
        ");
    }
}
