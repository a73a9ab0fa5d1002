//! Where a value came from, kept to the last step.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::layer::LayerKind;
use crate::yaml::{Node, Position, SourceFile, Span};

/// The place that gave a value.
#[derive(Clone, Debug)]
pub enum Source {
    /// A place in a file, or in a key of a ConfigMap read as one.
    File {
        /// The file.
        file: Arc<SourceFile>,
        /// Where in it.
        span: Span,
    },
    /// An environment variable.
    Env {
        /// Its name.
        name: Arc<str>,
        /// Who had it: `flag --server-env`, `pod mage-0, container mage`, `this process`.
        holder: Arc<str>,
    },
    /// A field of an object in the cluster, or of one read from a file.
    Object {
        /// `pod/NAME`.
        object: Arc<str>,
        /// The field in it.
        field: Arc<str>,
    },
    /// A flag of this command.
    Flag {
        /// As typed, `--image`.
        name: Arc<str>,
    },
    /// Built in.
    BuiltIn,
    /// The API server.
    Api,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, span } => {
                write!(f, "{}:{}:{}", file.name, span.start.line, span.start.column)
            }
            Self::Env { name, holder } => write!(f, "env {name} ({holder})"),
            Self::Object { object, field } => write!(f, "{object} {field}"),
            Self::Flag { name } => write!(f, "flag {name}"),
            Self::BuiltIn => f.write_str("built in"),
            Self::Api => f.write_str("API server"),
        }
    }
}

/// Where a value came from. Every value of a tree has one and many share theirs, so a clone costs a
/// count.
#[derive(Clone, Debug)]
pub struct Origin(Arc<Provenance>);

/// The layer, the place, and the setting in Mage's spelling.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// The layer.
    pub layer: LayerKind,
    /// The place.
    pub source: Source,
    /// The setting as Mage spells it, `resource_limits.cpu`; empty where Mage has no name for it.
    pub setting: Arc<str>,
    /// The template expression that gave the value, as written.
    pub expression: Option<Arc<str>>,
    /// Where an alias or a merge key brought the value in; the source is the anchor's content.
    pub alias: Option<Position>,
    /// A key on the way to the value as written, where that is not Mage's spelling: `nodeSelector`.
    pub spelled: Option<Arc<str>>,
}

impl Origin {
    /// Makes the origin of a value in a file.
    #[must_use]
    pub fn file(layer: LayerKind, file: &Arc<SourceFile>, node: &Node, setting: &str) -> Self {
        Self::spelled(layer, file, node, setting, None)
    }

    /// Makes the origin of a value in a file below a key that is written otherwise than Mage does.
    #[must_use]
    pub fn spelled(
        layer: LayerKind,
        file: &Arc<SourceFile>,
        node: &Node,
        setting: &str,
        spelled: Option<Arc<str>>,
    ) -> Self {
        Self(Arc::new(Provenance {
            layer,
            source: Source::File { file: Arc::clone(file), span: node.span },
            setting: Arc::from(setting),
            expression: node.expression.clone(),
            alias: node.alias.map(|span| span.start),
            spelled,
        }))
    }

    /// Makes the origin of a value that is built in.
    #[must_use]
    pub fn built_in(setting: &str) -> Self {
        Self::new(LayerKind::Hardcoded, Source::BuiltIn, setting)
    }

    /// Makes an origin from its parts.
    #[must_use]
    pub fn new(layer: LayerKind, source: Source, setting: &str) -> Self {
        Self(Arc::new(Provenance {
            layer,
            source,
            setting: Arc::from(setting),
            expression: None,
            alias: None,
            spelled: None,
        }))
    }

    /// Returns the same with what the template says that gave the value.
    #[must_use]
    pub fn with_expression(self, expression: &str) -> Self {
        self.with(|provenance| provenance.expression = Some(expression.into()))
    }

    /// Returns the same for a setting that is named otherwise.
    #[must_use]
    pub fn with_setting(self, setting: &str) -> Self {
        self.with(|provenance| provenance.setting = setting.into())
    }

    fn with(mut self, change: impl FnOnce(&mut Provenance)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl Deref for Origin {
    type Target = Provenance;

    fn deref(&self) -> &Provenance {
        &self.0
    }
}
