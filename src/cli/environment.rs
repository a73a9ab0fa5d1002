//! Every environment variable this tool reads.

/// The Mage project, where `--project` is not given.
pub const PROJECT: &str = "KUBECTL_MAGE_PROJECT";

/// Set to anything but `0`, `false`, `no` or `off`: refuses every command that changes a cluster.
pub const READONLY: &str = "KUBECTL_MAGE_READONLY";

/// How much is said where neither `-v` nor `-q` is given: `debug` as by `-v`, `trace` as by `-v=6`;
/// `kubectl_mage=debug` works, too.
pub const RUST_LOG: &str = "RUST_LOG";

/// Set by this tool alone, in the pod of a run's driver: how many seconds old the run was when the
/// driver was made.
pub const DRIVER: &str = "KUBECTL_MAGE_DRIVER";

/// The program that shows a difference, and its flags, as for `kubectl diff`: it is given two folders
/// with a file for each Job. Of its flags only letters, digits, `-` and `=` are taken.
pub const EXTERNAL_DIFF: &str = "KUBECTL_EXTERNAL_DIFF";

/// Set to anything: no colours.
pub const NO_COLOR: &str = "NO_COLOR";

/// Whether a terminal is taken to have links: `0` for no, anything else for yes. Where it is not
/// set, what the terminal says of itself decides: `TERM`, `TERM_PROGRAM`, `VTE_VERSION` and the like.
pub const FORCE_HYPERLINK: &str = "FORCE_HYPERLINK";

/// The kubeconfig files, as for kubectl.
pub const KUBECONFIG: &str = "KUBECONFIG";

/// Variables of the Mage server that decide something about a Job, with their meaning. They are
/// looked for in `--server-env`, `--server-env-file`, the server pod's container, and last in this
/// process's environment.
pub const SERVER: [(&str, &str); 20] = [
    ("KUBE_NAMESPACE", "namespace of the Jobs where no layer names one"),
    ("K8S_CONFIG_FILE", "path of the full template"),
    ("K8S_DEFAULT_CONFIG_PATH", "path of the policy file"),
    ("MAGE_CONTAINER_NAME", "container of the server pod to inherit from"),
    ("MAGE_CLUSTER_UUID", "first part of every Job's name"),
    ("DEFAULT_EXECUTOR_TYPE", "executor where block and pipeline name none"),
    ("RUN_PIPELINE_IN_ONE_PROCESS", "default for pipelines"),
    ("K8S_EXECUTOR_DEFAULT_RESOURCE_REQUESTS_CPU", "default CPU request"),
    ("K8S_EXECUTOR_DEFAULT_RESOURCE_REQUESTS_MEMORY", "default memory request"),
    ("K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_CPU", "default CPU limit"),
    ("K8S_EXECUTOR_DEFAULT_RESOURCE_LIMITS_MEMORY", "default memory limit"),
    ("K8S_EXECUTOR_DEFAULT_SERVICE_ACCOUNT_NAME", "default service account"),
    ("K8S_EXECUTOR_MAX_RESOURCE_REQUESTS_CPU", "guardrail: highest CPU request"),
    ("K8S_EXECUTOR_MAX_RESOURCE_REQUESTS_MEMORY", "guardrail: highest memory request"),
    ("K8S_EXECUTOR_MAX_RESOURCE_LIMITS_CPU", "guardrail: highest CPU limit"),
    ("K8S_EXECUTOR_MAX_RESOURCE_LIMITS_MEMORY", "guardrail: highest memory limit"),
    ("ENV", "picks `overrides.<ENV>`"),
    ("CONCURRENCY_CONFIG_BLOCK_RUN_LIMIT", "default of `concurrency_config.block_run_limit`"),
    ("USER_CODE_PATH", "the project's path in the pod"),
    ("MAGE_DATA_DIR", "where blocks keep their output"),
];
