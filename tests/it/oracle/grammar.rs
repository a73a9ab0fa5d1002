//! Settings made by chance: every key that Mage's Kubernetes executor has, mostly as the
//! documentation has it and sometimes as people write it.

use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use super::text::Text;

/// A value made by chance.
pub(crate) type Made = BoxedStrategy<Text>;

/// One of some scalars, written as they stand here; of those after `|` only seldom one.
pub(crate) fn any_of(texts: &'static [&'static str]) -> Made {
    let Some(bar) = texts.iter().position(|text| *text == "|") else {
        return select(texts).prop_map(Text::scalar).boxed();
    };
    prop_oneof![60 => select(&texts[..bar]), 1 => select(&texts[bar + 1..])]
        .prop_map(Text::scalar)
        .boxed()
}

/// A value that is seldom of the right kind.
fn odd() -> Made {
    any_of(&[
        "~",
        "''",
        "[]",
        "{}",
        "x",
        "1",
        "0",
        "-1",
        "yes",
        "true",
        "false",
        "0777",
        "1.5",
        "1e3",
        "2026-01-01",
        "1:30",
        "'1'",
        "[a]",
        "{a: b}",
        "[{name: a}]",
        "a b",
        "A_b",
        ".inf",
        "12345678901",
        "' pad '",
        "'trailing '",
        "\"{{ env_var('NS') }}\"",
    ])
}

/// Mostly what it should be.
pub(crate) fn mostly(right: Made) -> Made {
    prop_oneof![150 => right, 1 => odd()].boxed()
}

pub(crate) fn list(item: Made, most: usize) -> Made {
    proptest::collection::vec(item, 0..=most).prop_map(Text::List).boxed()
}

/// Always where the probability is 1.
fn sometimes<T: Clone + std::fmt::Debug + 'static>(
    probability: f64,
    value: BoxedStrategy<T>,
) -> BoxedStrategy<Option<T>> {
    if probability < 1.0 {
        weighted(probability, value).boxed()
    } else {
        value.prop_map(Some).boxed()
    }
}

/// A list that is not empty.
fn some_of(item: Made, most: usize) -> Made {
    proptest::collection::vec(item, 1..=most).prop_map(Text::List).boxed()
}

/// Some of the fields, each with its probability.
pub(crate) fn map(fields: Vec<(f64, &'static str, Made)>) -> Made {
    let fields: Vec<BoxedStrategy<Option<(String, Text)>>> = fields
        .into_iter()
        .map(|(probability, key, value)| {
            sometimes(probability, value)
                .prop_map(move |value| Some((key.to_owned(), value?)))
                .boxed()
        })
        .collect();
    fields.prop_map(|fields| Text::Map(fields.into_iter().flatten().collect())).boxed()
}

/// A mapping with one key of two spellings.
fn either(probability: f64, snake: &'static str, camel: &'static str, value: Made) -> Field {
    Field { probability, snake, camel, value }
}

struct Field {
    probability: f64,
    snake: &'static str,
    camel: &'static str,
    value: Made,
}

/// A mapping whose keys are in one spelling, seldom in the other.
fn spelled(fields: Vec<Field>, camel_weight: u32) -> Made {
    let fields: Vec<BoxedStrategy<Option<(String, Text)>>> = fields
        .into_iter()
        .map(|field| {
            let spelling = prop_oneof![
                80 => Just(field.snake),
                camel_weight => Just(field.camel),
            ];
            sometimes(field.probability, (spelling, mostly(field.value)).boxed())
                .prop_map(|made| made.map(|(key, value)| (key.to_owned(), value)))
                .boxed()
        })
        .collect();
    fields.prop_map(|fields| Text::Map(fields.into_iter().flatten().collect())).boxed()
}

fn name() -> Made {
    any_of(&["a", "b", "data", "code", "mage-fs", "x-1", "|", "'A b'"])
}

/// Names that few enough have, so that mounts find their volumes.
fn volume_name() -> Made {
    any_of(&["mage-fs", "mage-fs", "mage-fs", "mage-fs", "code", "|", "data", "'A b'"])
}

fn words() -> Made {
    any_of(&[
        "a", "gpu", "compute", "'1'", "\"true\"", "eu-1", "a.b", "x_y", "''", "|", "1", "'a b'",
    ])
}

fn number() -> Made {
    any_of(&["1", "0", "3", "120", "86400", "0x10", "1_000", "|", "-1", "100000000000"])
}

fn flag() -> Made {
    any_of(&["true", "false", "yes", "off", "|", "'true'"])
}

/// A map with free keys.
fn labels(value: Made) -> Made {
    map(vec![
        (0.5, "app", mostly(value.clone())),
        (0.3, "a.b/c", mostly(value.clone())),
        (0.1, "node-type", mostly(value.clone())),
        (0.01, "7", value.clone()),
        (0.01, "yes", value.clone()),
        (0.003, "'a b'", value.clone()),
        (0.003, "'-x'", value),
    ])
}

fn quantities(cpu: &'static [&'static str], memory: &'static [&'static str]) -> Made {
    map(vec![
        (0.6, "cpu", mostly(any_of(cpu))),
        (0.6, "memory", mostly(any_of(memory))),
        (0.1, "nvidia.com/gpu", mostly(any_of(&["1", "'1'", "2"]))),
        (0.05, "ephemeral-storage", mostly(any_of(&["1Gi", "500M"]))),
        (0.005, "hugepages-2Mi", mostly(any_of(&["2Mi", "4Mi"]))),
        (0.003, "gpu", mostly(any_of(&["1"]))),
    ])
}

