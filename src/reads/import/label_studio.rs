//! Label Studio: JSON (one object a task, its annotations in it), JSON_MIN and CSV or TSV (one row an
//! annotation).
//!
//! A cancelled annotation is no read. JSON_MIN and the tables do not say which were cancelled, nor which are
//! ground truth: they are refused unless the protocol states that what was cancelled is not in the export. An
//! annotation that was rejected in a review is no read. Drafts, histories and reviews are not read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{Places, shown};
use super::place::{short, some, time};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::ReadsSource;
use crate::reads::export::{Answer, Export, NoRead, NoReadReason, SEVERAL};
use crate::table::{Table, limited};

/// The key of the case among a task's data where none is declared.
const CASE: &str = "case_id";
/// Where it is declared as the case: the number of the task.
const TASK: &str = "id";
/// Types of results that answer a question on the whole image.
const ANSWERS: [&str; 6] = ["choices", "rating", "number", "taxonomy", "textarea", "pairwise"];

/// A task of the JSON export. Whatever else it has is not looked at.
#[derive(Deserialize)]
struct Task<'a> {
    id: Option<Value>,
    data: Option<BTreeMap<String, Value>>,
    #[serde(borrow)]
    annotations: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    completions: Option<Vec<&'a RawValue>>,
    predictions: Option<Vec<Value>>,
}

/// An annotation.
#[derive(Deserialize)]
struct Annotation {
    id: Option<Value>,
    completed_by: Option<Value>,
    result: Option<Vec<Value>>,
    was_cancelled: Option<bool>,
    skipped: Option<bool>,
    ground_truth: Option<bool>,
    created_at: Option<Value>,
    updated_at: Option<Value>,
    last_action: Option<String>,
    reviews: Option<Vec<Value>>,
    prediction: Option<Value>,
    parent_prediction: Option<Value>,
}

impl Annotation {
    /// Rejected by the last review.
    fn is_rejected(&self) -> bool {
        let reviews = self.reviews.iter().flatten();
        let last = reviews.filter_map(|review| review.get("accepted").and_then(Value::as_bool)).next_back();
        last == Some(false) || self.last_action.as_deref() == Some("rejected")
    }

    /// It began as a prediction of a model.
    fn began_as_prediction(&self) -> bool {
        let filled = |value: &Option<Value>| match value {
            None | Some(Value::Null) => false,
            Some(Value::Object(object)) => !object.is_empty(),
            Some(_) => true,
        };
        filled(&self.prediction) || filled(&self.parent_prediction)
    }
}

/// What is read of the file so far.
struct Read<'s> {
    path: &'s Path,
    source: &'s ReadsSource,
    /// Whom the name of a file says.
    reader_of_path: Option<&'s str>,
    export: Export,
    problems: Vec<Diagnostic>,
    /// Tasks with predictions, and annotations that began as one.
    predicted: (u64, u64),
    /// Annotations that were rejected in a review.
    rejected: u64,
    /// Annotations that do not say whether they were cancelled.
    unsaid: u64,
    /// Controls that answered, other results by type.
    controls: BTreeSet<String>,
    shapes: BTreeSet<String>,
}

/// Answers of the JSON export.
///
/// # Errors
/// `json-unreadable`, `export-unsupported` for JSON of another platform, `label-studio-cancelled` for
/// JSON_MIN, `reads-presence-only` where there are boxes alone, `question-needed` for several controls,
/// `column-missing` for data without the case, `value-missing`, `time-unreadable`: everything at once.
pub fn json(
    path: &Path,
    bytes: &[u8],
    source: &ReadsSource,
    reader_of_path: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    let text = super::json::text(path, bytes)?;
    let places = Places::of(path, text);
    let tasks: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(tasks) => tasks,
        // One task alone.
        Err(error) => match serde_json::from_str::<&RawValue>(text) {
            Ok(task) if task.get().starts_with('{') => vec![task],
            _ => return Err(vec![super::json::unreadable(path, &error)]),
        },
    };
    let mut read = Read {
        path,
        source,
        reader_of_path,
        export: Export::default(),
        problems: Vec::new(),
        predicted: (0, 0),
        rejected: 0,
        unsaid: 0,
        controls: BTreeSet::new(),
        shapes: BTreeSet::new(),
    };
    let question = question_of(&tasks, source, path)?;
    for raw in &tasks {
        read.task(raw, &places, question.as_deref());
    }
    read.finish()
}

