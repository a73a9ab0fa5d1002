//! What is printed of applied Jobs, as kubectl prints it.

use serde_json::{Value, json};

use super::send::Done;
use crate::cli::{ApplyOutput, DryRunChoice};
use crate::commands::entry::out;
use crate::commands::load::LoadedJob;
use crate::error::CliError;
use crate::job::Secrets;
use crate::ui::{Printer, manifest};

/// Prints Jobs as they are done, or together at the end.
pub(super) struct Teller {
    printer: Printer,
    output: Option<ApplyOutput>,
    dry_run: DryRunChoice,
    objects: Vec<Value>,
}

impl Teller {
    pub(super) fn new(
        printer: Printer,
        output: Option<ApplyOutput>,
        dry_run: DryRunChoice,
    ) -> Self {
        Self { printer, output, dry_run, objects: Vec::new() }
    }

    /// Tells what became of one Job.
    pub(super) fn tell(&mut self, loaded: &LoadedJob, done: &Done) -> Result<(), CliError> {
        let name = &loaded.job.name;
        match self.output {
            None => {
                let (word, end) = (done.became.as_str(), self.suffix());
                out(self.printer, &format!("job.batch/{name} {word}{end}\n"))
            }
            Some(ApplyOutput::Name) => out(self.printer, &format!("job.batch/{name}\n")),
            Some(ApplyOutput::Json | ApplyOutput::Yaml) => {
                let mut object = done.job.clone();
                Secrets::of(&loaded.job).mask(&mut object);
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    metadata.remove("managedFields");
                }
                self.objects.push(object);
                Ok(())
            }
        }
    }

    /// kubectl's words behind what was not done.
    fn suffix(&self) -> &'static str {
        match self.dry_run {
            DryRunChoice::None => "",
            DryRunChoice::Client => " (dry run)",
            DryRunChoice::Server => " (server dry run)",
        }
    }

    /// Prints what was kept: one object, or a List.
    pub(super) fn end(self) -> Result<(), CliError> {
        let mut objects = self.objects;
        let object = match objects.len() {
            0 => return Ok(()),
            1 => objects.remove(0),
            _ => json!({"apiVersion": "v1", "kind": "List", "items": objects, "metadata": {}}),
        };
        let text = match self.output {
            Some(ApplyOutput::Json) => manifest::json(&object),
            _ => manifest::yaml(&object),
        };
        out(self.printer, &text)
    }
}
