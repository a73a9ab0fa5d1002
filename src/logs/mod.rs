//! Reads a container's log to its end: resumes without loss or duplicates, and understands Mage's
//! lines.

mod keep;
mod mage;
mod resume;
mod stream;

pub use keep::{KeepError, Keeper, LogFolder};
pub use mage::{
    Level, MageLine, condition_false, is_drawn, last_error_line, parse_file_line, parse_line,
};
pub use resume::{Admission, Cursor};
pub use stream::{Ask, End, Item, Source, follow};