fn limits() -> Made {
    quantities(
        &["1", "1000m", "'2'", "1.5", "0.5", "500m", "4", "1e3", "100u"],
        &["2Gi", "2048Mi", "1G", "1.5Gi", "512Mi", "1e9", "1073741824", "100k", "|", "2GB", "-1"],
    )
}

fn requests() -> Made {
    quantities(&["100u", "1n", "0.0001", "|", "2"], &["1", "'1k'", "100k", "|", "4Gi"])
}

fn resources() -> Made {
    map(vec![
        (0.6, "limits", limits()),
        (0.5, "requests", requests()),
        (0.02, "claims", list(map(vec![(0.9, "name", name())]), 1)),
        (0.003, "limit", limits()),
    ])
}

/// Where a variable's value comes from; inner keys are the API's, or not.
fn value_from() -> Made {
    prop_oneof![
        6 => map(vec![(1.0, "secretKeyRef", key_of())]),
        2 => map(vec![(1.0, "configMapKeyRef", key_of())]),
        2 => map(vec![(1.0, "fieldRef", map(vec![(0.95, "fieldPath", any_of(&["metadata.name", "status.podIP", "|", "nope"]))]))]),
        1 => map(vec![(1.0, "fieldRef", map(vec![(1.0, "fieldPath", any_of(&["spec.nodeName"]))]))]),
    ]
    .boxed()
}

fn key_of() -> Made {
    map(vec![
        (0.95, "name", any_of(&["db", "s"])),
        (0.95, "key", any_of(&["url", "k"])),
        (0.05, "optional", flag()),
    ])
}

fn variables(camel_weight: u32) -> Made {
    let variable = prop_oneof![
        8 => map(vec![(1.0, "name", variable_name()), (0.95, "value", mostly(any_of(&["a", "b", "'1'", "''", "/x y", "|", "1", "true"])))]),
        2 => spelled(
            vec![
                either(1.0, "name", "name", variable_name()),
                either(1.0, "value_from", "valueFrom", value_from()),
            ],
            camel_weight,
        ),
    ];
    list(variable.boxed(), 3)
}

fn variable_name() -> Made {
    any_of(&[
        "A",
        "B",
        "KUBE_NAMESPACE",
        "ENV",
        "TEAM",
        "DB_PASSWORD",
        "a-b.c",
        "1A",
        "a b",
        "|",
        "A=B",
        "é",
    ])
}

