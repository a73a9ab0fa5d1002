//! What a configuration says: layers, origins, keys in both spellings, the API's own types.

pub mod api;
pub mod check;
mod convert;
mod keys;
mod known;
mod layer;
mod origin;
mod settings;

pub(crate) use convert::below as setting_below;
pub use convert::{Convert, scalar_text};
pub use keys::{JobPath, Segment, camel_to_snake, nearest};
pub use known::{UnknownPath, check_path};
pub use layer::LayerKind;
pub use origin::{Origin, Source};
pub(crate) use settings::part_to_job;
pub use settings::{CONTAINER, Fragment, job_paths, setting_names, settings};