/// The control whose answers are read: the declared one, or the only one that answers for a whole image.
fn question_of(
    tasks: &[&RawValue],
    source: &ReadsSource,
    path: &Path,
) -> Result<Option<String>, Vec<Diagnostic>> {
    if source.question.is_some() {
        return Ok(source.question.clone());
    }
    let mut controls = BTreeSet::new();
    for raw in tasks {
        let Ok(task) = serde_json::from_str::<Task<'_>>(raw.get()) else { continue };
        for raw in task.annotations.iter().chain(&task.completions).flatten() {
            let Ok(annotation) = serde_json::from_str::<Annotation>(raw.get()) else { continue };
            let results = annotation.result.iter().flatten();
            controls.extend(results.filter(|result| answers(result)).map(control));
        }
    }
    if controls.len() > 1 {
        let message =
            format!("several questions were answered: {}", some(controls.iter().map(String::as_str)));
        let hint = "name the one that is read: question = \"...\" in [reads]";
        return Err(vec![
            Diagnostic::error(Code::QuestionNeeded, message).at(Location::file(path)).hint(hint),
        ]);
    }
    Ok(controls.pop_first())
}

/// Whether a result answers for a whole image: not one that belongs to a region.
fn answers(result: &Value) -> bool {
    let of_kind = result.get("type").and_then(Value::as_str).is_some_and(|kind| ANSWERS.contains(&kind));
    let region =
        result.get("value").is_some_and(|value| value.get("x").is_some() || value.get("points").is_some());
    of_kind && !region
}

