//! Sums with their limits, the scores of each month beside the validation's, and shares over the months.

use super::source::MonitoringSource;
use crate::document::canvas::{Anchor, BAND, BLUE, Canvas, INK, MUTED, RED, Stroke};
use crate::document::plot::{Axis, Plot};
use crate::document::text;
use crate::document::tree::Figure;
use crate::statistics::quantile;

/// Two drawings stand beside each other.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 290.0;
/// More months are drawn without their names.
const NAMED: usize = 12;

fn area(corner: (f64, f64), x: (f64, f64), y: (f64, f64)) -> Plot {
    Plot { left: corner.0 + 62.0, top: corner.1 + 34.0, width: 318.0, height: 180.0, x, y }
}

/// Where the months stand: every month a tick, named as long as there is room.
fn months(source: &MonitoringSource) -> Axis {
    let all = &source.judgement.months;
    let step = all.len().div_ceil(NAMED.div_ceil(2)).max(1);
    let named = all.iter().enumerate().filter(|(nth, _)| nth % step == 0);
    let ticks = named.map(|(nth, month)| (nth as f64 + 1.0, month.month.to_string())).collect();
    Axis { title: "Month".to_owned(), ticks }
}

fn title(canvas: &mut Canvas, plot: &Plot, words: &str) {
    let words = text::fit(&text::one_line(words), 13.0, 315.0);
    canvas.bold((plot.left, plot.top - 14.0), 13.0, Anchor::Start, INK, &words);
}

fn grid(count: usize) -> Canvas {
    let columns = if count > 1 { 2.0 } else { 1.0 };
    Canvas::new(WIDTH * columns, HEIGHT * count.div_ceil(2) as f64)
}

fn corner(nth: usize) -> (f64, f64) {
    (WIDTH * (nth % 2) as f64, HEIGHT * (nth / 2) as f64)
}

/// Each chart: both sums over the months, and the limit.
pub fn charts(source: &MonitoringSource) -> Figure {
    let caption = "Cumulative sums over the months, in standard errors of a month: upwards as a line, \
                   downwards dashed. Red: the limit, and alarms, behind which the sums begin again";
    let alt =
        "One drawing a chart: the two sums by month and the limit. The table of charts gives the numbers.";
    let last = source.judgement.months.len() as f64;
    let mut canvas = grid(source.plan.charts.len());
    for (nth, chart) in source.plan.charts.iter().enumerate() {
        let points: Vec<(f64, f64, f64, bool)> = source
            .judgement
            .months
            .iter()
            .enumerate()
            .filter_map(|(at, month)| {
                let found = month.charts.iter().find(|found| found.id == chart.id)?;
                Some((at as f64 + 1.0, found.up, found.down, found.alarm))
            })
            .collect();
        let highest = points.iter().map(|p| p.1.max(p.2)).fold(chart.limit * 1.25, f64::max);
        let plot = area(corner(nth), (0.5, last + 0.5), (0.0, highest * 1.05));
        title(&mut canvas, &plot, &format!("{}: {}", chart.id, chart.measure.words()));
        plot.frame(&mut canvas, &months(source), &Axis::nice("Sum", plot.y, 4, false));
        let limit = [plot.at(plot.x.0, chart.limit), plot.at(plot.x.1, chart.limit)];
        canvas.line(limit[0], limit[1], Stroke::new(RED, 1.2));
        for (watched, stroke, of) in [
            (
                chart.watched[0],
                Stroke::new(BLUE, 2.0),
                &(|p: &(f64, f64, f64, bool)| p.1) as &dyn Fn(&_) -> f64,
            ),
            (chart.watched[1], Stroke::dashed(BLUE, 1.6), &|p: &(f64, f64, f64, bool)| p.2),
        ] {
            if !watched {
                continue;
            }
            let line: Vec<(f64, f64)> = points.iter().map(|p| plot.at(p.0, of(p))).collect();
            canvas.polyline(&line, stroke);
            for (point, at) in points.iter().zip(line) {
                let color = if point.3 && of(point) > chart.limit { RED } else { BLUE };
                canvas.circle(at, 3.0, color, None);
            }
        }
    }
    drawn("charts", caption, alt, canvas, source.plan.charts.is_empty() || last == 0.0)
}

