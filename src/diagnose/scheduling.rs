//! No node takes the pod: the scheduler's reasons, node by node, in plain words.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::cause::{Cause, between, fragment};

/// Explains `Unschedulable`.
pub(super) fn scheduling(reason: &str, message: &str, pod: Option<&Pod>) -> Cause {
    if let Some(cause) = claim(reason, message, pod) {
        return cause;
    }
    let Some((total, reasons)) = node_reasons(message) else {
        let sentence = match fragment(message) {
            "" => "no node has been found for the pod yet".to_owned(),
            message => format!("no node takes the pod: {message}"),
        };
        return Cause::new(reason, sentence).hint(
            "compare `kubectl describe nodes` with what `kubectl mage explain-config` shows",
        );
    };
    let mut hint = None;
    let words: Vec<String> = reasons
        .iter()
        .map(|(count, text)| {
            let (words, remedy) = plain(*count, text, pod);
            hint = hint.take().or(remedy);
            words
        })
        .collect();
    let nodes = if total == 1 { "the only node".to_owned() } else { format!("of {total} nodes") };
    let words = match (total, reasons.as_slice()) {
        (1, [_]) => words[0].trim_start_matches("1 ").to_owned(),
        _ => words.join(", "),
    };
    Cause::new(reason, format!("no node takes the pod: {nodes} {words}")).hint(hint.unwrap_or_else(
        || {
            "compare `kubectl describe nodes` with what `kubectl mage explain-config` shows"
                .to_owned()
        },
    ))
}

/// Splits `0/5 nodes are available: 3 Insufficient cpu, 2 node(s) …. preemption: …`.
fn node_reasons(message: &str) -> Option<(u32, Vec<(u32, &str)>)> {
    let total = between(message, "0/", " nodes are available")?.parse().ok()?;
    let rest = &message[message.find("nodes are available: ")? + "nodes are available: ".len()..];
    let rest = rest.split(". preemption:").next().unwrap_or(rest);
    let mut reasons: Vec<(u32, &str)> = Vec::new();
    let mut start = 0;
    let mut ends: Vec<usize> = rest.match_indices(", ").map(|(at, _)| at).collect();
    ends.push(rest.len());
    for end in ends {
        let next = rest.get(end + 2..).unwrap_or_default();
        // A comma may be part of a reason; the next one begins with a number.
        if end < rest.len() && !next.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let (count, text) = rest[start..end].split_once(' ')?;
        reasons.push((count.parse().ok()?, fragment(text)));
        start = end + 2;
    }
    Some((total, reasons))
}

/// Says one reason in plain words, and what to do about it.
fn plain(count: u32, text: &str, pod: Option<&Pod>) -> (String, Option<String>) {
    let verb = |one: &str, many: &str| if count == 1 { one.to_owned() } else { many.to_owned() };
    let has = verb("has", "have");
    let (words, remedy) = if let Some(resource) = text.strip_prefix("Insufficient ") {
        let asked = pod.and_then(|pod| asked(pod, resource));
        let asked = asked.map(|asked| format!(" (it asks for {asked})")).unwrap_or_default();
        (
            format!("{has} too little free {resource}{asked}"),
            format!(
                "ask for less with resource_requests.{resource}, wait until other pods end, or add a node"
            ),
        )
    } else if text.contains("Too many pods") {
        (
            format!("{has} as many pods as fit"),
            "wait until other pods end, or add a node".to_owned(),
        )
    } else if text.contains("node affinity/selector") {
        let selector = pod.and_then(selector);
        let what = match &selector {
            Some(selector) => format!("the labels of its node selector ({selector})"),
            None => "what its node affinity asks for".to_owned(),
        };
        (
            format!("{} {what}", verb("lacks", "lack")),
            "correct pod.node_selector or pod.affinity, or label a node: `kubectl get nodes --show-labels`".to_owned(),
        )
    } else if text.contains("untolerated taint") {
        let taint = between(text, "{", "}").map(|taint| format!(" ({taint})")).unwrap_or_default();
        (
            format!("{has} a taint that the pod does not tolerate{taint}"),
            "add the toleration to pod.tolerations: `kubectl describe nodes` shows the taints"
                .to_owned(),
        )
    } else if text.contains("were unschedulable") {
        (
            format!("{} closed to new pods (cordoned)", verb("is", "are")),
            "wait until the node is opened again: `kubectl uncordon NODE`".to_owned(),
        )
    } else if text.contains("volume node affinity conflict") {
        (
            format!("{} not where its volume is", verb("is", "are")),
            "use a volume of the zone of those nodes, or choose nodes of the volume's zone"
                .to_owned(),
        )
    } else if text.contains("free ports") {
        (
            format!("{has} the host port it asks for taken"),
            "wait until the other pod ends, or ask for no host port".to_owned(),
        )
    } else if text.contains("anti-affinity") || text.contains("topology spread") {
        (
            format!("{} excluded by anti-affinity or spreading rules", verb("is", "are")),
            "relax pod.affinity or the topology spread constraints".to_owned(),
        )
    } else {
        return (format!("{count}: {text}"), None);
    };
    (format!("{count} {words}"), Some(remedy))
}

/// Explains a claim that is missing or not bound.
fn claim(reason: &str, message: &str, pod: Option<&Pod>) -> Option<Cause> {
    if let Some(name) = between(message, "persistentvolumeclaim \"", "\" not found") {
        return Some(
            Cause::new(
                reason,
                format!("PersistentVolumeClaim {name} does not exist in the pod's namespace"),
            )
            .hint(
                "create it, or correct the name: `kubectl mage explain-config` shows who names it",
            ),
        );
    }
    let unbound = message.contains("unbound immediate PersistentVolumeClaims")
        || message.contains("find available persistent volumes to bind");
    unbound.then(|| {
        let names = pod.map(claims).unwrap_or_default().join(", ");
        let which = if names.is_empty() { String::new() } else { format!(" {names}") };
        Cause::new(reason, format!("PersistentVolumeClaim{which} has no volume yet")).hint(format!(
            "see `kubectl describe pvc{which}`: its storage class, and whether anything provides volumes of it"
        ))
    })
}

fn claims(pod: &Pod) -> Vec<String> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes
        .filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.clone()))
        .collect()
}

/// Returns what the pod's containers ask for, as written.
fn asked(pod: &Pod, resource: &str) -> Option<String> {
    let requests: Vec<&Quantity> = pod
        .spec
        .as_ref()?
        .containers
        .iter()
        .filter_map(|container| container.resources.as_ref()?.requests.as_ref()?.get(resource))
        .collect();
    let texts: Vec<&str> = requests.iter().map(|quantity| quantity.0.as_str()).collect();
    (!texts.is_empty()).then(|| texts.join(" + "))
}

fn selector(pod: &Pod) -> Option<String> {
    let labels = pod.spec.as_ref()?.node_selector.as_ref().filter(|labels| !labels.is_empty())?;
    Some(labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::node_reasons;

    #[test]
    fn reasons_begin_with_their_count() {
        let message = "0/9 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint {a: b, c}, 4 Too many pods. preemption: 0/9 nodes are available: 9 No preemption victims found for incoming pod.";
        assert_eq!(
            node_reasons(message),
            Some((
                9,
                vec![
                    (2, "Insufficient cpu"),
                    (3, "node(s) had untolerated taint {a: b, c}"),
                    (4, "Too many pods")
                ]
            ))
        );
        assert_eq!(node_reasons("no nodes available to schedule pods"), None);
    }
}