fn control(result: &Value) -> String {
    result.get("from_name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Read<'_> {
    fn task(&mut self, raw: &RawValue, places: &Places<'_>, question: Option<&str>) {
        let at = places.at(raw.get());
        if let Some(problem) = foreign(raw.get(), at.clone()) {
            self.problems.push(problem);
            return;
        }
        let task: Task<'_> = match serde_json::from_str(raw.get()) {
            Ok(task) => task,
            Err(error) => {
                let message = format!("this is no task of Label Studio: {error}");
                let hint = "export from Label Studio as JSON";
                self.problems.push(Diagnostic::error(Code::JsonUnreadable, message).at(at).hint(hint));
                return;
            }
        };
        let Some(annotations) = task.annotations.or(task.completions) else {
            self.problems.push(not_json_export(raw.get(), at));
            return;
        };
        let name = task.id.as_ref().map_or_else(String::new, |id| format!("task {}", shown(id)));
        if task.predictions.is_some_and(|list| !list.is_empty()) {
            self.predicted.0 += 1;
        }
        let data = task.data.unwrap_or_default();
        let key = self.source.case_column.as_deref().unwrap_or(CASE);
        let case = match data.get(key) {
            None if key == TASK => task.id.as_ref().map(shown),
            value => value.map(shown),
        };
        let Some(case) = case.filter(|case| !case.trim().is_empty()) else {
            let keys = some(data.keys().map(String::as_str));
            let message = format!("the data of {name} have no `{key}`, which is declared to name the case");
            let hint =
                format!("`case_column` in [reads]: the data hold {keys}; `id` is the number of the task");
            self.problems.push(Diagnostic::error(Code::ColumnMissing, message).at(at).hint(hint));
            return;
        };
        if annotations.is_empty() {
            self.none(&case, None, NoReadReason::Empty, at);
        }
        for raw in annotations {
            let at = places.at(raw.get());
            match serde_json::from_str(raw.get()) {
                Ok(annotation) => self.annotation(&case, &annotation, question, at),
                Err(error) => {
                    let message = format!("this is no annotation of Label Studio: {error}");
                    self.problems.push(Diagnostic::error(Code::JsonUnreadable, message).at(at));
                }
            }
        }
    }

    fn annotation(&mut self, case: &str, annotation: &Annotation, question: Option<&str>, at: Location) {
        let reader = self.reader(annotation);
        let known = reader.as_deref();
        if annotation.began_as_prediction() {
            self.predicted.1 += 1;
        }
        let given = annotation.ground_truth == Some(true);
        let cancelled = annotation.was_cancelled.or(annotation.skipped);
        if cancelled == Some(true) {
            return self.none(case, known, NoReadReason::Cancelled, at);
        }
        if cancelled.is_none() && !given && !self.source.cancelled_not_exported {
            self.unsaid += 1;
            return self.none(case, known, NoReadReason::NotCompleted, at);
        }
        if annotation.is_rejected() {
            self.rejected += 1;
            return self.none(case, known, NoReadReason::NotCompleted, at);
        }
        let results = annotation.result.iter().flatten();
        let (mut texts, mut other) = (Vec::new(), false);
        for result in results {
            if answers(result) {
                self.controls.insert(control(result));
                if question == Some(control(result).as_str()) {
                    texts.extend(texts_of(result));
                } else {
                    other = true;
                }
            } else {
                self.shapes.insert(result.get("type").map_or_else(String::new, shown));
                other = true;
            }
        }
        if texts.is_empty() {
            let reason = if other { NoReadReason::Elsewhere } else { NoReadReason::Empty };
            return self.none(case, known, reason, at);
        }
        let Some(reader_id) = reader else {
            let id = annotation.id.as_ref().map_or_else(String::new, |id| format!(" {}", shown(id)));
            let message = format!("the annotation{id} does not say who made it (`completed_by`)");
            let hint = "export as JSON, with the annotators; or declare reader_from = \"file\"";
            self.problems.push(Diagnostic::error(Code::ValueMissing, message).at(at).hint(hint));
            return;
        };
        let stated = match self.source.time_column.as_deref() {
            Some("updated_at") => &annotation.updated_at,
            _ => &annotation.created_at,
        };
        let stated = stated.as_ref().filter(|value| !value.is_null()).map(shown);
        let given_at = stated.as_deref().and_then(|text| time(text, None));
        if let (Some(text), None) = (&stated, given_at) {
            let message = format!("`{}` is no time", short(text));
            self.problems.push(Diagnostic::error(Code::TimeUnreadable, message).at(at.clone()));
        }
        let answer = Answer {
            case_id: case.into(),
            reader_id: reader_id.into(),
            text: texts.join(&SEVERAL.to_string()).into(),
            time: given_at,
            session: None,
            confidence: None,
            comment: None,
            at,
        };
        if given { self.export.given.push(answer) } else { self.export.answers.push(answer) }
    }

    /// The annotator: a number, or of an object its `id`, else its e-mail; another key where one is declared.
    fn reader(&self, annotation: &Annotation) -> Option<String> {
        if let Some(reader) = self.reader_of_path {
            return Some(reader.to_owned());
        }
        let by = annotation.completed_by.as_ref()?;
        let said = match (by, self.source.reader_column.as_deref()) {
            (Value::Object(person), Some(key)) => person.get(key).map(shown),
            (Value::Object(person), None) => person.get("id").or_else(|| person.get("email")).map(shown),
            (Value::Number(_) | Value::String(_), _) => Some(shown(by)),
            _ => None,
        };
        said.filter(|text| !text.is_empty())
    }

    fn none(&mut self, case: &str, reader: Option<&str>, reason: NoReadReason, at: Location) {
        let (case_id, reader_id) = (Some(case.to_owned()), reader.map(str::to_owned));
        self.export.no_reads.push(NoRead { case_id, reader_id, reason, comment: None, at });
    }

    fn finish(mut self) -> Result<Export, Vec<Diagnostic>> {
        let warn = |code, message: String| Diagnostic::warning(code, message).at(Location::file(self.path));
        let (tasks, begun) = self.predicted;
        if tasks > 0 || begun > 0 {
            let message = format!(
                "{tasks} tasks carry predictions of a model, and {begun} annotations began as one: readers \
                 may \
                 have seen what a device said"
            );
            let hint = "blinding: find out what was shown, and state it; predictions are not read";
            self.export.warnings.push(warn(Code::PredictionsShown, message).hint(hint));
        }
        if self.rejected > 0 {
            let message =
                format!("{} annotations were rejected in a review: they are no reads", self.rejected);
            self.export.warnings.push(warn(Code::ReadsRejected, message));
        }
        if self.unsaid > 0 {
            let message = format!(
                "{} annotations do not say whether they were cancelled (`was_cancelled`): they are no reads",
                self.unsaid
            );
            let hint = "export as JSON; or state cancelled = \"not-exported\" in [reads]";
            self.export.warnings.push(warn(Code::LabelStudioCancelled, message).hint(hint));
        }
        if self.controls.is_empty() && !self.shapes.is_empty() && self.problems.is_empty() {
            let kinds = some(self.shapes.iter().map(String::as_str));
            self.problems.push(super::json::presence_only(self.path, &kinds));
        }
        if let Some(question) = &self.source.question
            && !self.controls.is_empty()
            && !self.controls.contains(question)
        {
            let message = format!("no annotation answers the question `{question}`");
            let hint = format!("answered were: {}", some(self.controls.iter().map(String::as_str)));
            self.problems.push(
                Diagnostic::error(Code::QuestionNeeded, message).at(Location::file(self.path)).hint(hint),
            );
        }
        if self.problems.is_empty() { Ok(self.export) } else { Err(limited(self.problems, self.path)) }
    }
}

