//! What a template can look up, supplied by the caller.

use std::collections::BTreeMap;
use std::fmt;

/// The values that a template can look up, and what to do where one is missing.
///
/// Mage reads its own environment, database and cloud accounts; nothing here does. Clone it freely
/// behind an `Arc`.
#[derive(Clone, Debug, Default)]
pub struct TemplateValues {
    /// For `env_var('NAME')`: the environment of the Mage server.
    pub env: BTreeMap<String, String>,
    /// For `variables('name')`: the variables of the run.
    ///
    /// Mage has them for `namespace` only and fails in the project file; here they are found in
    /// both, which is what such a text means.
    pub variables: BTreeMap<String, serde_json::Value>,
    /// For `mage_secret_var('name')`, `aws_secret_var('name')` and so on, by that name.
    pub secrets: BTreeMap<String, String>,
    /// What becomes of an environment variable or a variable that is not set and is printed.
    pub unset: Missing,
    /// What becomes of a secret that was not supplied and is printed.
    pub missing_secret: Missing,
}

/// What to print for a value that is not there. (In a condition it is `None`, as in Mage.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// An error with the place. (Mage prints the word `None`.)
    #[default]
    Error,
    /// Nothing.
    Empty,
    /// `<env_var NAME>`: a text that a reader takes for what it is.
    Placeholder,
}

/// What kind of value a template asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookupKind {
    /// `env_var`.
    Env,
    /// `variables`.
    Variable,
    /// `mage_secret_var`.
    MageSecret,
    /// `aws_secret_var`.
    AwsSecret,
    /// `azure_secret_var`.
    AzureSecret,
    /// `doppler_secret_var`.
    DopplerSecret,
}

impl LookupKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Env,
        Self::Variable,
        Self::MageSecret,
        Self::AwsSecret,
        Self::AzureSecret,
        Self::DopplerSecret,
    ];

    /// Returns the function's name in a template.
    #[must_use]
    pub fn function(self) -> &'static str {
        match self {
            Self::Env => "env_var",
            Self::Variable => "variables",
            Self::MageSecret => "mage_secret_var",
            Self::AwsSecret => "aws_secret_var",
            Self::AzureSecret => "azure_secret_var",
            Self::DopplerSecret => "doppler_secret_var",
        }
    }

    /// Tells whether its value is to be masked.
    #[must_use]
    pub fn is_secret(self) -> bool {
        match self {
            Self::Env | Self::Variable => false,
            Self::MageSecret | Self::AwsSecret | Self::AzureSecret | Self::DopplerSecret => true,
        }
    }
}

/// A value that a template asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    /// By which function.
    pub kind: LookupKind,
    /// The name.
    pub name: String,
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            LookupKind::Env => "environment variable",
            LookupKind::Variable => "variable",
            LookupKind::MageSecret => "Mage secret",
            LookupKind::AwsSecret => "AWS secret",
            LookupKind::AzureSecret => "Azure secret",
            LookupKind::DopplerSecret => "Doppler secret",
        };
        write!(f, "{what} '{}'", self.name)
    }
}

impl Lookup {
    /// Returns what is printed instead of a missing value.
    pub(super) fn placeholder(&self) -> String {
        // Without characters that mean something in YAML.
        let name = |c: char| if c.is_alphanumeric() || "_-./".contains(c) { c } else { '_' };
        let name: String = self.name.chars().map(name).collect();
        format!("<{} {name}>", self.kind.function())
    }
}

impl TemplateValues {
    /// Returns what to do where the value of `lookup` is missing.
    #[must_use]
    pub fn missing(&self, kind: LookupKind) -> Missing {
        if kind.is_secret() { self.missing_secret } else { self.unset }
    }
}
