//! Which command needs which rights: the one table of it.
//!
//! `required` is what a command cannot do without; without what is optional it says what it does
//! not know and goes on. A test of the command line keeps the table complete, and
//! `tests/cluster/doctor.rs` keeps it true: it runs each command as a user with exactly these rights.

/// Whether a command can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// It cannot.
    Required,
    /// It says what it does not know, and goes on.
    Optional,
}

/// Where a right is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In each namespace with Jobs of a run.
    Jobs,
    /// Where the runs' plans are: the namespace of the first Job, in which runs are looked for.
    Plans,
    /// Where the Mage server's pod is looked for.
    Server,
    /// In the cluster as a whole.
    Cluster,
}

/// A right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The API verb.
    pub verb: &'static str,
    /// The resource as RBAC names it: `jobs`, `pods/log`.
    pub resource: &'static str,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// Where it is needed.
    pub place: Place,
    /// Whether the command can do without.
    pub need: Need,
}

/// What a command needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRights {
    /// The command, with the flags that make a difference: `run --detach`.
    pub command: &'static str,
    /// Whether it changes a cluster.
    pub changes: Changes,
    /// What it needs.
    pub rights: Vec<Right>,
}

/// Whether a command changes a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// It only reads.
    Nothing,
    /// `KUBECTL_MAGE_READONLY` refuses it.
    Cluster,
}

const BATCH: &str = "batch";
const LEASES: &str = "coordination.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";

/// A line of the table: verbs, resource, group, where, whether.
type Line = (&'static [&'static str], &'static str, &'static str, Place, Need);

use Need::{Optional, Required};
use Place::{Jobs, Plans, Server};

/// What every command reads that makes Jobs of a project: the Mage server's pod and what its
/// environment names.
const SERVER: &[Line] = &[
    (&["get", "list"], "pods", "", Server, Optional),
    (&["get"], "configmaps secrets", "", Server, Optional),
];

/// What `snapshot`, `doctor` and `lint --live` read besides.
const SNAPSHOT: &[Line] = &[
    (&["list"], "limitranges persistentvolumeclaims resourcequotas", "", Jobs, Optional),
    (&["list"], "configmaps secrets serviceaccounts", "", Jobs, Optional),
    (&["get", "list"], "namespaces", "", Place::Cluster, Optional),
    (&["list"], "nodes", "", Place::Cluster, Optional),
    (&["list"], "priorityclasses", "scheduling.k8s.io", Place::Cluster, Optional),
    (&["list"], "runtimeclasses", "node.k8s.io", Place::Cluster, Optional),
    (&["list"], "storageclasses", "storage.k8s.io", Place::Cluster, Optional),
];

/// What whoever decides over a run needs, new or not.
const DRIVE: &[Line] = &[
    (&["create", "delete", "get"], "jobs", BATCH, Jobs, Required),
    (&["list", "watch"], "jobs", BATCH, Jobs, Optional),
    (&["list", "watch"], "pods", "", Jobs, Required),
    (&["get"], "pods", "", Jobs, Optional),
    (&["get"], "pods/log", "", Jobs, Required),
    (&["list", "watch"], "events", "", Jobs, Optional),
    (&["get", "list", "watch", "patch"], "configmaps", "", Plans, Optional),
    (&["create", "get", "patch"], "leases", LEASES, Plans, Optional),
];

/// What finding and reading the Jobs of a run needs.
const LOOK: &[Line] = &[
    (&["list"], "jobs", BATCH, Jobs, Required),
    (&["list"], "pods", "", Jobs, Required),
    (&["get", "list"], "configmaps", "", Plans, Optional),
];

/// What reading logs needs.
const LOGS: &[Line] = &[
    (&["list"], "jobs", BATCH, Jobs, Required),
    (&["list"], "pods", "", Jobs, Required),
    (&["get"], "pods/log", "", Jobs, Required),
    (&["get", "list"], "configmaps", "", Plans, Optional),
];

/// What deleting a run that is over needs.
const REMOVE: &[Line] = &[
    (&["list", "delete"], "jobs", BATCH, Jobs, Required),
    (&["get", "list"], "pods", "", Jobs, Required),
    (&["delete"], "configmaps", "", Plans, Required),
];

/// What only a new run needs.
const CREATE_PLAN: &[Line] = &[
    (&["create"], "configmaps", "", Plans, Optional),
    (&["list"], "resourcequotas", "", Jobs, Optional),
];

