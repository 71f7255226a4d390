//! The locked model: its facts, its training, and the data it was developed on.

use serde_json::Value;

use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::document::{format, text};
use crate::report::submission::source::Source;
use crate::report::submission::values::words;

/// A value of the lock as a list of facts, nested keys joined by a dot.
pub fn facts(value: Option<&Value>, caption: String) -> Table {
    fn collect(prefix: &str, value: &Value, rows: &mut Vec<Row>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    // The curve has a table of its own.
                    if key == "history" && value.is_array() {
                        continue;
                    }
                    let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    collect(&name, value, rows);
                }
            }
            Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) => {
                for (index, value) in items.iter().enumerate() {
                    collect(&format!("{prefix} {}", index + 1), value, rows);
                }
            }
            value => {
                let text = words(value);
                let look = if is_digest(&text) { Look::Code } else { Look::Plain };
                let name = text::humanise(&prefix.replace('.', ": "));
                rows.push(Row::Cells(vec![Cell::new(name), Cell::new(text).look(look)]));
            }
        }
    }
    let mut rows = Vec::new();
    if let Some(value) = value {
        collect("", value, &mut rows);
    }
    Table::or_none(caption, vec![Column::left("Fact", 0.55), Column::left("Value", 1.0)], rows)
}

/// The stages of the training, with the layers that were frozen and trained.
pub fn stages(source: &Source) -> Table {
    let stages = source.lock.as_ref().map_or(&[][..], |lock| &lock.experiment.experiment.stages);
    let rows = stages
        .iter()
        .map(|stage| {
            let layers = &stage.trainable;
            Row::plain([
                stage.name.clone(),
                stage.epochs.to_string(),
                format!("{:e}", stage.learning_rate),
                stage.batch_size.to_string(),
                format!("{} of {}", layers.first_layer, layers.layers),
                layers.first_module.clone(),
                format::count(layers.trained_parameters),
                format::count(layers.frozen_parameters),
            ])
        })
        .collect();
    let mut table = Table::or_none(
        "Stages of the training: what was frozen and what was trained",
        vec![
            Column::left("Stage", 0.6),
            Column::right("Epochs"),
            Column::right("Learning rate"),
            Column::right("Batch"),
            Column::right("Frozen layers"),
            Column::left("First trained module", 1.0),
            Column::right("Trained"),
            Column::right("Frozen"),
        ],
        rows,
    );
    table.notes.push(
        "Layers of the base are counted as Keras counts them; \u{201c}trained\u{201d} and \
         \u{201c}frozen\u{201d} are numbers of parameters."
            .to_owned(),
    );
    table
}

/// The development data, as counted by the training.
pub fn development(source: &Source) -> Table {
    let sides = source.lock.as_ref().map(|lock| {
        let inputs = &lock.experiment;
        [("Training", &inputs.training), ("Tuning", &inputs.tuning)]
    });
    let rows = sides
        .into_iter()
        .flatten()
        .map(|(name, side)| {
            let positives = format::count(side.positives);
            Row::plain([
                name.to_owned(),
                format::count(side.cases),
                format::count(side.patients),
                format!("{positives} ({})", format::share(side.positives, side.cases)),
            ])
        })
        .collect();
    Table::or_none(
        "Development data of the locked model",
        vec![
            Column::left("Split", 1.0),
            Column::right("Cases"),
            Column::right("Patients"),
            Column::right("Positive by source label"),
        ],
        rows,
    )
}

pub fn training(source: &Source) -> Table {
    let rows = source
        .training
        .iter()
        .map(|e| {
            Row::plain([
                e.epoch.to_string(),
                e.stage.to_string(),
                format::fixed(e.loss, 4),
                e.tuning_loss.map_or_else(|| "\u{2013}".to_owned(), |loss| format::fixed(loss, 4)),
                e.tuning_auc
                    .map_or_else(|| "\u{2013}".to_owned(), |auc| format::number(auc, format::Style::Index)),
            ])
        })
        .collect();
    Table::or_none(
        "Training log",
        vec![
            Column::right("Epoch"),
            Column::right("Stage"),
            Column::right("Training loss"),
            Column::right("Tuning loss"),
            Column::right("AUC, tuning split"),
        ],
        rows,
    )
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}
