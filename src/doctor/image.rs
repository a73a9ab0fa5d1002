//! Whether images can be pulled, as far as that can be known without making a pod.

use std::collections::BTreeSet;

use super::check::{Check, State};
use crate::snapshot::{Known, Snapshot};

/// An image that Jobs run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageWanted {
    /// As the Job names it.
    pub image: String,
    /// The namespace of the Job.
    pub namespace: String,
    /// The service account of its pod.
    pub account: String,
    /// The Secrets of its pod that it is pulled with.
    pub secrets: Vec<String>,
}

/// The images that a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeImages {
    /// The node.
    pub node: String,
    /// Their names, as the node spells them.
    pub images: Vec<String>,
}

/// What became of pulling an image for a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// A container of it has run.
    Yes,
    /// It failed: `ErrImagePull` and what the node said.
    No(String),
}

/// What a pod tells of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodImage {
    /// When the pod was made.
    pub created: String,
    /// `pod/NAME in namespace NAMESPACE`.
    pub pod: String,
    /// The image.
    pub image: String,
    /// What became of it.
    pub pulled: Pulled,
}

/// What is known of images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// Those that Jobs run.
    pub wanted: BTreeSet<ImageWanted>,
    /// What nodes have; none where nodes may not be listed.
    pub nodes: Option<Vec<NodeImages>>,
    /// What pods tell.
    pub pods: Vec<PodImage>,
}

/// Spells an image as nodes do: with its registry and its tag.
fn full_name(image: &str) -> String {
    let image = image.trim();
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let first = name.split('/').next().unwrap_or_default();
    let has_registry =
        name.contains('/') && (first.contains('.') || first.contains(':') || first == "localhost");
    let mut full = match (has_registry, name.contains('/')) {
        (true, _) => name.to_owned(),
        (false, true) => format!("docker.io/{name}"),
        (false, false) => format!("docker.io/library/{name}"),
    };
    let has_tag = full.rsplit('/').next().is_some_and(|last| last.contains(':'));
    match digest {
        Some(digest) => {
            if has_tag {
                full.truncate(full.rfind(':').unwrap_or(full.len()));
            }
            format!("{full}@{digest}")
        }
        None if has_tag => full,
        None => format!("{full}:latest"),
    }
}

impl ImageFacts {
    fn told_by_pods(&self, image: &str) -> Option<&PodImage> {
        let of_it = self.pods.iter().filter(|pod| full_name(&pod.image) == image);
        of_it.max_by_key(|pod| &pod.created)
    }

    /// Returns on how many nodes it is, and how many there are.
    fn on_nodes(&self, image: &str) -> Option<(usize, usize)> {
        let nodes = self.nodes.as_ref()?;
        let has = |node: &&NodeImages| node.images.iter().any(|name| full_name(name) == image);
        Some((nodes.iter().filter(has).count(), nodes.len()))
    }

    /// Says of each image whether it can be pulled.
    pub(super) fn check(&self, snapshot: &Snapshot) -> Check {
        let images: BTreeSet<&str> = self.wanted.iter().map(|one| one.image.as_str()).collect();
        let mut sentences: Vec<(State, String)> =
            images.into_iter().map(|image| self.judge(image, snapshot)).collect();
        if sentences.is_empty() {
            return Check::new(
                "image",
                State::Skipped,
                "no Job could be made, so no image is known",
            );
        }
        sentences.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
        let state = sentences.first().map_or(State::Skipped, |(state, _)| *state);
        let mut lines = sentences.into_iter().map(|(_, sentence)| sentence);
        let first = lines.next().unwrap_or_default();
        let check = Check::new("image", state, first).details(lines);
        match state {
            State::Problem => check.hint(
                "see `kubectl describe pod`, and `kubectl get secret` in the namespace of the Jobs",
            ),
            State::NotKnown => check.hint(
                "a pod tells: `kubectl mage run` waits 60 s for an image that cannot be pulled",
            ),
            _ => check,
        }
    }

