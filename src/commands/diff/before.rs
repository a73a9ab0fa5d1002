//! The old side of a comparison of files: the project, but for the one thing that is another.

use std::path::PathBuf;

use crate::cli::{Against, ConfigArgs, DiffArgs, NameValue};
use crate::error::CliError;
use crate::load::{ProjectAt, project_at};
use crate::ui::Printer;

/// What the old side is read with.
pub(super) struct Before {
    pub(super) config: ConfigArgs,
    /// Whether a cluster, or a snapshot in its stead, is asked anew for it.
    pub(super) asks_anew: bool,
    /// The project at a revision, while it is read.
    pub(super) at: Option<ProjectAt>,
}

impl Before {
    /// Finds out what the old side is.
    pub(super) fn of(
        args: &DiffArgs,
        project: &std::path::Path,
        printer: Printer,
    ) -> Result<Self, CliError> {
        let mut before = Self { config: args.config.clone(), asks_anew: false, at: None };
        match &args.against {
            Against::Revision(revision) => before.turn_back(project, revision, printer)?,
            Against::Edition(edition) => before.config.edition = *edition,
            Against::Environment(name) => {
                let pair = NameValue { name: "ENV".to_owned(), value: name.clone() };
                // The last of a name is the one in force.
                before.config.server_env.push(pair);
            }
            Against::Snapshot(file) => {
                before.config.snapshot = Some(file.clone());
                before.asks_anew = true;
            }
            Against::Live | Against::Run(_) => {}
        }
        Ok(before)
    }

    /// Takes the project, and the files of the same repository that flags name, as they were.
    fn turn_back(
        &mut self,
        project: &std::path::Path,
        revision: &str,
        printer: Printer,
    ) -> Result<(), CliError> {
        let config = &mut self.config;
        let files = [&mut config.template, &mut config.policy, &mut config.server_env_file];
        let named: Vec<PathBuf> = files.iter().filter_map(|file| (**file).clone()).collect();
        let at = project_at(project, revision, &named)?;
        for file in files.into_iter().flatten() {
            match at.others.get(file) {
                Some(then) => file.clone_from(then),
                None => printer.detail(&format!(
                    "{} is not in revision {revision}: both sides read the file that is there now",
                    file.display()
                )),
            }
        }
        for notice in &at.notices {
            printer.notice(notice);
        }
        let commit: String = at.commit.chars().take(12).collect();
        printer.detail(&format!("revision {revision} is commit {commit}"));
        config.project = Some(at.project.clone());
        self.at = Some(at);
        Ok(())
    }

    /// Tells whether the project is there at all.
    pub(super) fn has_project(&self) -> bool {
        self.at.as_ref().is_none_or(|at| at.is_there)
    }
}
