//! Questions to a snapshot. What could not be read is never taken for absent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::model::{
    ClaimFacts, NamespaceFacts, NodeFacts, PriorityClassFacts, QuotaFacts, ServiceAccountFacts,
    Snapshot, StorageClassFacts,
};

/// An answer of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<T = ()> {
    /// It is there.
    Yes(T),
    /// It is not there.
    No,
    /// It was not asked, or may not be.
    Unknown,
}

impl<T> Known<T> {
    /// Returns what is there.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Yes(found) => Some(found),
            Self::No | Self::Unknown => None,
        }
    }

    /// Tells whether it is certainly not there.
    pub fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }
}

/// One namespace of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct NamespaceView<'a> {
    exists: Known,
    facts: Option<&'a NamespaceFacts>,
}

fn in_list<T>(list: Option<&[T]>, is: impl Fn(&T) -> bool) -> Known<&T> {
    match list {
        None => Known::Unknown,
        Some(list) => list.iter().find(|item| is(item)).map_or(Known::No, Known::Yes),
    }
}

fn in_set(set: Option<&BTreeSet<String>>, name: &str) -> Known {
    match set {
        None => Known::Unknown,
        Some(set) if set.contains(name) => Known::Yes(()),
        Some(_) => Known::No,
    }
}

impl Snapshot {
    /// Returns what is known of a namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> NamespaceView<'_> {
        let facts = self.namespaces.get(name);
        let exists = match (in_set(self.existing_namespaces.as_ref(), name), facts) {
            (Known::Unknown, Some(facts)) => match facts.exists {
                Some(true) => Known::Yes(()),
                Some(false) => Known::No,
                None => Known::Unknown,
            },
            (known, _) => known,
        };
        NamespaceView { exists, facts }
    }

    /// Returns a priority class.
    #[must_use]
    pub fn priority_class(&self, name: &str) -> Known<&PriorityClassFacts> {
        in_list(self.priority_classes.as_deref(), |class| class.name == name)
    }

    /// Tells whether there is a runtime class of that name.
    #[must_use]
    pub fn runtime_class(&self, name: &str) -> Known {
        match in_list(self.runtime_classes.as_deref(), |class| class == name) {
            Known::Yes(_) => Known::Yes(()),
            Known::No => Known::No,
            Known::Unknown => Known::Unknown,
        }
    }

    /// Returns a storage class.
    #[must_use]
    pub fn storage_class(&self, name: &str) -> Known<&StorageClassFacts> {
        in_list(self.storage_classes.as_deref(), |class| class.name == name)
    }

    /// Returns the nodes that carry all of these labels; `No` where none does.
    #[must_use]
    pub fn nodes_with(&self, labels: &BTreeMap<String, String>) -> Known<Vec<&NodeFacts>> {
        let Some(nodes) = &self.nodes else { return Known::Unknown };
        let carries = |node: &&NodeFacts| {
            labels.iter().all(|(key, value)| node.labels.get(key) == Some(value))
        };
        let found: Vec<&NodeFacts> = nodes.iter().filter(carries).collect();
        if found.is_empty() { Known::No } else { Known::Yes(found) }
    }
}

impl<'a> NamespaceView<'a> {
    /// Tells whether it exists.
    #[must_use]
    pub fn exists(&self) -> Known {
        self.exists
    }

    /// Answers about something in it: in a namespace that does not exist there is nothing.
    fn within<T>(&self, answer: impl FnOnce(&'a NamespaceFacts) -> Known<T>) -> Known<T> {
        match (self.exists, self.facts) {
            (Known::No, _) => Known::No,
            (_, Some(facts)) => answer(facts),
            (_, None) => Known::Unknown,
        }
    }

    /// Returns a service account.
    #[must_use]
    pub fn service_account(&self, name: &str) -> Known<&'a ServiceAccountFacts> {
        self.within(|facts| {
            in_list(facts.service_accounts.as_deref(), |account| account.name == name)
        })
    }

    /// Returns a claim of a volume.
    #[must_use]
    pub fn claim(&self, name: &str) -> Known<&'a ClaimFacts> {
        self.within(|facts| in_list(facts.claims.as_deref(), |claim| claim.name == name))
    }

    /// Tells whether there is a ConfigMap of that name.
    #[must_use]
    pub fn config_map(&self, name: &str) -> Known {
        self.within(|facts| in_set(facts.config_maps.as_ref(), name))
    }

    /// Tells whether there is a Secret of that name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Known {
        self.within(|facts| in_set(facts.secrets.as_ref(), name))
    }

    /// Returns its quotas; `No` where it has none.
    #[must_use]
    pub fn quotas(&self) -> Known<&'a [QuotaFacts]> {
        self.within(|facts| match facts.quotas.as_deref() {
            None => Known::Unknown,
            Some([]) => Known::No,
            Some(quotas) => Known::Yes(quotas),
        })
    }

    /// Returns the `spec.limits` of its limit ranges, by name; `No` where it has none.
    #[must_use]
    pub fn limit_ranges(&self) -> Known<&'a BTreeMap<String, Json>> {
        self.within(|facts| match &facts.limit_ranges {
            None => Known::Unknown,
            Some(ranges) if ranges.is_empty() => Known::No,
            Some(ranges) => Known::Yes(ranges),
        })
    }

    /// Returns its `pod-security.kubernetes.io/` labels, where it was asked.
    #[must_use]
    pub fn pod_security(&self) -> Option<&'a BTreeMap<String, String>> {
        self.facts.map(|facts| &facts.pod_security)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_read_is_unknown_and_not_absent() {
        let account = ServiceAccountFacts { name: "etl".into(), ..Default::default() };
        let facts = NamespaceFacts {
            service_accounts: Some(vec![account]),
            secrets: None,
            ..NamespaceFacts::default()
        };
        let mut snapshot = Snapshot {
            namespaces: BTreeMap::from([("jobs".to_owned(), facts)]),
            ..Snapshot::default()
        };
        let jobs = snapshot.namespace("jobs");
        assert!(jobs.service_account("etl").found().is_some());
        assert!(jobs.service_account("other").is_no());
        assert_eq!(jobs.secret("s"), Known::Unknown);
        assert_eq!(jobs.exists(), Known::Unknown);
        assert_eq!(snapshot.namespace("never-asked").config_map("c"), Known::Unknown);
        assert_eq!(snapshot.nodes_with(&BTreeMap::new()), Known::Unknown);

        snapshot.existing_namespaces = Some(BTreeSet::from(["jobs".to_owned()]));
        assert_eq!(snapshot.namespace("jobs").exists(), Known::Yes(()));
        assert!(snapshot.namespace("gone").secret("s").is_no());
    }
}