    fn judge(&self, image: &str, snapshot: &Snapshot) -> (State, String) {
        if let Some(missing) = self.missing_secret(image, snapshot) {
            return (State::Problem, missing);
        }
        let full = full_name(image);
        match (self.told_by_pods(&full), self.on_nodes(&full)) {
            (Some(PodImage { pod, pulled: Pulled::No(why), .. }), _) => {
                (State::Problem, format!("{image} could not be pulled for {pod}: {why}"))
            }
            (Some(PodImage { pod, .. }), _) => (State::Ok, format!("{image} was pulled for {pod}")),
            (None, Some((has, all))) if has > 0 => {
                (State::Ok, format!("{image} is on {has} of {all} nodes"))
            }
            (None, Some(_)) => (
                State::NotKnown,
                format!(
                    "whether {image} can be pulled is not known: no node has it, and no pod tells"
                ),
            ),
            (None, None) => (
                State::NotKnown,
                format!("whether {image} can be pulled is not known: neither nodes nor pods tell"),
            ),
        }
    }

    /// Names a Secret that an image is pulled with and that is not there.
    fn missing_secret(&self, image: &str, snapshot: &Snapshot) -> Option<String> {
        self.wanted.iter().filter(|one| one.image == image).find_map(|one| {
            let namespace = snapshot.namespace(&one.namespace);
            let account = namespace.service_account(&one.account).found();
            let of_account = account.into_iter().flat_map(|account| &account.image_pull_secrets);
            let mut all = one.secrets.iter().chain(of_account);
            let missing = all.find(|name| namespace.secret(name) == Known::No)?;
            Some(format!(
                "{image} is to be pulled with secret/{missing}, which is not there in namespace {}",
                one.namespace
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_one_full_name() {
        for (short, full) in [
            ("busybox", "docker.io/library/busybox:latest"),
            ("mageai/mageai:0.9", "docker.io/mageai/mageai:0.9"),
            ("localhost/mage:1", "localhost/mage:1"),
            ("r.io:5000/a/b", "r.io:5000/a/b:latest"),
            ("a/b:1@sha256:ab", "docker.io/a/b@sha256:ab"),
        ] {
            assert_eq!(full_name(short), full);
        }
    }

    fn facts(pods: &[(&str, Pulled)], nodes: Option<&[&str]>) -> (State, String) {
        let wanted = ImageWanted {
            image: "mage:1".into(),
            namespace: "etl".into(),
            account: "default".into(),
            secrets: Vec::new(),
        };
        let facts = ImageFacts {
            wanted: BTreeSet::from([wanted]),
            nodes: nodes.map(|all| {
                let node = |images: &&str| NodeImages {
                    node: "n".into(),
                    images: vec![(*images).to_owned()],
                };
                all.iter().map(node).collect()
            }),
            pods: pods
                .iter()
                .map(|(created, pulled)| PodImage {
                    created: (*created).to_owned(),
                    pod: "pod/p in namespace etl".into(),
                    image: "docker.io/library/mage:1".into(),
                    pulled: pulled.clone(),
                })
                .collect(),
        };
        let check = facts.check(&Snapshot::default());
        (check.state, check.sentence)
    }

    #[test]
    fn the_newest_pod_tells_and_nodes_after_it() {
        let no = Pulled::No("ErrImagePull: no such host".into());
        let failed = facts(&[("1", Pulled::Yes), ("2", no.clone())], Some(&["mage:1"]));
        assert_eq!(failed.0, State::Problem);
        assert!(failed.1.ends_with("no such host"), "{}", failed.1);
        assert_eq!(facts(&[("1", no), ("2", Pulled::Yes)], None).0, State::Ok);
        let (state, sentence) = facts(&[], Some(&["mage:1", "mage:2"]));
        assert_eq!((state, sentence.as_str()), (State::Ok, "mage:1 is on 1 of 2 nodes"));
        assert_eq!(facts(&[], Some(&["mage:2"])).0, State::NotKnown);
        assert_eq!(facts(&[], None).0, State::NotKnown);
    }

    #[test]
    fn a_secret_that_is_not_there_is_a_problem_whatever_else_is_known() {
        let wanted = ImageWanted {
            image: "r.io/mage:1".into(),
            namespace: "etl".into(),
            account: "default".into(),
            secrets: vec!["pull".into()],
        };
        let facts = ImageFacts { wanted: BTreeSet::from([wanted]), ..ImageFacts::default() };
        let mut snapshot = Snapshot::default();
        let held = crate::snapshot::NamespaceFacts {
            secrets: Some(BTreeSet::new()),
            ..crate::snapshot::NamespaceFacts::default()
        };
        snapshot.namespaces.insert("etl".into(), held);
        assert_eq!(facts.check(&snapshot).state, State::Problem);
        // Where Secrets may not be listed, nothing is said of it.
        assert_eq!(facts.check(&Snapshot::default()).state, State::NotKnown);
    }
}
