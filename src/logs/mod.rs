//! Reads a container's log to its end: resumes without loss or duplicates, and understands Mage's
//! lines.

mod batch;
mod keep;
mod mage;
mod notable;
mod resume;
mod stream;

pub use batch::{Batch, Line, Lines};
pub use keep::{KeepError, Keeper, LogFolder};
pub use mage::{Level, MageLine, is_drawn, last_error_line, parse_file_line, parse_line};
pub use notable::{FalseCondition, Listener, Notable};
pub use resume::{Admission, Cursor};
pub use stream::{Ask, End, Item, Source, follow};