/// The words of a result: each choice, the path of a taxonomy, a number.
fn texts_of(result: &Value) -> Vec<String> {
    let kind = result.get("type").and_then(Value::as_str).unwrap_or_default();
    let key = match kind {
        "textarea" => "text",
        "pairwise" => "selected",
        other => other,
    };
    let value = result.get("value").and_then(|value| value.get(key));
    let texts: Vec<String> = match value {
        Some(Value::Array(list)) => list
            .iter()
            .map(|one| match one {
                Value::Array(path) => path.iter().map(shown).collect::<Vec<_>>().join(" / "),
                one => shown(one),
            })
            .collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![shown(one)],
    };
    texts.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// Which keys an object has; its values are not looked at.
fn keys_of(text: &str) -> BTreeSet<String> {
    let keys: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
    keys.into_keys().collect()
}

/// The export of another platform, by the keys of one object.
fn foreign(text: &str, at: Location) -> Option<Diagnostic> {
    super::json::another_platform(&keys_of(text), at)
}

/// An object without annotations: JSON_MIN, or JSON that nobody knows.
fn not_json_export(text: &str, at: Location) -> Diagnostic {
    let values: BTreeMap<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let labelled = |value: &Value| {
        let objects = value.as_array().into_iter().flatten().filter_map(Value::as_object);
        objects.flat_map(|object| object.keys()).any(|key| key.ends_with("labels") || key == "choices")
    };
    let own = ["annotator", "annotation_id", "lead_time"].iter().any(|key| values.contains_key(*key));
    if own || values.values().any(labelled) {
        return cancelled_unknown("JSON_MIN", at);
    }
    super::json::unknown(at)
}

fn cancelled_unknown(form: &str, at: Location) -> Diagnostic {
    let message = format!(
        "this {form} export says neither which annotations were cancelled nor which are ground truth"
    );
    Diagnostic::error(Code::LabelStudioCancelled, message).at(at).hint(
        "export from Label Studio as JSON; as CSV or TSV it is read where the protocol states \
         cancelled = \"not-exported\"",
    )
}

/// Answers of the CSV or TSV export, one row an annotation.
///
/// # Errors
/// `label-studio-cancelled` unless it is stated that what was cancelled is not in it, `question-needed`,
/// `column-missing`, `value-missing`, `time-unreadable`: everything at once.
pub fn csv(
    path: &Path,
    table: &Table,
    source: &ReadsSource,
    reader_of_path: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    let at = Location::file(path);
    let has_flag = table.column("was_cancelled").is_some();
    if !source.cancelled_not_exported && !has_flag {
        return Err(vec![cancelled_unknown("CSV", at)]);
    }
    let mut missing = Vec::new();
    let mut find = |name: &str| table.required(name).map_err(|problem| missing.push(problem)).ok();
    let Some(question) = source.question.as_deref() else {
        let hint = "name the column of the answer: question = \"...\" in [reads]";
        let message = "a table of Label Studio does not say which of its columns are answers";
        return Err(vec![Diagnostic::error(Code::QuestionNeeded, message).at(at).hint(hint)]);
    };
    let answer = find(question);
    let case = find(source.case_column.as_deref().unwrap_or(CASE));
    let annotator = source.reader_column.as_deref().unwrap_or("annotator");
    let reader = if reader_of_path.is_none() { find(annotator) } else { None };
    let created = source.time_column.as_deref().unwrap_or("created_at");
    let (flag, stated) = (table.column("was_cancelled"), table.column(created));
    if !missing.is_empty() {
        return Err(missing);
    }
    let (mut export, mut problems) = (Export::default(), Vec::new());
    for row in table.rows() {
        let at = table.at(row.line);
        let case_id = row.get(case).map(str::to_owned);
        let reader_id = row.get(reader).map(str::to_owned).or_else(|| reader_of_path.map(str::to_owned));
        let cancelled = row.get(flag).map(|text| text.eq_ignore_ascii_case("true") || text == "1");
        let texts: Vec<String> = row.get(answer).map(cell_texts).unwrap_or_default();
        let reason = if cancelled == Some(true) {
            Some(NoReadReason::Cancelled)
        } else if has_flag && cancelled.is_none() && !source.cancelled_not_exported {
            Some(NoReadReason::NotCompleted)
        } else {
            texts.is_empty().then_some(NoReadReason::Empty)
        };
        if let Some(reason) = reason {
            export.no_reads.push(NoRead { case_id, reader_id, reason, comment: None, at });
            continue;
        }
        let (Some(case_id), Some(reader_id)) = (case_id, reader_id) else {
            let message = "an annotation without its case or its annotator";
            problems.push(Diagnostic::error(Code::ValueMissing, message).at(at));
            continue;
        };
        let text = row.get(stated);
        let given_at = text.and_then(|text| time(text, None));
        if let (Some(text), None) = (text, given_at) {
            let message = format!("`{}` is no time", short(text));
            problems.push(Diagnostic::error(Code::TimeUnreadable, message).at(at.clone()));
        }
        let text = texts.join(&SEVERAL.to_string());
        let (session, confidence) = (None, None);
        export.answers.push(Answer {
            case_id: case_id.into(),
            reader_id: reader_id.into(),
            text: text.into(),
            time: given_at,
            session,
            confidence,
            comment: None,
            at,
        });
    }
    export.warnings.extend(table.notes().iter().cloned());
    if !has_flag {
        let message = "it is stated that what was cancelled is not in this export; it cannot be seen in it, \
                       nor \
                       which annotations are ground truth";
        export
            .warnings
            .push(Diagnostic::warning(Code::LabelStudioCancelled, message).at(Location::file(path)));
    }
    if problems.is_empty() { Ok(export) } else { Err(limited(problems, path)) }
}

/// The choices of a cell: one as it stands, several as JSON.
fn cell_texts(cell: &str) -> Vec<String> {
    let choices = |value: &Value| -> Option<Vec<String>> {
        match value {
            Value::Object(object) => {
                object.get("choices")?.as_array().map(|list| list.iter().map(shown).collect())
            }
            Value::Array(list) => Some(list.iter().map(shown).collect()),
            _ => None,
        }
    };
    let json = if cell.starts_with(['[', '{']) { serde_json::from_str::<Value>(cell).ok() } else { None };
    let texts = json.as_ref().and_then(choices).unwrap_or_else(|| vec![cell.to_owned()]);
    texts.into_iter().filter(|text| !text.trim().is_empty()).collect()
}