fn mounts(camel_weight: u32) -> Made {
    list(
        spelled(
            vec![
                either(0.98, "name", "name", volume_name()),
                either(
                    0.98,
                    "mount_path",
                    "mountPath",
                    any_of(&[
                        "/data",
                        "/code",
                        "/c",
                        "/d",
                        "/e",
                        "/f",
                        "/a",
                        "a:b",
                        "rel",
                        "|",
                        "/home/src",
                    ]),
                ),
                either(0.2, "read_only", "readOnly", flag()),
                either(0.15, "sub_path", "subPath", any_of(&["x", "a/b", "|", "../x", "/x"])),
            ],
            camel_weight,
        ),
        3,
    )
}

fn volumes() -> Made {
    let claim = |key: &'static str| {
        map(vec![(0.97, key, any_of(&["mage-pvc", "data"])), (0.1, "readOnly", flag())])
    };
    let secret = |key: &'static str| {
        map(vec![
            (0.97, key, any_of(&["mage-secrets"])),
            (0.1, "defaultMode", any_of(&["420", "0644", "|", "1000"])),
        ])
    };
    let config_map = map(vec![(0.97, "name", any_of(&["mage-config"])), (0.1, "optional", flag())]);
    let empty = prop_oneof![
        any_of(&["{}"]),
        map(vec![
            (0.5, "medium", any_of(&["Memory", "''"])),
            (0.5, "sizeLimit", any_of(&["1Gi", "100"]))
        ])
    ]
    .boxed();
    let host = map(vec![
        (0.97, "path", any_of(&["/mnt", "|", "../x"])),
        (0.2, "type", any_of(&["Directory", "''", "|", "Nope"])),
    ]);
    let csi = map(vec![
        (0.97, "driver", any_of(&["gcsfuse.csi.storage.gke.io"])),
        (0.5, "volumeAttributes", labels(words())),
    ]);
    let named = |name: &'static str| {
        let of = |key: &'static str, source: Made| {
            map(vec![(1.0, "name", Just(Text::scalar(name)).boxed()), (1.0, key, source)])
        };
        prop_oneof![
            60 => of("persistent_volume_claim", claim("claimName")),
            1 => of("persistent_volume_claim", claim("claim_name")),
            1 => of("persistentVolumeClaim", claim("claimName")),
            40 => of("empty_dir", empty.clone()),
            30 => of("config_map", config_map.clone()),
            30 => of("secret", secret("secretName")),
            1 => of("secret", secret("secret_name")),
            20 => of("host_path", host.clone()),
            10 => of("csi", csi.clone()),
            1 => map(vec![(0.5, "name", self::name())]),
            1 => odd(),
        ]
        .boxed()
    };
    let some = |probability, volume| sometimes(probability, volume);
    let parts = (some(0.9, named("code")), some(0.3, named("data")), some(0.02, named("mage-fs")));
    parts
        .prop_map(|(one, two, three)| Text::List([one, two, three].into_iter().flatten().collect()))
        .boxed()
}

fn tolerations() -> Made {
    list(
        spelled(
            vec![
                either(0.9, "key", "key", any_of(&["nvidia.com/gpu", "spot", "''", "|", "a b"])),
                either(0.9, "operator", "operator", any_of(&["Exists", "|", "Equal", "exists"])),
                either(0.05, "value", "value", any_of(&["\"true\"", "a"])),
                either(
                    0.7,
                    "effect",
                    "effect",
                    any_of(&["NoSchedule", "NoExecute", "PreferNoSchedule", "|", "noschedule"]),
                ),
                either(0.02, "toleration_seconds", "tolerationSeconds", number()),
            ],
            1,
        ),
        2,
    )
}

