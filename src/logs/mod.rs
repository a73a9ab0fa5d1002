//! Reads a container's log to its end: resumes without loss or duplicates, and understands Mage's
//! lines.

mod batch;
mod filter;
mod index;
mod keep;
mod kept;
mod lines;
mod mage;
mod notable;
mod order;
mod patience;
mod pending;
mod pod_log;
mod record;
mod reread;
mod resume;
mod saved;
mod shown;
mod source;
mod stream;
mod trail;

pub use batch::{Batch, Line, Lines};
pub use filter::{Filter, PatternError};
pub use keep::{KeepError, Keeper, LogEnd, LogFolder};
pub use mage::{
    Level, MageLine, begins_traceback, is_drawn, is_of_frames, last_error_line, parse_file_line,
    parse_line,
};
pub use notable::{FalseCondition, Listener, Notable};
pub use order::Order;
pub(crate) use order::{Turn, Turns};
pub(crate) use pending::Pending;
pub use pod_log::PodLog;
pub(crate) use record::Unit;
pub use reread::{RereadError, reread};
pub use resume::{Admission, Cursor};
pub use saved::{Extent, Gone, LogOf, SavedLog, best_of_each};
pub(crate) use shown::{Piece, Show, Shown};
pub use source::{Ask, End, FirstRun, Gap, Item, Part, Source, Until};
pub use stream::follow;
