//! The folders in which this user saved logs: a file for each in the folder of the user's state.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::whole::write_whole_privately;
use crate::cluster::label_value;

/// The list of folders.
#[derive(Clone, Debug)]
pub struct SavedFolders {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    folder: PathBuf,
}

impl SavedFolders {
    /// Finds the list; none where the user has no home.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        let state = dirs::state_dir().or_else(dirs::data_local_dir)?;
        Some(Self::at(&state.join("kubectl-mage")))
    }

    fn at(state: &Path) -> Self {
        Self { path: state.join("saved-logs") }
    }

    /// Enters a folder.
    pub fn remember(&self, folder: &Path) -> io::Result<()> {
        let folder = folder.canonicalize()?;
        let path = self.path.join(format!("{}.json", label_value(&folder.to_string_lossy())));
        let text = serde_json::to_string(&Entry { folder }).map_err(io::Error::other)?;
        self.make()?;
        write_whole_privately(&path, &format!("{text}\n"))
    }

    /// Makes the list's folder, which only its owner may look into.
    fn make(&self) -> io::Result<()> {
        let parent = self.path.parent().unwrap_or(&self.path);
        std::fs::create_dir_all(parent)?;
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&self.path)?;
        // An earlier version made it for everybody.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    /// Returns the folders that are there, and forgets those that are gone.
    #[must_use]
    pub fn known(&self) -> Vec<PathBuf> {
        let mut known = Vec::new();
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let text = std::fs::read(entry.path()).unwrap_or_default();
            let Ok(Entry { folder }) = serde_json::from_slice(&text) else { continue };
            match folder.metadata() {
                Ok(about) if about.is_dir() => known.push(folder),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    // What cannot be forgotten now is forgotten another time.
                    let _ = std::fs::remove_file(entry.path());
                }
                _ => {}
            }
        }
        known.sort();
        known
    }
}

#[cfg(test)]
mod tests {
    use super::SavedFolders;
    use std::fs;

    #[test]
    fn folders_are_remembered_until_they_are_gone() {
        let home = tempfile::tempdir().unwrap();
        let folders = SavedFolders::at(&home.path().join("state"));
        assert!(folders.known().is_empty());
        let [one, two] = ["one", "two"].map(|name| home.path().join(name));
        for folder in [&one, &two, &one] {
            fs::create_dir_all(folder).unwrap();
            folders.remember(folder).unwrap();
        }
        fs::write(folders.path.join("other.json"), r#"{"what": "another version wrote"}"#).unwrap();
        assert_eq!(folders.known(), [one.canonicalize().unwrap(), two.canonicalize().unwrap()]);
        fs::remove_dir(&one).unwrap();
        assert_eq!(folders.known(), [two.canonicalize().unwrap()]);
        assert_eq!(fs::read_dir(&folders.path).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_list() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let folders = SavedFolders::at(home.path());
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        folders.remember(home.path()).unwrap();
        let file = fs::read_dir(&folders.path).unwrap().next().unwrap().unwrap().path();
        assert_eq!((mode(&folders.path), mode(&file)), (0o700, 0o600));
        // What an earlier version made becomes so, too.
        for (path, mode) in [(&folders.path, 0o755), (&file, 0o644)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        folders.remember(home.path()).unwrap();
        assert_eq!((mode(&folders.path), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("saved-logs"), "").unwrap();
        assert!(SavedFolders::at(home.path()).remember(home.path()).is_err());
        assert!(SavedFolders::at(home.path()).known().is_empty());
    }
}
