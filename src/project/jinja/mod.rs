//! Jinja as Mage uses it: the whole project file before it is YAML, and single values later.
//!
//! Mage renders with Jinja2 and its defaults (`jinja2.Template(text).render(**get_template_vars())`,
//! `mage_ai/data_preparation/shared/utils.py`); here minijinja does, taught to print as Python does.
//! Which value came from which line is known exactly: minijinja tells, for every part of its
//! output, the part of the template that gave it.

mod error;
mod filters;
mod python;
mod render;
mod text;
mod values;

pub use error::{TemplateError, TemplateErrorKind};
pub use render::{Rendered, UsedLookup, is_template, render, render_value};
pub use values::{Lookup, LookupKind, Missing, TemplateValues};

#[cfg(test)]
mod tests;
