//! A project as it was at a git revision, read from git's objects: the working tree is not touched.
//!
//! Only what configuration is read from is taken: `metadata.yaml`, `requirements.txt` and the pipelines'
//! files. Links are followed inside of the revision, never out of it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use super::git::git;
use super::private_folder::private_folder;
use crate::error::{CliError, Problem};
use crate::shell::quoted;

/// The largest file that is taken, in bytes, as for files of the working tree.
const LARGEST: usize = 16 << 20;

/// A project as it was.
#[derive(Debug)]
pub struct ProjectAt {
    /// The commit's full name.
    pub commit: String,
    /// The project's folder, under the name that it has in the working tree.
    pub project: PathBuf,
    /// Whether the project was there.
    pub is_there: bool,
    /// Other files, by the paths that were asked for; what is missing was not in the revision.
    pub others: BTreeMap<PathBuf, PathBuf>,
    /// What was left out, and why.
    pub notices: Vec<String>,
    /// Ends with the value. Only its owner may look inside.
    _folder: TempDir,
}

/// Reads the project at a revision, and other files of the same repository.
pub fn project_at(
    project: &Path,
    revision: &str,
    others: &[PathBuf],
) -> Result<ProjectAt, CliError> {
    let git = Git { folder: project, revision };
    let top = git.top()?;
    let commit = git.commit()?;
    let prefix = git.said(&["rev-parse", "--show-prefix"])?;
    let folder = private_folder("kubectl-mage-")?;
    let name = project.file_name().unwrap_or_else(|| "project".as_ref());
    let mut at = ProjectAt {
        project: folder.path().join(name),
        is_there: false,
        others: BTreeMap::new(),
        notices: Vec::new(),
        commit,
        _folder: folder,
    };
    let pipelines = git.pipelines(&at.commit, &prefix, &mut at.notices)?;
    let mut wanted: Vec<(String, PathBuf)> = Vec::new();
    for file in ["metadata.yaml", "requirements.txt"] {
        wanted.push((format!("{prefix}{file}"), at.project.join(file)));
    }
    for pipeline in &pipelines {
        let file = Path::new("pipelines").join(pipeline).join("metadata.yaml");
        let source = format!("{prefix}pipelines/{pipeline}/metadata.yaml");
        wanted.push((source, at.project.join(file)));
    }
    for (index, other) in others.iter().enumerate() {
        let Some(inside) = inside(&top, other) else { continue };
        let end = other.file_name().unwrap_or_default();
        let target = at.project.with_file_name(format!("other-{index}")).join(end);
        at.others.insert(other.clone(), target.clone());
        wanted.push((inside, target));
    }
    git.extract(&mut at, &wanted)?;
    at.is_there = at.project.join("metadata.yaml").is_file();
    at.others.retain(|_, target| target.is_file());
    Ok(at)
}

/// Lists what the revisions of the project's repository are called: `HEAD`, branches and tags. None
/// where git cannot tell.
#[must_use]
pub fn revision_names(project: &Path) -> Vec<String> {
    let git = Git { folder: project, revision: "" };
    let every = ["refs/heads", "refs/tags", "refs/remotes"];
    match git.said(&[&["for-each-ref", "--format=%(refname:short)"], &every[..]].concat()) {
        Ok(said) => ["HEAD"].into_iter().chain(said.lines()).map(str::to_owned).collect(),
        Err(_) => Vec::new(),
    }
}

/// Returns the folder that git does not read because it is of another user.
fn disowned(why: &str) -> Option<&str> {
    let (_, folder) = why.split_once("dubious ownership in repository at '")?;
    folder.strip_suffix('\'')
}

/// Returns a path below the top of the repository, as git writes it.
fn inside(top: &Path, path: &Path) -> Option<String> {
    let absolute = std::path::absolute(path).ok()?;
    let folder = absolute.parent()?.canonicalize().ok()?;
    let below = folder.join(absolute.file_name()?);
    let below = below.strip_prefix(top).ok()?;
    let parts = below.components().map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

/// git, asked about one revision.
struct Git<'a> {
    folder: &'a Path,
    revision: &'a str,
}