fn drawn(id: &str, caption: &str, alt: &str, canvas: Canvas, empty: bool) -> Figure {
    let drawings = if empty { Vec::new() } else { vec![canvas] };
    Figure::drawn(id, (caption.to_owned(), alt.to_owned()), drawings, |_| id.to_owned())
}

/// Quartiles and tenths of the scores of each month, in the middle half and eight tenths of the validation's.
pub fn scores(source: &MonitoringSource) -> Figure {
    let caption = "Scores of each month: median (point), the middle half (thick) and eight tenths (thin). \
                   Shaded: the middle half of the validation's scores; dashed: its median";
    let alt = "The distribution of the scores month by month over that of the validation. The table of \
               distributions gives the tests.";
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    // Without a score nothing is drawn.
    let quantile = |values: &[f64], q: f64| quantile::of_ascending(values, q).unwrap_or_default();
    let reference = sorted(&source.cohort.scores());
    let empty = reference.is_empty() || source.scores.iter().all(Vec::is_empty);
    let mut canvas = Canvas::new(WIDTH * 2.0, HEIGHT);
    let last = source.judgement.months.len() as f64;
    let plot = Plot { width: 718.0, ..area((0.0, 0.0), (0.5, last + 0.5), (0.0, 1.0)) };
    let (low, high) = (quantile(&reference, 0.25), quantile(&reference, 0.75));
    let (left, upper) = plot.at(plot.x.0, high);
    canvas.rect(left, upper, plot.width, plot.py(low) - upper, BAND, None);
    plot.frame(&mut canvas, &months(source), &Axis::nice("Score", plot.y, 5, false));
    let middle = quantile(&reference, 0.5);
    canvas.line(plot.at(plot.x.0, middle), plot.at(plot.x.1, middle), Stroke::dashed(MUTED, 1.2));
    title(&mut canvas, &plot, "Scores by month");
    for (nth, values) in source.scores.iter().enumerate().filter(|(_, values)| !values.is_empty()) {
        let values = sorted(values);
        let x = nth as f64 + 1.0;
        let at = |q: f64| plot.at(x, quantile(&values, q));
        canvas.line(at(0.1), at(0.9), Stroke::new(BLUE, 1.2));
        canvas.line(at(0.25), at(0.75), Stroke::new(BLUE, 4.0));
        canvas.circle(at(0.5), 4.0, INK, None);
    }
    drawn("scores", caption, alt, canvas, empty)
}

/// Positive calls and refusals over the months.
pub fn shares(source: &MonitoringSource) -> Figure {
    let caption = "Positive calls among calls, and refused cases among cases, by month";
    let alt = "Two lines over the months: the shares of positive calls and of refused cases. The table \
               of batches gives the counts.";
    let all = &source.judgement.months;
    let share = |part: u64, whole: u64| part as f64 / (whole as f64).max(1.0);
    let last = all.len() as f64;
    let mut canvas = grid(2);
    let drawings: [(&str, Vec<f64>); 2] = [
        ("Positive calls", all.iter().map(|m| share(m.positive_calls, m.calls)).collect()),
        ("Refused cases", all.iter().map(|m| share(m.refusals.values().sum(), m.cases)).collect()),
    ];
    for (nth, (words, values)) in drawings.iter().enumerate() {
        let highest = values.iter().copied().fold(0.05, f64::max) * 1.15;
        let plot = area(corner(nth), (0.5, last + 0.5), (0.0, highest));
        title(&mut canvas, &plot, words);
        plot.frame(&mut canvas, &months(source), &Axis::nice("Share", plot.y, 4, false));
        let line: Vec<(f64, f64)> =
            values.iter().enumerate().map(|(at, value)| plot.at(at as f64 + 1.0, *value)).collect();
        canvas.polyline(&line, Stroke::new(BLUE, 2.0));
        line.into_iter().for_each(|at| canvas.circle(at, 3.0, BLUE, None));
    }
    drawn("shares", caption, alt, canvas, all.is_empty())
}