fn expressions() -> Made {
    list(
        map(vec![
            (0.97, "key", any_of(&["node-type", "zone", "a.b/c"])),
            (0.97, "operator", any_of(&["In", "NotIn", "|", "Exists", "Gt", "in"])),
            (0.97, "values", mostly(some_of(words(), 2))),
        ]),
        2,
    )
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

fn selector_term() -> Made {
    map(vec![
        (0.9, "matchExpressions", mostly(expressions())),
        (0.05, "matchFields", expressions()),
    ])
}

fn node_affinity() -> Made {
    let terms = map(vec![(0.95, "nodeSelectorTerms", mostly(list(selector_term(), 2)))]);
    let preferred = map(vec![
        (0.95, "weight", any_of(&["1", "100", "|", "0"])),
        (0.95, "preference", selector_term()),
    ]);
    map(vec![(0.9, REQUIRED, mostly(terms)), (0.2, PREFERRED, list(preferred, 1))])
}

fn label_selector() -> Made {
    map(vec![
        (0.7, "matchLabels", mostly(labels(words()))),
        (0.3, "matchExpressions", mostly(expressions())),
        (0.03, "match_labels", labels(words())),
    ])
}

fn pod_term(weight: f64) -> Made {
    map(vec![
        (weight, "weight", any_of(&["1", "100", "|", "0", "101"])),
        (0.8, "labelSelector", mostly(label_selector())),
        (0.97, "topologyKey", any_of(&["kubernetes.io/hostname", "zone", "|", "''"])),
        (0.05, "namespaces", list(name(), 1)),
    ])
}

fn pod_affinity() -> Made {
    let nested = map(vec![
        (0.95, "weight", any_of(&["1", "50"])),
        (0.95, "podAffinityTerm", pod_term(0.02)),
    ]);
    let preferred = prop_oneof![40 => list(pod_term(0.99), 2), 1 => list(nested, 1)].boxed();
    let required = prop_oneof![1 => list(pod_term(0.02), 1), 1 => list(pod_term(0.95), 1)].boxed();
    map(vec![(0.02, REQUIRED, required), (0.8, PREFERRED, mostly(preferred))])
}

fn affinity() -> Made {
    spelled(
        vec![
            either(0.6, "nodeAffinity", "node_affinity", node_affinity()),
            either(0.3, "podAffinity", "pod_affinity", pod_affinity()),
            either(0.3, "podAntiAffinity", "pod_anti_affinity", pod_affinity()),
        ],
        1,
    )
}

fn pull_secrets() -> Made {
    prop_oneof![any_of(&["[]", "''", "~", "|", "my-secret", "[a]", "[{name: a}]", "{name: a}"])]
        .boxed()
}

fn security() -> Made {
    prop_oneof![
        40 => map(vec![(0.8, "runAsUser", number()), (0.3, "privileged", flag()), (0.3, "runAsNonRoot", flag())]),
        1 => map(vec![(1.0, "run_as_user", number())]),
    ]
    .boxed()
}

fn pod() -> Made {
    spelled(
        vec![
            either(
                0.2,
                "service_account_name",
                "serviceAccountName",
                any_of(&["default", "mage", "sa.x", "|", "'Bad SA'"]),
            ),
            either(0.06, "image_pull_secrets", "imagePullSecrets", pull_secrets()),
            either(0.3, "node_selector", "nodeSelector", labels(words())),
            either(
                0.15,
                "scheduler_name",
                "schedulerName",
                any_of(&["custom", "default-scheduler", "'a b'"]),
            ),
            either(0.3, "tolerations", "tolerations", tolerations()),
            either(0.3, "affinity", "affinity", affinity()),
            either(0.4, "volumes", "volumes", volumes()),
            either(0.1, "security_context", "securityContext", security()),
            either(
                0.05,
                "priority_class_name",
                "priorityClassName",
                any_of(&["high", "system-node-critical"]),
            ),
            either(0.03, "host_network", "hostNetwork", flag()),
            either(
                0.03,
                "restart_policy",
                "restartPolicy",
                any_of(&["Never", "OnFailure", "|", "Always"]),
            ),
            either(
                0.03,
                "termination_grace_period_seconds",
                "terminationGracePeriodSeconds",
                number(),
            ),
            either(0.02, "dns_policy", "dnsPolicy", any_of(&["ClusterFirst", "Default", "Nope"])),
            either(
                0.02,
                "init_containers",
                "initContainers",
                list(map(vec![(0.9, "name", name()), (0.9, "image", any_of(&["busybox"]))]), 1),
            ),
        ],
        1,
    )
}

fn container() -> Made {
    spelled(
        vec![
            either(0.3, "name", "name", any_of(&["mage-data", "c", "|", "'C_1'", "''"])),
            either(0.4, "image", "image", image()),
            either(0.3, "image_pull_policy", "imagePullPolicy", pull_policy()),
            either(0.4, "env", "env", variables(1)),
            either(0.4, "volume_mounts", "volumeMounts", mounts(1)),
            either(0.4, "resources", "resources", resources()),
            either(0.05, "env_from", "envFrom", env_from()),
            either(0.05, "args", "args", list(words(), 2)),
            either(0.05, "security_context", "securityContext", security()),
            either(0.03, "working_dir", "workingDir", any_of(&["/home/src"])),
        ],
        1,
    )
}

fn image() -> Made {
    any_of(&[
        "mageai/mageai:0.9.80",
        "reg.example/x:1",
        "x",
        "''",
        "\"{{ env_var('IMG') }}\"",
        "mageai/mageai:latest ",
        "'a b'",
    ])
}

fn pull_policy() -> Made {
    any_of(&["Always", "IfNotPresent", "Never", "|", "always"])
}

fn env_from() -> Made {
    list(
        prop_oneof![
            30 => map(vec![(1.0, "configMapRef", map(vec![(0.97, "name", name())])), (0.1, "prefix", any_of(&["P_", "p"]))]),
            20 => map(vec![(1.0, "secretRef", map(vec![(0.97, "name", name())]))]),
            1 => map(vec![(1.0, "secret_ref", map(vec![(0.97, "name", name())]))]),
        ]
        .boxed(),
        2,
    )
}

/// A raw container: what is inside its fields should be the API's spelling.
fn container_config() -> Made {
    let inner_env = list(
        prop_oneof![
            60 => map(vec![(1.0, "name", variable_name()), (0.95, "value", mostly(any_of(&["a", "b", "'1'"])))]),
            10 => map(vec![(1.0, "name", variable_name()), (1.0, "valueFrom", value_from())]),
            1 => map(vec![(1.0, "name", variable_name()), (1.0, "value_from", value_from())]),
        ]
        .boxed(),
        2,
    );
    let inner_mounts = list(
        prop_oneof![
            60 => map(vec![(1.0, "name", any_of(&["mage-fs", "data"])), (1.0, "mountPath", any_of(&["/raw", "/extra"]))]),
            1 => map(vec![(1.0, "name", name()), (1.0, "mount_path", any_of(&["/data"]))]),
        ]
        .boxed(),
        2,
    );
    let ports = list(
        map(vec![
            (0.95, "containerPort", any_of(&["80", "|", "0", "70000", "'80'"])),
            (0.2, "protocol", any_of(&["TCP", "|", "tcp"])),
            (0.2, "name", any_of(&["http", "|", "Bad"])),
        ]),
        1,
    );
    let handler = map(vec![(
        0.9,
        "preStop",
        map(vec![(0.9, "exec", map(vec![(0.9, "command", list(words(), 2))]))]),
    )]);
    spelled(
        vec![
            either(0.4, "image", "image", image()),
            either(0.1, "name", "name", any_of(&["mage-data", "c", "|", "''"])),
            either(0.1, "image_pull_policy", "imagePullPolicy", pull_policy()),
            either(0.4, "env", "env", inner_env),
            either(0.2, "volume_mounts", "volumeMounts", inner_mounts),
            either(0.3, "resources", "resources", resources()),
            either(0.1, "env_from", "envFrom", env_from()),
            either(0.05, "command", "command", list(words(), 2)),
            either(0.1, "args", "args", list(words(), 2)),
            either(0.2, "security_context", "securityContext", security()),
            either(0.1, "working_dir", "workingDir", any_of(&["/home/src"])),
            either(0.05, "tty", "tty", flag()),
            either(0.05, "ports", "ports", ports),
            either(0.05, "lifecycle", "lifecycle", handler),
            either(
                0.05,
                "termination_message_policy",
                "terminationMessagePolicy",
                any_of(&["File", "FallbackToLogsOnError", "|", "X"]),
            ),
            either(0.01, "bogus", "bogus", name()),
        ],
        1,
    )
}

fn metadata() -> Made {
    spelled(
        vec![
            either(0.6, "labels", "labels", labels(words())),
            either(0.5, "annotations", "annotations", labels(words())),
            either(
                0.4,
                "namespace",
                "namespace",
                any_of(&[
                    "jobs",
                    "team-b",
                    "default",
                    "''",
                    "|",
                    "Bad_NS",
                    "\"{{ env_var('NS') }}\"",
                ]),
            ),
            either(0.05, "name", "name", name()),
            either(0.03, "generate_name", "generateName", name()),
            either(0.03, "finalizers", "finalizers", list(any_of(&["a.b/c", "|", "x"]), 1)),
        ],
        1,
    )
}

fn job() -> Made {
    spelled(
        vec![
            either(0.5, "active_deadline_seconds", "activeDeadlineSeconds", number()),
            either(0.5, "backoff_limit", "backoffLimit", number()),
            either(0.5, "ttl_seconds_after_finished", "ttlSecondsAfterFinished", number()),
            either(0.05, "parallelism", "parallelism", number()),
            either(0.02, "suspend", "suspend", flag()),
        ],
        1,
    )
}

fn namespace() -> Made {
    any_of(&[
        "jobs",
        "team-b",
        "default",
        "''",
        "\"{{ env_var('NS') }}\"",
        "\"{{ variables('ns') }}\"",
        "|",
        "\"a-{{ env_var('NO') }}\"",
        "Bad_NS",
        "'jobs '",
    ])
}

fn prefix() -> Made {
    any_of(&[
        "data-prep",
        "x",
        "'p-{trigger_name}'",
        "\"{trigger_name}\"",
        "x.y",
        "x--y",
        "-x",
        "|",
        "Upper_Case",
        "'{other}'",
        "'a{trigger_name}{b}'",
        "'{{trigger_name}}'",
        "a-very-long-prefix-of-more-than-forty-characters-in-all-x",
        "'trail '",
        "y-",
    ])
}

/// The body of a layer: `k8s_executor_config`, `executor_config` or the template.
pub(crate) fn body(share: f64) -> Made {
    let of = |probability: f64| probability * share;
    map(vec![
        (of(0.3), "job_name_prefix", mostly(prefix())),
        (of(0.3), "namespace", mostly(namespace())),
        (of(0.4), "resource_limits", mostly(limits())),
        (of(0.3), "resource_requests", mostly(requests())),
        (
            of(0.2),
            "service_account_name",
            mostly(any_of(&["default", "mage", "''", "|", "'Bad SA'"])),
        ),
        (of(0.3), "container_config", mostly(container_config())),
        (of(0.3), "metadata", mostly(metadata())),
        (of(0.4), "container", mostly(container())),
        (of(0.6), "pod", mostly(pod())),
        (of(0.3), "job", mostly(job())),
        (
            of(0.01),
            "k8s_executor_config",
            map(vec![(0.9, "namespace", namespace()), (0.5, "resource_limits", limits())]),
        ),
        (of(0.01), "pod_config", map(vec![(0.9, "a", name())])),
        (of(0.01), "config_file", name()),
        (of(0.01), "meta", map(vec![(0.9, "a", name())])),
        (of(0.01), "resourceLimits", limits()),
        (of(0.01), "nodeSelector", labels(words())),
        (of(0.005), "7", name()),
    ])
}

/// The pod of a Mage server.
pub(crate) fn server_spec() -> Made {
    let variable = prop_oneof![
        6 => map(vec![(1.0, "name", any_of(&["A", "B", "ENV", "TEAM", "MAGE_DATA_DIR"])), (0.95, "value", any_of(&["a", "b", "'1'", "''"]))]),
        2 => map(vec![(1.0, "name", any_of(&["A", "DB_PASSWORD"])), (1.0, "valueFrom", map(vec![(1.0, "secretKeyRef", map(vec![(1.0, "name", any_of(&["db"])), (1.0, "key", any_of(&["url"]))]))]))]),
        1 => map(vec![(1.0, "name", any_of(&["NODE"])), (1.0, "valueFrom", map(vec![(1.0, "fieldRef", map(vec![(0.9, "apiVersion", any_of(&["v1"])), (1.0, "fieldPath", any_of(&["spec.nodeName"]))]))]))]),
    ];
    let mount = |name: &'static str, path: &'static str| {
        map(vec![
            (1.0, "name", Just(Text::scalar(name)).boxed()),
            (1.0, "mountPath", Just(Text::scalar(path)).boxed()),
            (0.2, "readOnly", any_of(&["true"])),
        ])
    };
    let volume = |name: &'static str, key: &'static str, source: Made| {
        map(vec![(1.0, "name", Just(Text::scalar(name)).boxed()), (1.0, key, source)])
    };
    let token = map(vec![
        (1.0, "defaultMode", any_of(&["420"])),
        (
            1.0,
            "sources",
            list(
                map(vec![(
                    1.0,
                    "configMap",
                    map(vec![(1.0, "name", any_of(&["kube-root-ca.crt"]))]),
                )]),
                1,
            ),
        ),
    ]);
    let some_of_these = |parts: Vec<(f64, Made)>| {
        let parts: Vec<_> = parts.into_iter().map(|(often, part)| sometimes(often, part)).collect();
        parts.prop_map(|parts| Text::List(parts.into_iter().flatten().collect())).boxed()
    };
    let mounts = some_of_these(vec![
        (0.8, mount("mage-fs", "/home/src")),
        (0.8, mount("kube-api-access-x1", "/var/run/secrets")),
        (0.02, mount("nowhere", "/n")),
    ]);
    let claim = map(vec![(1.0, "claimName", any_of(&["mage-pvc"]))]);
    let volumes = some_of_these(vec![
        (0.99, volume("mage-fs", "persistentVolumeClaim", claim)),
        (0.99, volume("kube-api-access-x1", "projected", token)),
        (0.3, volume("unused", "emptyDir", any_of(&["{}"]))),
        (0.05, volume("code", "emptyDir", any_of(&["{}"]))),
    ]);
    let container = map(vec![
        (1.0, "name", any_of(&["mage", "proxy", "mageai"])),
        (1.0, "image", any_of(&["mageai/mageai:0.9.80", "proxy:1"])),
        (0.98, "env", list(variable.boxed(), 3)),
        (
            0.3,
            "envFrom",
            list(map(vec![(1.0, "configMapRef", map(vec![(1.0, "name", name())]))]), 2),
        ),
        (0.98, "volumeMounts", mounts),
        (0.3, "imagePullPolicy", any_of(&["Always"])),
        (0.3, "resources", map(vec![(0.6, "limits", limits())])),
    ]);
    let toleration = map(vec![
        (1.0, "key", any_of(&["node.kubernetes.io/not-ready", "spot"])),
        (1.0, "operator", any_of(&["Exists"])),
        (1.0, "effect", any_of(&["NoExecute"])),
        (0.5, "tolerationSeconds", any_of(&["300"])),
    ]);
    map(vec![
        (
            1.0,
            "containers",
            proptest::collection::vec(container, 1..=2).prop_map(Text::List).boxed(),
        ),
        (0.98, "volumes", volumes),
        (0.5, "tolerations", list(toleration, 2)),
        (0.3, "nodeSelector", map(vec![(0.9, "disk", any_of(&["ssd"]))])),
        (0.6, "schedulerName", any_of(&["default-scheduler", "own"])),
        (0.3, "imagePullSecrets", list(map(vec![(1.0, "name", any_of(&["reg"]))]), 1)),
        (0.5, "serviceAccountName", any_of(&["mageai"])),
        (0.3, "securityContext", map(vec![(1.0, "fsGroup", any_of(&["2000"]))])),
    ])
}
