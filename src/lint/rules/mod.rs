//! One file a finding.

use crate::finding::FindingId;
use crate::lint::Rule;

pub use policy_conflict::policy_conflicts;

macro_rules! rules {
    ($($module:ident => $id:ident,)*) => {
        $(mod $module;)*

        /// Returns what is known of a finding.
        #[must_use]
        pub fn rule(id: FindingId) -> &'static Rule {
            match id {
                $(FindingId::$id => &$module::RULE,)*
            }
        }

        const ALL: &[&Rule] = &[$(&$module::RULE,)*];
    };
}

rules! {
    yaml_syntax => YamlSyntax,
    duplicate_key => DuplicateKey,
    template => Template,
    unset_variable => UnsetVariable,
    secret_not_supplied => SecretNotSupplied,
    unreadable_file => UnreadableFile,
    yaml_surprise => YamlSurprise,
    useless_ignore => UselessIgnore,
    unknown_key => UnknownKey,
    misplaced_key => MisplacedKey,
    misspelt_key => MisspeltKey,
    wrong_type => WrongType,
    two_spellings => TwoSpellings,
    blanks_in_name => BlanksInName,
    invalid_quantity => InvalidQuantity,
    no_effect => NoEffect,
    coerced_type => CoercedType,
    invalid_pipeline => InvalidPipeline,
    cycle => Cycle,
    unknown_upstream => UnknownUpstream,
    missing_block_file => MissingBlockFile,
    unknown_executor => UnknownExecutor,
    not_on_kubernetes => NotOnKubernetes,
    dynamic_block => DynamicBlock,
    one_process => OneProcess,
    data_cannot_pass => DataCannotPass,
    runs_twice => RunsTwice,
    concurrency_zero => ConcurrencyZero,
    executor_count => ExecutorCount,
    request_over_limit => RequestOverLimit,
    over_guardrail => OverGuardrail,
    extended_without_limit => ExtendedWithoutLimit,
    policy_conflict => PolicyConflict,
    job_name => JobName,
    invalid_label => InvalidLabel,
    invalid_namespace => InvalidNamespace,
    unresolved_namespace => UnresolvedNamespace,
    no_image => NoImage,
    latest_image => LatestImage,
    missing_requests => MissingRequests,
    volume_not_mounted => VolumeNotMounted,
    mount_without_volume => MountWithoutVolume,
    plain_secret => PlainSecret,
    defaults_group => DefaultsGroup,
    user_code_path => UserCodePath,
    server_sidecars => ServerSidecars,
    container_name => ContainerName,
    server_namespace => ServerNamespace,
    refused => Refused,
    oss_fails => OssFails,
    oss_refused => OssRefused,
    oss_ignored_key => OssIgnoredKey,
    oss_replaced_key => OssReplacedKey,
    oss_namespace_reset => OssNamespaceReset,
    oss_resources_replaced => OssResourcesReplaced,
    oss_server_env => OssServerEnv,
    oss_volume_dropped => OssVolumeDropped,
    oss_pro_only => OssProOnly,
    oss_dead_job_key => OssDeadJobKey,
    oss_backoff_limit => OssBackoffLimit,
    oss_repo_path => OssRepoPath,
    oss_pipeline_config => OssPipelineConfig,
    oss_empty => OssEmpty,
    editions_differ => EditionsDiffer,
    namespace_missing => NamespaceMissing,
    service_account_missing => ServiceAccountMissing,
    claim_missing => ClaimMissing,
    secret_missing => SecretMissing,
    config_map_missing => ConfigMapMissing,
    priority_class_missing => PriorityClassMissing,
    no_node_matches => NoNodeMatches,
    over_quota => OverQuota,
    outside_limit_range => OutsideLimitRange,
    stale_policy => StalePolicy,
    not_checked => NotChecked,
}

/// Returns every rule, in the order of their codes.
#[must_use]
pub fn all() -> &'static [&'static Rule] {
    ALL
}

/// Returns the rule of this code or name, `MAGE101` or `unknown-key`.
#[must_use]
pub fn rule_named(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(name) || rule.name == name)
}

/// The cluster of the examples: one small node, the namespace `default` with a quota and a LimitRange,
/// and nothing else.
const EXAMPLE_CLUSTER: &str = include_str!("example_cluster.json");
