//! The last words of a program that found a defect in itself.

use std::io::{self, Write};

/// Ends the program where a part of it panics: what is left of it would go on with production's credentials,
/// and a core dump would hold them.
pub(crate) fn end_at_a_defect() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        // Nobody is left to tell where stderr cannot be written either.
        let _ = writeln!(
            io::stderr(),
            "This is a defect of kubectl-mage: please report it with the lines above. What it began in the cluster goes on."
        );
        #[expect(clippy::exit, reason = "no other end comes before the core dump")]
        std::process::exit(101);
    }));
}
