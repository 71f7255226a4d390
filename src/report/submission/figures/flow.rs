//! Flow diagrams: the study's cases (STARD 2015), and the device from image to output.

use crate::document::canvas::{Anchor, BLUE, Canvas, INK, MUTED, PAPER, Stroke};
use crate::document::plot::{LABEL, SMALL};
use crate::document::{format, text};
use crate::report::submission::gate;
use crate::report::submission::source::Source;
use crate::study::results::SampledStratum;

const SIZE: f64 = LABEL;
const LINE: f64 = 16.0;
const PAD: f64 = 10.0;
/// More strata are counted, and stand in a table.
const SHOWN_STRATA: usize = 8;

/// A line of a box; the number stands at the right where there is one.
struct Entry {
    words: String,
    number: Option<String>,
    bold: bool,
}

fn entry(words: impl Into<String>, number: u64) -> Entry {
    Entry { words: words.into(), number: Some(format::count(number)), bold: false }
}

fn head(words: impl Into<String>, number: Option<u64>) -> Entry {
    Entry { words: words.into(), number: number.map(format::count), bold: true }
}

fn wrapped(entries: &[Entry], width: f64) -> Vec<(String, Option<String>, bool)> {
    let mut lines = Vec::new();
    for entry in entries {
        let room = width - 2.0 * PAD - entry.number.as_ref().map_or(0.0, |n| text::width(n) * SIZE + 14.0);
        // Bold is up to a tenth wider than regular, and so are the fonts of a reader without Liberation or
        // Arial.
        let room = if entry.bold { room / 1.2 } else { room / 1.12 };
        for (index, line) in text::wrap(&text::one_line(&entry.words), SIZE, room).into_iter().enumerate() {
            lines.push((line, if index == 0 { entry.number.clone() } else { None }, entry.bold));
        }
    }
    lines
}

fn height(entries: &[Entry], width: f64) -> f64 {
    wrapped(entries, width).len() as f64 * LINE + 2.0 * PAD - 3.0
}

fn draw(canvas: &mut Canvas, x: f64, y: f64, width: f64, entries: &[Entry], strong: bool) -> f64 {
    let height = height(entries, width);
    let (fill, stroke) =
        if strong { (PAPER, Stroke::new(BLUE, 1.4)) } else { ("#ffffff", Stroke::new(MUTED, 1.0)) };
    canvas.rect(x, y, width, height, fill, Some(stroke));
    for (index, (words, number, bold)) in wrapped(entries, width).into_iter().enumerate() {
        let baseline = y + PAD + SIZE - 1.5 + LINE * index as f64;
        if bold {
            canvas.bold((x + PAD, baseline), SIZE, Anchor::Start, INK, &words);
        } else {
            canvas.text((x + PAD, baseline), SIZE, Anchor::Start, INK, &words);
        }
        if let Some(number) = number {
            if bold {
                canvas.bold((x + width - PAD, baseline), SIZE, Anchor::End, INK, &number);
            } else {
                canvas.text((x + width - PAD, baseline), SIZE, Anchor::End, INK, &number);
            }
        }
    }
    height
}

