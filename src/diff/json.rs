//! `diff -o json`.

use serde_json::{Map, Value as Json, json};

use super::change::{Applies, Change, Leaf, Verdict};
use super::summary::{JobDiff, Report, Summary};
use crate::explain::source_json;

/// Returns the documented object.
#[must_use]
pub fn diff_json(report: &Report) -> Json {
    json!({
        "against": report.against,
        "summary": summary(&report.summary),
        "jobs": report.jobs.iter().map(job).collect::<Vec<_>>(),
    })
}

fn summary(summary: &Summary) -> Json {
    let amounts = |(name, (before, after)): (&String, &(_, _))| {
        (name.clone(), json!({"before": amount(*before), "after": amount(*after)}))
    };
    let peak: Map<String, Json> = summary.peak.iter().map(amounts).collect();
    json!({
        "text": summary.sentence(),
        "blocks": summary.blocks,
        "changed": summary.changed(),
        "unchanged": summary.of(Verdict::Unchanged),
        "inPlace": summary.of(Verdict::InPlace),
        "needReplace": summary.of(Verdict::Replace),
        "new": summary.of(Verdict::New),
        "gone": summary.of(Verdict::Gone),
        "peak": peak,
        "overQuota": summary.over_quota,
        "peakOverQuota": summary.peak_over_quota,
    })
}

fn amount(quantity: crate::job::Quantity) -> String {
    quantity.to_string()
}

fn job(diff: &JobDiff) -> Json {
    let verdict = diff.difference.verdict;
    json!({
        "pipeline": diff.pipeline,
        "block": diff.block,
        "job": {"namespace": diff.namespace, "name": diff.name},
        "verdict": verdict.as_str(),
        "decidedBy": diff.decided_by,
        "changes": diff.difference.changes.iter().map(|one| change(one, verdict)).collect::<Vec<_>>(),
    })
}

fn change(change: &Change, verdict: Verdict) -> Json {
    // What becomes of a Job as a whole becomes of every field of it.
    let stays = !matches!(verdict, Verdict::New | Verdict::Gone);
    let side = |leaf: Option<&Leaf>, value: Option<Json>| {
        let Some(leaf) = leaf else { return Json::Null };
        let origin = leaf.origin.as_ref();
        let setting = origin.map(|origin| origin.setting.to_string()).filter(|s| !s.is_empty());
        json!({
            "jobPath": leaf.path.to_string(),
            "value": value,
            "path": setting,
            "layer": origin.map(|origin| origin.layer.name()),
            "source": origin.map(|origin| source_json(&origin.source)),
        })
    };
    json!({
        "field": change.label,
        "applies": stays.then(|| change.applies.as_str()),
        "redacted": change.secret,
        "before": side(change.old.as_ref(), change.before()),
        "after": side(change.new.as_ref(), change.after()),
    })
}

/// Returns the JSON Schema of the object, as `docs/schemas/diff.schema.json` holds it.
#[must_use]
pub fn diff_schema() -> Json {
    let count = |of: &str| json!({"type": "integer", "minimum": 0, "description": of});
    let names = |of: &str| json!({"type": "array", "items": {"type": "string"}, "description": of});
    let maybe = |of: &str| json!({"type": ["string", "null"], "description": of});
    let verdicts = Verdict::ALL.map(Verdict::as_str);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kubectl mage diff -o json",
        "description": "How Jobs differ. New members may be added.",
        "type": "object",
        "required": ["against", "summary", "jobs"],
        "properties": {
            "against": {"type": "string", "description": "What the project was compared with, as `--against` takes it; `job/NAME` for a Job of the cluster."},
            "summary": {
                "type": "object",
                "required": ["text", "blocks", "changed", "unchanged", "inPlace", "needReplace", "new", "gone", "peak", "overQuota", "peakOverQuota"],
                "properties": {
                    "text": {"type": "string", "description": "All of it in one sentence."},
                    "blocks": count("How many blocks either side has."),
                    "changed": count("How many of them differ."),
                    "unchanged": count("How many do not."),
                    "inPlace": count("How many differ only in what can be changed while the Job is there."),
                    "needReplace": count("How many differ in what cannot."),
                    "new": count("How many only the new side has."),
                    "gone": count("How many only the old side has."),
                    "peak": {
                        "type": "object",
                        "description": "By resource: the most that the pipelines ask for, each under its own limit of blocks at once, all together. Empty where only some blocks were compared.",
                        "additionalProperties": {
                            "type": "object",
                            "required": ["before", "after"],
                            "properties": {"before": {"type": "string"}, "after": {"type": "string"}},
                        },
                    },
                    "overQuota": names("Blocks whose pod now asks for more than a whole quota has, and did not before."),
                    "peakOverQuota": names("Pipelines whose blocks together now do, so that some have to wait."),
                },
            },
            "jobs": {
                "type": "array",
                "description": "The Jobs that differ, in order.",
                "items": {"$ref": "#/$defs/job"},
            },
        },
        "$defs": {
            "job": {
                "type": "object",
                "required": ["pipeline", "block", "job", "verdict", "decidedBy", "changes"],
                "properties": {
                    "pipeline": {"type": "string"},
                    "block": maybe("The block run's uuid; null for a whole pipeline in one pod."),
                    "job": {
                        "type": "object",
                        "required": ["namespace", "name"],
                        "properties": {"namespace": {"type": "string"}, "name": {"type": "string"}},
                    },
                    "verdict": {"enum": verdicts},
                    "decidedBy": {"enum": ["server", "documentation"], "description": "Who says which changes can be made in place: the API server, asked about this change, or what the API documents."},
                    "changes": {"type": "array", "items": {"$ref": "#/$defs/change"}},
                },
            },
            "change": {
                "type": "object",
                "required": ["field", "applies", "redacted", "before", "after"],
                "properties": {
                    "field": {"type": "string", "description": "The place in the Job, with the names of items in the place of their numbers."},
                    "applies": {"enum": [Applies::InPlace.as_str(), Applies::Replace.as_str(), null], "description": "How the change gets into the Job; null where the Job is new or gone."},
                    "redacted": {"type": "boolean", "description": "Whether the values are secret and not shown."},
                    "before": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/value"}]},
                    "after": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/value"}]},
                },
            },
            "value": {
                "type": "object",
                "required": ["jobPath", "value", "path", "layer", "source"],
                "properties": {
                    "jobPath": {"type": "string", "description": "The place in that Job."},
                    "value": {"description": "The value; `***` where it is secret, `*** (before)` and `*** (after)` where two secrets differ."},
                    "path": maybe("The setting in Mage's spelling."),
                    "layer": maybe("The layer that gave it, where that is known."),
                    "source": {"type": ["object", "null"], "description": "The place that gave it, as in `explain-config -o json`."},
                },
            },
        },
    })
}
