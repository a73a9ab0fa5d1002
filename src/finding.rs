//! What can be wrong or doubtful: an id for each, and how bad it is. `lint` has a page on every one.

use crate::error::Problem;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// No Job can be made, or Mage or the API server refuses it.
    Error,
}

impl Severity {
    /// Returns the name people see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something wrong or doubtful that was found on the way.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What, where and the next step.
    pub problem: Problem,
}

impl Finding {
    /// Makes a note.
    #[must_use]
    pub fn note(problem: Problem) -> Self {
        Self { severity: Severity::Note, problem }
    }

    /// Makes a warning.
    #[must_use]
    pub fn warning(problem: Problem) -> Self {
        Self { severity: Severity::Warning, problem }
    }

    /// Makes an error.
    #[must_use]
    pub fn error(problem: Problem) -> Self {
        Self { severity: Severity::Error, problem }
    }
}

macro_rules! finding_ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What was found; the same thing always has the same id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingId {
            $($(#[$doc])* $name,)*
        }

        impl FindingId {
            /// Every id, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

finding_ids! {
    /// A file that is no YAML, or none that `PyYAML` takes.
    YamlSyntax,
    /// A key that stands twice in a mapping.
    DuplicateKey,
    /// A Jinja template that cannot be rendered.
    Template,
    /// A template prints an environment variable or variable that is not set.
    UnsetVariable,
    /// A template prints a secret that was not supplied.
    SecretNotSupplied,
    /// A file that a setting names and that cannot be read.
    UnreadableFile,
    /// A text that YAML 1.1 takes for something else.
    YamlSurprise,
    /// An inline ignore that is malformed or that ignores nothing.
    UselessIgnore,

    /// A key that nothing reads.
    UnknownKey,
    /// A key that belongs elsewhere.
    MisplacedKey,
    /// A key that is probably another one misspelt.
    MisspeltKey,
    /// A value of the wrong type.
    WrongType,
    /// One key in both spellings with different values.
    TwoSpellings,
    /// Blanks at the ends of a name.
    BlanksInName,
    /// A text where a quantity is due.
    InvalidQuantity,
    /// A key that is read and has no effect.
    NoEffect,
    /// A value of another type than is due, which can only mean one thing.
    CoercedType,

    /// A pipeline that does not load.
    InvalidPipeline,
    /// Blocks that wait for each other.
    Cycle,
    /// An upstream block that does not exist.
    UnknownUpstream,
    /// A block whose source file does not exist.
    MissingBlockFile,
    /// An executor that Mage does not have.
    UnknownExecutor,
    /// Settings of the Kubernetes executor for a block that runs elsewhere.
    NotOnKubernetes,
    /// Child blocks that are made at run time.
    DynamicBlock,
    /// A pipeline in one process.
    OneProcess,
    /// Output of a block that the next pod cannot read.
    DataCannotPass,
    /// Conditionals and callbacks that run twice.
    RunsTwice,
    /// A limit of block runs that stops the pipeline.
    ConcurrencyZero,
    /// `executor_count` where it does nothing.
    ExecutorCount,

    /// A request over its limit.
    RequestOverLimit,
    /// A value over a guardrail.
    OverGuardrail,
    /// An extended resource requested without a limit.
    ExtendedWithoutLimit,
    /// A policy that overrides what a user set.
    PolicyConflict,
    /// A Job's name that had to be changed.
    JobName,
    /// A label that Kubernetes does not take.
    InvalidLabel,
    /// A namespace that cannot be one.
    InvalidNamespace,
    /// A namespace that only a run can tell.
    UnresolvedNamespace,
    /// No container image in any layer.
    NoImage,
    /// An image that may change under the same name.
    LatestImage,
    /// A container without requests.
    MissingRequests,
    /// A volume that nothing mounts.
    VolumeNotMounted,
    /// A mount of a volume that does not exist.
    MountWithoutVolume,
    /// A secret in plain text.
    PlainSecret,
    /// Environment defaults beside a layer that sets a part of the same group.
    DefaultsGroup,
    /// A Job that does not know where the project's requirements are.
    UserCodePath,
    /// Containers of the server pod that do not come along.
    ServerSidecars,
    /// `MAGE_CONTAINER_NAME` that names no container, or is missing where it is needed.
    ContainerName,
    /// A Mage server that looks for its own pod in the wrong namespace.
    ServerNamespace,
    /// A value that the API server would refuse.
    Refused,

    /// Mage OSS raises an error.
    OssFails,
    /// Mage OSS sends a Job that the API server refuses.
    OssRefused,
    /// A key that Mage OSS does not read.
    OssIgnoredKey,
    /// A top-level key that a higher layer replaces whole.
    OssReplacedKey,
    /// A namespace that `metadata` resets.
    OssNamespaceReset,
    /// `container.resources` that `resource_limits` replaces.
    OssResourcesReplaced,
    /// A variable whose value in the server's pod wins.
    OssServerEnv,
    /// A volume that is dropped.
    OssVolumeDropped,
    /// A layer that only Mage Pro reads.
    OssProOnly,
    /// A Job setting that Mage OSS defeats.
    OssDeadJobKey,
    /// `job` without `backoff_limit`.
    OssBackoffLimit,
    /// A project path that is torn apart at its blanks.
    OssRepoPath,
    /// A pipeline's own settings, which Mage OSS does not read for blocks.
    OssPipelineConfig,
    /// An empty value that Mage OSS takes for none.
    OssEmpty,
    /// A field that the two editions give different values.
    EditionsDiffer,

    /// A namespace that does not exist.
    NamespaceMissing,
    /// A service account that does not exist.
    ServiceAccountMissing,
    /// A claim that does not exist.
    ClaimMissing,
    /// A Secret that does not exist.
    SecretMissing,
    /// A ConfigMap that does not exist.
    ConfigMapMissing,
    /// A priority class that does not exist.
    PriorityClassMissing,
    /// Scheduling rules that no node fulfils.
    NoNodeMatches,
    /// More than the quota of the namespace.
    OverQuota,
    /// Outside the bounds of a LimitRange.
    OutsideLimitRange,
    /// A policy, template or variable that is newer than the server's pod.
    StalePolicy,
    /// Something that could not be checked.
    NotChecked,
}
