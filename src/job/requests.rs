//! What the pods of Jobs ask for, one and many at once.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::quantity::Quantity;

/// Amounts by resource: `cpu`, `memory`, `nvidia.com/gpu`.
pub type Amounts = BTreeMap<String, Quantity>;

/// Returns what the scheduler counts for one pod of a Job: its containers together, or the most that
/// one of its init containers wants. A limit without a request is one too, as the API server reads it.
#[must_use]
pub fn pod_requests(job: &Json) -> Amounts {
    let pod = &job["spec"]["template"]["spec"];
    let mut sum = Amounts::new();
    for container in pod["containers"].as_array().into_iter().flatten() {
        for (name, amount) in requests(container) {
            let so_far = sum.remove(&name);
            sum.insert(name, so_far.into_iter().chain([amount]).sum());
        }
    }
    for container in pod["initContainers"].as_array().into_iter().flatten() {
        for (name, amount) in requests(container) {
            let most = sum.entry(name).or_insert(amount);
            *most = amount.max(*most);
        }
    }
    sum
}

fn requests(container: &Json) -> Amounts {
    let resources = &container["resources"];
    let mut amounts = Amounts::new();
    // What is asked for beats what is the limit.
    for group in ["limits", "requests"] {
        for (name, value) in resources[group].as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if let Some(amount) = Quantity::parse(&text) {
                amounts.insert(name.clone(), amount);
            }
        }
    }
    amounts
}

/// Returns for each resource the sum of the largest requests of so many pods.
#[must_use]
pub fn peak_requests<'a>(pods: impl IntoIterator<Item = &'a Amounts>, parallel: usize) -> Amounts {
    let mut by_resource: BTreeMap<&str, Vec<Quantity>> = BTreeMap::new();
    for (name, amount) in pods.into_iter().flatten() {
        by_resource.entry(name).or_default().push(*amount);
    }
    let peak = |(name, mut amounts): (&str, Vec<Quantity>)| {
        amounts.sort();
        (name.to_owned(), amounts.into_iter().rev().take(parallel).sum())
    };
    by_resource.into_iter().map(peak).collect()
}

#[cfg(test)]
mod tests {
    use super::{peak_requests, pod_requests};
    use serde_json::{Value, json};

    fn told(containers: &Value, init: &Value) -> Vec<String> {
        let job = json!({"spec": {"template": {"spec": {"containers": containers, "initContainers": init}}}});
        pod_requests(&job).iter().map(|(name, amount)| format!("{name} {amount}")).collect()
    }

    #[test]
    fn a_pod_asks_for_what_its_containers_do() {
        let of = |requests: Value, limits: Value| json!({"resources": {"requests": requests, "limits": limits}});
        let main = of(json!({"cpu": "500m"}), json!({"cpu": 2, "memory": "1Gi"}));
        let side = of(json!({"cpu": 1}), Value::Null);
        assert_eq!(told(&json!([main, side]), &Value::Null), ["cpu 1500m", "memory 1Gi"]);
        let init = of(json!({"memory": "3Gi", "cpu": "1m"}), Value::Null);
        assert_eq!(told(&json!([main, side]), &json!([init])), ["cpu 1500m", "memory 3Gi"]);
    }

    #[test]
    fn the_largest_run_at_once() {
        let pod = |cpu: &str| {
            pod_requests(&json!({"spec": {"template": {"spec": {"containers": [
            {"resources": {"requests": {"cpu": cpu}}}]}}}}))
        };
        let pods = ["250m", "1", "500m"].map(pod);
        assert_eq!(peak_requests(&pods, 2)["cpu"].to_string(), "1500m");
        assert_eq!(peak_requests(&pods, 20)["cpu"].to_string(), "1750m");
    }
}
