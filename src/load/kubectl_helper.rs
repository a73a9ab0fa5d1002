//! `kubectl_complete-mage` on the PATH: krew puts a plugin there and nothing else.

use std::error::Error as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{CliError, Problem};

/// The file's name, by which kubectl looks for it.
const NAME: &str = "kubectl_complete-mage";
/// The plugin's file name.
const PLUGIN: &str = "kubectl-mage";

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    Written(PathBuf),
    /// It was there.
    Unchanged(PathBuf),
}

/// Puts the helper into a folder, or else beside the plugin on the PATH.
///
/// # Errors
///
/// No folder of the PATH has the plugin; something else has the name; the folder cannot be written to.
pub fn put_helper(folder: Option<&Path>, text: &str) -> Result<Put, CliError> {
    let path = match folder {
        Some(folder) => folder.to_owned(),
        None => beside_the_plugin()?,
    }
    .join(NAME);
    match std::fs::read_to_string(&path) {
        Ok(found) if found == text => return Ok(Put::Unchanged(path)),
        Ok(found) if !found.contains("kubectl-mage __complete") => {
            let problem = Problem::new(format!("{} is somebody else's", path.display()));
            let hint = format!(
                "remove it, or name another folder with --install=DIR, where {NAME} is to be"
            );
            return Err(CliError::usage(problem.hint(hint)));
        }
        _ => {}
    }
    write(&path, text).map_err(|error| {
        let why = match (error.kind(), error.source()) {
            (ErrorKind::NotFound | ErrorKind::NotADirectory, _) => "no such folder".to_owned(),
            // Without the name of the temporary file.
            (_, Some(source)) => source.to_string(),
            _ => error.to_string(),
        };
        let problem = Problem::new(format!("cannot write {}: {why}", path.display()));
        CliError::usage(problem.hint("name a folder on your PATH with --install=DIR"))
    })?;
    Ok(Put::Written(path))
}

/// Tells whether programs in this folder are found by their names.
#[must_use]
pub fn is_on_path(folder: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let real = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    std::env::split_paths(&path).any(|known| real(&known) == real(folder))
}

fn beside_the_plugin() -> Result<PathBuf, CliError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).find(|folder| folder.join(PLUGIN).is_file()).ok_or_else(|| {
        let problem = Problem::new(format!("no folder of the PATH has {PLUGIN}"));
        CliError::usage(problem.hint("name a folder on your PATH with --install=DIR"))
    })
}

/// Writes an executable file as a whole.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o755))?;
    }
    file.persist(path)?;
    Ok(())
}
