//! A mount of a volume that no layer has.

use crate::finding::{FindingId, Severity};
use crate::lint::{Check, Example, Rule};

pub(super) const RULE: Rule = Rule {
    id: FindingId::MountWithoutVolume,
    code: "MAGE313",
    name: "mount-without-volume",
    severity: Severity::Warning,
    summary: "a mount of a volume that no layer has",
    explanation: "The API server refuses a container that mounts a volume which is not in the pod. Here the mount is left out. Mage OSS drops volumes that only `container_config` mounts, and then sends the mount.",
    example: Example {
        edition: "pro",
        files: &[
            ("pipelines/etl/metadata.yaml", "type: python\nexecutor_type: k8s\nblocks:\n- uuid: load\n  type: data_loader\n  executor_config:\n    container_config:\n      volume_mounts:\n      - «{name: scratch, mount_path: /scratch}»\n")
        ],
        flags: &[],
    },
    check: Check::OnTheWay,
};