impl Git<'_> {
    /// Runs git, with text on its stdin; returns what it wrote, or what it said against it.
    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Result<Vec<u8>, String>, CliError> {
        let started = git(self.folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.map_err(|error| {
            let problem = Problem::new(format!("cannot run git: {error}"));
            CliError::usage(
                problem.hint("install git, which `--against rev:` reads revisions with"),
            )
        })?;
        let mut stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            scope.spawn(move || {
                // git may have ended without reading it.
                let _ = stdin.as_mut().map(|stdin| stdin.write_all(input));
            });
            child.wait_with_output()
        });
        let output = output.map_err(|error| {
            CliError::usage(Problem::new(format!("cannot read what git says: {error}")))
        })?;
        if output.status.success() {
            return Ok(Ok(output.stdout));
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut lines =
            said.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("warning: "));
        let first = lines.next().unwrap_or("it says nothing");
        Ok(Err(first.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()))
    }

    /// Returns the line that git must be able to say.
    fn said(&self, arguments: &[&str]) -> Result<String, CliError> {
        let said = self.run(arguments, b"")?.map_err(|why| self.failed(&why))?;
        let text = String::from_utf8(said).map_err(|_| self.failed("a path is not UTF-8"))?;
        Ok(text.trim_end_matches('\n').to_owned())
    }

    fn failed(&self, why: &str) -> CliError {
        let message = format!("cannot read revision `{}`: git says: {why}", self.revision);
        CliError::usage(Problem::new(message).hint(if why.contains("promisor remote") {
            let folder = self.folder.display().to_string();
            format!(
                "the clone is partial; this gets what it lacks: `git -C {} archive {} >/dev/null`",
                quoted(&folder),
                quoted(self.revision)
            )
        } else {
            "see whether `git log` works in the project".to_owned()
        }))
    }

    /// Returns the top of the repository that the project is in.
    fn top(&self) -> Result<PathBuf, CliError> {
        let said = self.run(&["rev-parse", "--show-toplevel"], b"")?.map_err(|why| {
            let folder = self.folder.display();
            let problem = Problem::new(format!("{folder} cannot be read as a git checkout: {why}"));
            CliError::usage(problem.hint(match disowned(&why) {
                Some(top) => format!(
                    "if you trust what is in it: `git config --global --add safe.directory {}`",
                    quoted(top)
                ),
                None => "`--against rev:` compares with a revision of the project".to_owned(),
            }))
        })?;
        let text = String::from_utf8_lossy(&said).into_owned();
        Ok(PathBuf::from(text.trim_end_matches('\n')))
    }

    /// Returns the commit that the revision names.
    fn commit(&self) -> Result<String, CliError> {
        let wanted = format!("{}^{{commit}}", self.revision);
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted];
        if let Ok(commit) = self.run(&arguments, b"")? {
            return Ok(String::from_utf8_lossy(&commit).trim().to_owned());
        }
        let folder = self.folder.display();
        let problem =
            Problem::new(format!("the git checkout {folder} has no commit `{}`", self.revision));
        let shallow = self.said(&["rev-parse", "--is-shallow-repository"])?;
        Err(CliError::usage(if shallow == "true" {
            problem.hint(
                "the clone is shallow and has only the newest commits: `git fetch --unshallow`, or in CI check out with a depth of 0",
            )
        } else {
            problem.hint("name a branch, a tag or a commit; `git fetch` gets those of the remote")
        }))
    }

    /// Lists the folders of pipelines.
    fn pipelines(
        &self,
        commit: &str,
        prefix: &str,
        notices: &mut Vec<String>,
    ) -> Result<Vec<String>, CliError> {
        let path = format!("{commit}:{prefix}pipelines\n");
        let check = ["cat-file", "--batch-check", "--follow-symlinks"];
        let found = self.run(&check, path.as_bytes())?.map_err(|why| self.failed(&why))?;
        let found = String::from_utf8_lossy(&found).into_owned();
        let Some((tree, _)) = found.split_once(" tree ") else {
            if found.starts_with("symlink ") {
                notices.push(self.outside(&format!("{prefix}pipelines")));
            }
            return Ok(Vec::new());
        };
        let listed = self
            .run(&["ls-tree", "--full-tree", "-z", tree], b"")?
            .map_err(|why| self.failed(&why))?;
        let mut names = Vec::new();
        for entry in String::from_utf8_lossy(&listed).split('\0') {
            let Some((about, name)) = entry.split_once('\t') else { continue };
            if about.contains(" commit ") {
                notices.push(format!(
                    "pipelines/{name} is a submodule, of which revision {} has no files: it is left out",
                    self.revision
                ));
            } else if is_name(name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn outside(&self, path: &str) -> String {
        format!(
            "{path} is a link out of revision {}, which is not followed: it is left out",
            self.revision
        )
    }

    /// Writes files of the revision to their places.
    fn extract(&self, at: &mut ProjectAt, wanted: &[(String, PathBuf)]) -> Result<(), CliError> {
        let paths = wanted.iter().flat_map(|(path, _)| [at.commit.as_str(), ":", path, "\n"]);
        let input: String = paths.collect();
        let arguments = ["cat-file", "--batch", "--follow-symlinks"];
        let output = self.run(&arguments, input.as_bytes())?.map_err(|why| self.failed(&why))?;
        let mut rest = output.as_slice();
        let mut missing: Vec<&str> = Vec::new();
        for (path, target) in wanted {
            match next_object(&mut rest) {
                Some(Object::File(content)) if content.len() > LARGEST => {
                    let message =
                        format!("{path} of revision {} is larger than 16 MiB", self.revision);
                    return Err(CliError::usage(Problem::new(message)));
                }
                Some(Object::File(content)) => write(target, content)?,
                Some(Object::Outside) => at.notices.push(self.outside(path)),
                Some(Object::Missing) => missing.push(path),
                None => return Err(self.failed(&format!("{path} cannot be read"))),
            }
        }
        missing.chunks(500).try_for_each(|paths| self.refuse_lost(&at.commit, paths))
    }

    /// Refuses files that are in the revision, but whose content a partial clone does not have: git
    /// says no more of them than of files that are not in it.
    fn refuse_lost(&self, commit: &str, paths: &[&str]) -> Result<(), CliError> {
        let mut arguments =
            vec!["--literal-pathspecs", "ls-tree", "--full-tree", "-z", commit, "--"];
        arguments.extend(paths);
        let listed = self.run(&arguments, b"")?.map_err(|why| self.failed(&why))?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let lost = listed.split('\0').find_map(|entry| entry.strip_prefix("100")?.split_once('\t'));
        match lost {
            Some((_, path)) => {
                Err(self.failed(&format!("{path} is to be fetched from a promisor remote")))
            }
            None => Ok(()),
        }
    }
}

/// Tells whether a name of a tree, which anybody may have made, is one of a folder below it, and one
/// that a line can hold.
fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\n', '\u{fffd}'])
}

fn write(target: &Path, content: &[u8]) -> Result<(), CliError> {
    let written = target.parent().map_or(Ok(()), std::fs::create_dir_all);
    written.and_then(|()| std::fs::write(target, content)).map_err(|error| {
        let message = format!("cannot write {}: {error}", target.display());
        CliError::usage(Problem::new(message).hint("see whether the temporary folder has room"))
    })
}

/// What `git cat-file --batch` says of a path.
enum Object<'a> {
    File(&'a [u8]),
    /// A link that leads out of the revision.
    Outside,
    /// Nothing, a folder, or a link that leads nowhere.
    Missing,
}

/// Takes the next object off: a header, and behind it what it announces.
fn next_object<'a>(rest: &mut &'a [u8]) -> Option<Object<'a>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let header = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 1..];
    let mut take = |length: &str| {
        let length: usize = length.parse().ok()?;
        let content = rest.get(..length)?;
        *rest = rest.get(length + 1..)?;
        Some(content)
    };
    let words: Vec<&str> = header.split(' ').collect();
    Some(match words.as_slice() {
        [_, "blob", length] => Object::File(take(length)?),
        ["symlink", length] => {
            take(length)?;
            Object::Outside
        }
        ["dangling" | "loop" | "notdir", length] | [_, "tree" | "commit" | "tag", length] => {
            take(length)?;
            Object::Missing
        }
        // `PATH missing`, whatever blanks are in the path.
        [.., "missing"] => Object::Missing,
        _ => return None,
    })
}
