//! Reading files, with errors that name the file and the next step.

use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::cli::environment;
use crate::error::{CliError, Problem};
use crate::yaml::SourceFile;

/// The largest file that is read, in MiB; Mage's own are a thousand times smaller.
const LARGEST_MIB: u64 = 16;

/// Reads a file as text. One larger than 16 MiB is refused before it is read.
pub fn read(path: &Path) -> Result<String, CliError> {
    let failed = |why: String, hint: &str| {
        CliError::usage(Problem::new(format!("cannot read {}: {why}", path.display())).hint(hint))
    };
    let bytes = read_bytes(path).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => failed(
            format!("it is larger than {LARGEST_MIB} MiB"),
            "name the right file, or leave out what Mage does not read",
        ),
        ErrorKind::NotFound => failed("no such file".to_owned(), "check the path"),
        ErrorKind::PermissionDenied => {
            failed("permission denied".to_owned(), "make it readable for this user")
        }
        ErrorKind::IsADirectory => failed("it is a folder".to_owned(), "name a file in it"),
        _ => failed(error.to_string(), "check the path"),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        failed(format!("byte {offset} is not UTF-8"), "save it as UTF-8, as Mage reads it")
    })
}

fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let most = LARGEST_MIB << 20;
    let file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    if length > most {
        return Err(ErrorKind::FileTooLarge.into());
    }
    // What is no regular file, such as a pipe, has no length before it was read.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Returns an absolute path without `..` in it, so that it has a last name and can be told to be in a
/// folder. Links on the way are kept where leaving `..` out leads to the same place.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if !path.components().any(|part| part == Component::ParentDir) {
        return path;
    }
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    match std::fs::canonicalize(&path) {
        Ok(real) if std::fs::canonicalize(&plain).ok().as_ref() == Some(&real) => plain,
        Ok(real) => real,
        Err(_) => path,
    }
}

/// Reads a file under the name people know it by: relative to the project when inside it.
pub fn read_source(path: &Path, project: &Path) -> Result<Arc<SourceFile>, CliError> {
    let text = read(path)?;
    let absolute = absolute(path);
    let name = absolute.strip_prefix(project).unwrap_or(&absolute).display().to_string();
    Ok(Arc::new(SourceFile { name, text, path: Some(absolute) }))
}

/// Finds the project: the folder named, else `KUBECTL_MAGE_PROJECT`, else the nearest parent of the
/// working directory that holds `metadata.yaml` and `pipelines`. Returns an absolute path.
pub fn find_project(flag: Option<&Path>) -> Result<PathBuf, CliError> {
    let named = flag.map(|path| (path.to_owned(), "--project")).or_else(|| {
        std::env::var_os(environment::PROJECT).map(|path| (path.into(), environment::PROJECT))
    });
    if let Some((path, by)) = named {
        let path = absolute(&path);
        if path.join("metadata.yaml").exists() {
            return Ok(path);
        }
        let problem = Problem::new(format!("{} ({by}) holds no metadata.yaml", path.display()));
        return Err(CliError::usage(problem.hint("name the folder of a Mage project")));
    }
    let start = std::env::current_dir().map_err(|error| {
        let problem = Problem::new(format!("cannot tell the working directory: {error}"));
        CliError::usage(problem.hint("it may have been deleted: go to one that is there, `cd DIR`"))
    })?;
    start
        .ancestors()
        .find(|folder| folder.join("metadata.yaml").is_file() && !is_pipeline(folder))
        .map(Path::to_owned)
        .ok_or_else(|| {
            let message = format!("no Mage project in {} or a folder above it", start.display());
            CliError::usage(Problem::new(message).hint(
                "go to the folder that holds the project's metadata.yaml, or pass --project DIR",
            ))
        })
}

/// A pipeline's folder holds a `metadata.yaml` too; the project is further up.
fn is_pipeline(folder: &Path) -> bool {
    folder.ancestors().skip(1).any(|parent| {
        parent.ends_with("pipelines") && parent.with_file_name("metadata.yaml").is_file()
    })
}

/// Writes a file whole: next to its place first, then moved there, so that nobody reads half of it.
pub fn write_file(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error: &std::io::Error| {
        let problem = Problem::new(format!("cannot write {}: {error}", path.display()));
        CliError::usage(problem.hint("check the folder and its permissions"))
    };
    if !path.is_file() {
        // A device or a pipe, such as /dev/stderr, cannot be moved over.
        return std::fs::write(path, text).map_err(|error| failed(&error));
    }
    // Through a link, what it leads to is written.
    let target = std::fs::canonicalize(path).map_err(|error| failed(&error))?;
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = target.with_file_name(name);
    let written = std::fs::write(&beside, text)
        .and_then(|()| std::fs::metadata(&target))
        .and_then(|known| std::fs::set_permissions(&beside, known.permissions()))
        .and_then(|()| std::fs::rename(&beside, &target));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        failed(&error)
    })
}

/// Replaces the text of a file, unless somebody changed it since it was read.
pub fn replace_file(path: &Path, before: &str, after: &str) -> Result<(), CliError> {
    if read(path)? != before {
        let problem = Problem::new(format!("{} changed while it was read", path.display()));
        return Err(CliError::usage(problem.hint("run the command again")));
    }
    write_file(path, after)
}

/// Returns the folder that paths of a report count from: the root of the project's git checkout, else
/// the working directory where the project is in it, else the project.
#[must_use]
pub fn report_root(project: &Path) -> PathBuf {
    let checkout = project.ancestors().find(|folder| folder.join(".git").exists());
    let working = || std::env::current_dir().ok().filter(|folder| project.starts_with(folder));
    checkout.map(Path::to_owned).or_else(working).unwrap_or_else(|| project.to_owned())
}
