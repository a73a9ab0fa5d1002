//! Files that are written whole, at once: whoever reads one sees the old or the new, never a part.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Finds out whether a file could be written, and leaves nothing behind.
pub fn can_write_whole(path: &Path) -> io::Result<()> {
    let target = target(path)?;
    if target.exists() && !target.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    beside(&target, Readers::AsBefore)?.close()
}

/// Writes a file. Through a link, what it leads to is written.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    write(path, text, Readers::AsBefore)
}

/// The same for a file that only its owner may read.
pub(super) fn write_whole_privately(path: &Path, text: &str) -> io::Result<()> {
    write(path, text, Readers::Owner)
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// Its owner.
    Owner,
    /// Whoever could, or those whom the umask says.
    AsBefore,
}

fn write(path: &Path, text: &str, readers: Readers) -> io::Result<()> {
    let target = target(path)?;
    let mut file = beside(&target, readers)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&target)?;
    Ok(())
}

fn target(path: &Path) -> io::Result<PathBuf> {
    if path.exists() { path.canonicalize() } else { Ok(path.to_owned()) }
}

/// Makes a file in the same folder, with the rights that the file is to have.
fn beside(target: &Path, readers: Readers) -> io::Result<NamedTempFile> {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = Builder::new();
    builder.prefix(".kubectl-mage-").suffix(".tmp");
    if readers == Readers::Owner {
        // So is every temporary file.
        return builder.tempfile_in(folder);
    }
    let known = std::fs::metadata(target).map(|about| about.permissions());
    #[cfg(unix)]
    let known = known.or_else(|_| {
        use std::os::unix::fs::PermissionsExt as _;
        io::Result::Ok(std::fs::Permissions::from_mode(0o666))
    });
    if let Ok(known) = known {
        builder.permissions(known);
    }
    builder.tempfile_in(folder)
}