/// From considered to analysed, with what left on the way.
pub fn study(source: &Source) -> Canvas {
    let f = &source.results.flow;
    let excluded: u64 = f.excluded.iter().map(|r| r.count).sum();
    let mut exclusions = vec![head("Excluded", Some(excluded))];
    exclusions.extend(f.excluded.iter().map(|r| entry(r.reason.clone(), r.count)));
    let mut sampled =
        vec![head("Sampled into the test set", Some(f.sampled)), entry("patients", f.sampled_patients)];
    let sampling = source.results.sampling.as_ref();
    let strata: Vec<&SampledStratum> =
        sampling.map_or(&[][..], |s| &s.strata).iter().filter(|stratum| !stratum.name.is_empty()).collect();
    if strata.len() > SHOWN_STRATA {
        sampled.push(entry("strata", strata.len() as u64));
    } else {
        let of = |s: &&SampledStratum| entry(format!("{}, of {}", s.name, format::count(s.pool)), s.drawn);
        sampled.extend(strata.iter().map(of));
    }
    if let Some(sampling) = sampling.filter(|sampling| sampling.lacking > 0) {
        sampled.push(entry("asked for and not there", sampling.lacking));
    }
    let lost = f.without_consensus + f.without_score;
    let steps: Vec<(Vec<Entry>, Vec<Entry>)> = vec![
        (
            vec![head("Cases considered", Some(f.considered)), entry("patients", f.considered_patients)],
            exclusions,
        ),
        (vec![head("Eligible cases", Some(f.eligible))], vec![head("Not sampled", Some(f.not_sampled))]),
        (
            sampled,
            vec![
                head("Not in the primary analysis", Some(lost)),
                entry("without a reference standard", f.without_consensus),
                entry("with a reference standard, without a score", f.without_score),
            ],
        ),
    ];
    let (left, main, side_left, side) = (8.0, 262.0, 330.0, 342.0);
    let middle = left + main / 2.0;
    let total: f64 =
        steps.iter().map(|(a, b)| height(a, main) + 24.0_f64.max(height(b, side) + 24.0) + 14.0).sum::<f64>()
            + 190.0;
    let mut drawing = Canvas::new(680.0, total);
    let mut y = 8.0;
    for (boxed, left_out) in &steps {
        let own = draw(&mut drawing, left, y, main, boxed, true);
        let side_height = height(left_out, side);
        let side_y = y + own + 14.0;
        draw(&mut drawing, side_left, side_y, side, left_out, false);
        let next = side_y + side_height + 14.0;
        drawing.arrow((middle, y + own), (middle, next));
        let branch = side_y + side_height / 2.0;
        drawing.arrow((middle, branch), (side_left, branch));
        y = next;
    }
    let analysed = vec![head("Primary analysis", Some(f.analysed)), entry("patients", f.analysed_patients)];
    let own = draw(&mut drawing, left, y, main, &analysed, true);
    let low = y + own + 34.0;
    let outcomes = [
        ("Reference standard positive", f.positives, [("called positive", 0), ("called negative", 1)]),
        ("Reference standard negative", f.negatives, [("called positive", 2), ("called negative", 3)]),
    ];
    let c = &source.results.curves.confusion;
    let counts = [c.true_positives, c.false_negatives, c.false_positives, c.true_negatives];
    // A trunk down, then one branch to each class; the first class stands right below.
    let trunk = y + own + 16.0;
    drawing.line((middle, y + own), (middle, trunk), Stroke::new(MUTED, 1.2));
    let mut end = low;
    for (index, (name, count, calls)) in outcomes.into_iter().enumerate() {
        let mut entries = vec![head(name, Some(count))];
        entries.extend(
            calls.into_iter().map(|(words, which)| entry(words, counts.get(which).copied().unwrap_or(0))),
        );
        let x = if index == 0 { left } else { side_left };
        let center = x + main / 2.0;
        drawing.line((middle, trunk), (center, trunk), Stroke::new(MUTED, 1.2));
        drawing.arrow((center, trunk), (center, low));
        end = end.max(low + draw(&mut drawing, x, low, main, &entries, false));
    }
    drawing.crop(end + 8.0);
    drawing
}

/// From image to output.
pub fn algorithm(source: &Source) -> Canvas {
    let mut drawing = Canvas::new(680.0, 470.0);
    let threshold = format::threshold(source.results.operating_point.threshold);
    let finding = &source.results.study.finding;
    let rules: Vec<String> = gate::checks(source).iter().map(|check| check.rule.replace('_', " ")).collect();
    let checks = if rules.is_empty() { "none declared".to_owned() } else { rules.join(", ") };
    let network = source.lock.as_ref().map_or_else(
        || "score from 0 to 1".to_owned(),
        |lock| format!("{}: score from 0 to 1", lock.architecture),
    );
    let plain = |words: &str| Entry { words: words.to_owned(), number: None, bold: false };
    let model = if source.lock.is_some() { "Locked model" } else { "Device, scored elsewhere" };
    let refused = if source.lock.is_some() {
        "not scored; every reason is given"
    } else {
        "outside what the protocol declares for this study"
    };
    let steps = [
        vec![head("Image", None), plain("one chest radiograph with its DICOM header")],
        vec![head("DICOM checks", None), plain(&checks)],
        vec![
            head("Preprocessing", None),
            plain(if source.lock.is_some() {
                "fixed by the model lock, the same in training, study and use"
            } else {
                "of the device elsewhere; not part of this evidence"
            }),
        ],
        vec![head(model, None), plain(&network)],
        vec![head("Operating point", None), plain(&format!("score \u{2265} {threshold}"))],
    ];
    let (left, width) = (8.0, 330.0);
    let mut y = 8.0;
    let mut middles = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        if index > 0 {
            drawing.arrow((left + width / 2.0, y - 24.0), (left + width / 2.0, y));
        }
        let own = draw(&mut drawing, left, y, width, step, index == 3);
        middles.push(y + own / 2.0);
        y += own + 24.0;
    }
    let side = 410.0;
    let mut aside = |index: usize, label: &str, entries: &[Entry]| {
        let Some(middle) = middles.get(index) else { return };
        let tall = height(entries, 262.0);
        drawing.arrow((left + width, *middle), (side, *middle));
        drawing.text((left + width + 8.0, middle - 6.0), SMALL, Anchor::Start, MUTED, label);
        draw(&mut drawing, side, middle - tall / 2.0, 262.0, entries, false);
    };
    aside(1, "any fails", &[head("Refused", None), plain(refused)]);
    aside(4, "below", &[head("Negative", None), plain(&format!("{finding} not indicated"))]);
    drawing.arrow((left + width / 2.0, y - 24.0), (left + width / 2.0, y));
    drawing.text((left + width / 2.0 + 8.0, y - 9.0), SMALL, Anchor::Start, MUTED, "at or above");
    let last = [head("Positive", None), plain(&format!("{finding} indicated, for the reader's review"))];
    let own = draw(&mut drawing, left, y, width, &last, false);
    drawing.crop(y + own + 8.0);
    drawing
}