/// What a driver in the cluster must be given before it can be there.
const CREATE_RBAC: &[Line] = &[
    (&["create", "get", "patch"], "serviceaccounts", "", Plans, Required),
    (&["create", "get", "patch"], "roles rolebindings", RBAC, Jobs, Required),
];

/// What setting Jobs beside a run needs.
///
/// Without the right to patch a new Job is created by POST.
const APPLY: &[Line] = &[
    (&["create", "get"], "jobs", BATCH, Jobs, Required),
    (&["list", "patch"], "jobs", BATCH, Jobs, Optional),
];

/// A command, whether it changes a cluster, and the lines that hold for it.
type Entry = (&'static str, Changes, &'static [&'static [Line]]);

const TABLE: &[Entry] = &[
    ("render", Changes::Nothing, &[SERVER]),
    (
        "render --validate",
        Changes::Nothing,
        &[SERVER, &[(&["create"], "jobs", BATCH, Jobs, Required)]],
    ),
    ("explain-config", Changes::Nothing, &[SERVER]),
    (
        "explain-config --all",
        Changes::Nothing,
        &[
            SERVER,
            &[
                (&["create"], "jobs", BATCH, Jobs, Optional),
                (&["create"], "pods", "", Jobs, Optional),
            ],
        ],
    ),
    ("lint", Changes::Nothing, &[SERVER]),
    ("lint --live", Changes::Nothing, &[SERVER, SNAPSHOT]),
    ("snapshot", Changes::Nothing, &[SERVER, SNAPSHOT]),
    ("doctor", Changes::Nothing, &[SERVER, SNAPSHOT, &[(&["list"], "pods", "", Jobs, Optional)]]),
    ("run", Changes::Cluster, &[SERVER, DRIVE, CREATE_PLAN]),
    (
        "run --detach",
        Changes::Cluster,
        &[
            SERVER,
            DRIVE,
            CREATE_PLAN,
            &[
                (&["create", "get", "patch"], "configmaps", "", Plans, Required),
                (&["get"], "serviceaccounts", "", Plans, Optional),
            ],
        ],
    ),
    ("run --detach --create-rbac", Changes::Cluster, &[SERVER, DRIVE, CREATE_PLAN, CREATE_RBAC]),
    (
        "run --staged",
        Changes::Cluster,
        &[SERVER, DRIVE, CREATE_PLAN, &[(&["list", "patch"], "jobs", BATCH, Jobs, Required)]],
    ),
    (
        "diff",
        Changes::Nothing,
        &[
            SERVER,
            &[
                (&["get"], "jobs", BATCH, Jobs, Required),
                (&["create", "list", "patch"], "jobs", BATCH, Jobs, Optional),
                (&["list"], "resourcequotas", "", Jobs, Optional),
                (&["get"], "configmaps", "", Plans, Optional),
            ],
        ],
    ),
    ("apply", Changes::Cluster, &[SERVER, APPLY]),
    (
        "apply --replace",
        Changes::Cluster,
        &[SERVER, APPLY, &[(&["delete", "list", "watch"], "jobs", BATCH, Jobs, Required)]],
    ),
    (
        "apply --wait",
        Changes::Cluster,
        &[
            SERVER,
            APPLY,
            &[
                (&["list", "watch"], "jobs", BATCH, Jobs, Required),
                (&["list", "watch"], "pods", "", Jobs, Optional),
                (&["list", "watch"], "events", "", Jobs, Optional),
            ],
        ],
    ),
    (
        "resume",
        Changes::Cluster,
        &[
            SERVER,
            DRIVE,
            &[
                (&["list"], "jobs", BATCH, Jobs, Required),
                // Where no plan could be recorded, `--replan` marks the Jobs.
                (&["patch"], "jobs", BATCH, Jobs, Optional),
            ],
        ],
    ),
    (
        "attach",
        Changes::Nothing,
        &[&[
            (&["get"], "configmaps", "", Plans, Required),
            (&["list", "watch"], "configmaps", "", Plans, Optional),
            (&["list", "watch"], "pods", "", Jobs, Required),
            (&["get"], "pods", "", Jobs, Optional),
            (&["get", "list"], "jobs", BATCH, Jobs, Required),
            (&["watch"], "jobs", BATCH, Jobs, Optional),
            (&["get"], "pods/log", "", Jobs, Required),
            (&["list", "watch"], "events", "", Jobs, Optional),
            (&["get"], "leases", LEASES, Plans, Optional),
        ]],
    ),
    (
        "tail",
        Changes::Nothing,
        &[
            LOGS,
            &[
                (&["watch"], "pods", "", Jobs, Required),
                (&["get", "watch"], "jobs", BATCH, Jobs, Optional),
                (&["watch"], "configmaps", "", Plans, Optional),
            ],
        ],
    ),
    ("logs", Changes::Nothing, &[LOGS]),
    (
        "runs",
        Changes::Nothing,
        &[&[
            (&["list"], "jobs", BATCH, Jobs, Required),
            (&["watch"], "jobs", BATCH, Jobs, Optional),
            (&["list"], "configmaps", "", Plans, Optional),
            (&["list"], "leases", LEASES, Plans, Optional),
        ]],
    ),
    (
        "status",
        Changes::Nothing,
        &[
            LOOK,
            &[
                (&["watch"], "jobs", BATCH, Jobs, Optional),
                (&["watch"], "pods", "", Jobs, Optional),
                (&["list"], "events", "", Jobs, Optional),
                (&["get"], "leases", LEASES, Plans, Optional),
            ],
        ],
    ),
    (
        "why",
        Changes::Nothing,
        &[
            LOOK,
            &[
                (&["get"], "pods/log", "", Jobs, Optional),
                (&["list"], "events", "", Jobs, Optional),
                (&["create"], "pods/exec", "", Jobs, Optional),
            ],
        ],
    ),
    (
        "cancel",
        Changes::Cluster,
        &[&[
            (&["list", "delete"], "jobs", BATCH, Jobs, Required),
            (&["get", "list"], "pods", "", Jobs, Required),
            (&["get", "list", "patch"], "configmaps", "", Plans, Optional),
            (&["get"], "leases", LEASES, Plans, Optional),
        ]],
    ),
    (
        "delete",
        Changes::Cluster,
        &[
            REMOVE,
            &[
                (&["get"], "configmaps", "", Plans, Required),
                (&["list"], "configmaps", "", Plans, Optional),
            ],
        ],
    ),
    ("prune", Changes::Cluster, &[REMOVE, &[(&["list"], "configmaps", "", Plans, Required)]]),
];

/// Returns the whole table. Where two lines of a command name one right, the stricter holds.
#[must_use]
pub fn all() -> Vec<CommandRights> {
    TABLE.iter().map(|(command, changes, parts)| of(command, *changes, parts)).collect()
}

fn of(command: &'static str, changes: Changes, parts: &[&[Line]]) -> CommandRights {
    let mut rights: Vec<Right> = Vec::new();
    for (verbs, resources, group, place, need) in parts.iter().copied().flatten() {
        for resource in resources.split(' ') {
            for verb in *verbs {
                let right = Right { verb, resource, group, place: *place, need: *need };
                match rights.iter_mut().find(|known| known.is_same(&right)) {
                    Some(known) => known.need = known.need.min(right.need),
                    None => rights.push(right),
                }
            }
        }
    }
    CommandRights { command, changes, rights }
}

impl Right {
    fn is_same(&self, other: &Self) -> bool {
        (self.verb, self.resource, self.group, self.place)
            == (other.verb, other.resource, other.group, other.place)
    }

    /// Returns it as people write it: `create jobs.batch`.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.group, self.resource.split_once('/')) {
            ("", _) => format!("{} {}", self.verb, self.resource),
            (group, Some((resource, sub))) => format!("{} {resource}.{group}/{sub}", self.verb),
            (group, None) => format!("{} {}.{group}", self.verb, self.resource),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_of_two_lines_holds() {
        let detached = all().into_iter().find(|one| one.command == "run --detach").unwrap();
        let of = |name: &str| {
            let mut found = detached.rights.iter().filter(|right| right.name() == name);
            (found.next().unwrap().need, found.filter(|right| right.place == Plans).count())
        };
        assert_eq!(of("create configmaps"), (Required, 0));
        assert_eq!(of("watch jobs.batch"), (Optional, 0));
    }

    #[test]
    fn whoever_changes_nothing_needs_no_right_to_do_so() {
        for one in all().iter().filter(|one| one.changes == Changes::Nothing) {
            let changes = |right: &&Right| {
                !matches!(right.verb, "get" | "list" | "watch") && right.need == Required
            };
            let found = one.rights.iter().find(changes);
            // A dry run is a create for RBAC.
            assert!(found.is_none() || one.command == "render --validate", "{one:?}");
        }
    }
}
