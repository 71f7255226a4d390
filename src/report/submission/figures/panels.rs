//! Named rows beside panels of intervals, one panel a measure: subgroups, sites, pairs of readers.

use crate::document::canvas::{Anchor, BLUE, Canvas, INK, MUTED, PAPER, Stroke};
use crate::document::plot::{Axis, LABEL, Plot, SMALL};
use crate::document::{format, text};
use crate::statistics::estimate::Estimate;

const ROW: f64 = 21.0;
const ROWS_A_DRAWING: usize = 21;
const LABELS: f64 = 232.0;
const PANEL: f64 = 142.0;
const GAP: f64 = 32.0;
const TOP: f64 = 46.0;

/// What a row has in a panel.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// An estimate, with limits where it has them; `open` where too few cases stand behind it.
    Value { value: f64, limits: Option<(f64, f64)>, open: bool },
    /// It cannot be computed of these cases.
    NotEvaluable,
    /// It was not asked for.
    Nothing,
}

impl Shown {
    /// An estimate with its first interval.
    pub fn of(estimate: Option<&Estimate>, open: bool) -> Self {
        match estimate {
            None => Self::Nothing,
            Some(e) => match e.value {
                None => Self::NotEvaluable,
                Some(value) => {
                    Self::Value { value, limits: e.intervals.first().map(|i| (i.lower, i.upper)), open }
                }
            },
        }
    }
}

/// A line: the name of a group, or one of its rows.
#[derive(Clone, Debug)]
pub enum Line {
    /// Heads those below.
    Head(String),
    /// A name, how many cases, and what each panel shows.
    Row { name: String, cases: Option<u64>, shown: Vec<Shown> },
}

/// What the drawings of one figure share.
#[derive(Clone, Debug)]
pub struct Panels {
    /// What rows are.
    pub rows: &'static str,
    /// What their numbers count.
    pub counted: &'static str,
    /// Titles of the panels, each with the value of a dashed line.
    pub panels: Vec<(String, Option<f64>)>,
    /// Said where there are no rows.
    pub empty: &'static str,
}

impl Panels {
    /// Drawings of about half a page: many rows need several. A group that goes on is named again.
    pub fn drawings(&self, lines: &[Line]) -> Vec<Canvas> {
        let mut pages: Vec<Vec<Line>> = vec![Vec::new()];
        let mut head: Option<&Line> = None;
        for line in lines {
            let room = if matches!(line, Line::Head(_)) { 2 } else { 1 };
            if pages.last().is_some_and(|page| page.len() + room > ROWS_A_DRAWING) {
                pages.push(Vec::new());
                if let (Line::Row { .. }, Some(page), Some(head)) = (line, pages.last_mut(), head) {
                    page.push(head.clone());
                }
            }
            if matches!(line, Line::Head(_)) {
                head = Some(line);
            }
            if let Some(page) = pages.last_mut() {
                page.push(line.clone());
            }
        }
        let range = range(lines);
        pages.iter().map(|page| self.draw(page, range)).collect()
    }

    fn draw(&self, lines: &[Line], range: (f64, f64)) -> Canvas {
        let height = ROW * lines.len().max(1) as f64;
        let count = self.panels.len() as f64;
        let width = LABELS + count * PANEL + (count - 1.0) * GAP + 24.0;
        let mut canvas = Canvas::new(width, TOP + height + 30.0);
        canvas.bold((4.0, TOP - 14.0), LABEL, Anchor::Start, INK, self.rows);
        canvas.bold((LABELS - 16.0, TOP - 14.0), LABEL, Anchor::End, INK, self.counted);
        if lines.is_empty() {
            canvas.text((4.0, TOP + 15.0), LABEL, Anchor::Start, MUTED, self.empty);
        }
        for (index, line) in lines.iter().enumerate() {
            let y = TOP + ROW * index as f64;
            match line {
                Line::Head(name) => {
                    canvas.rect(0.0, y, width, ROW, PAPER, None);
                    let name = text::fit(&text::one_line(name), LABEL * 1.1, width - 20.0);
                    canvas.bold((4.0, y + 15.0), LABEL, Anchor::Start, INK, &name);
                }
                Line::Row { name, cases, .. } => {
                    let name = text::fit(&text::one_line(name), LABEL, LABELS - 78.0);
                    canvas.text((14.0, y + 15.0), LABEL, Anchor::Start, INK, &name);
                    let cases = cases.map_or_else(|| "\u{2013}".to_owned(), format::count);
                    canvas.text((LABELS - 16.0, y + 15.0), LABEL, Anchor::End, INK, &cases);
                }
            }
        }
        for (index, (title, overall)) in self.panels.iter().enumerate() {
            let left = LABELS + index as f64 * (PANEL + GAP);
            let plot = Plot { left, top: TOP, width: PANEL, height, x: range, y: (0.0, 1.0) };
            panel(&mut canvas, &plot, (index, title.as_str()), *overall, lines);
        }
        canvas
    }
}

/// The same scale on all panels and pages: from a round number below the lowest limit to 1. Rows of too few
/// cases do not stretch it.
fn range(lines: &[Line]) -> (f64, f64) {
    let shown = lines.iter().filter_map(|line| match line {
        Line::Row { shown, .. } => Some(shown),
        Line::Head(_) => None,
    });
    let lowest = shown
        .flatten()
        .filter_map(|shown| match shown {
            Shown::Value { value, limits, open: false } => Some(limits.map_or(*value, |(lower, _)| lower)),
            _ => None,
        })
        .fold(0.9, f64::min);
    (((lowest * 10.0).floor() / 10.0).clamp(-1.0, 0.9), 1.0)
}

fn panel(
    canvas: &mut Canvas,
    plot: &Plot,
    (place, title): (usize, &str),
    overall: Option<f64>,
    lines: &[Line],
) {
    let middle = plot.left + plot.width / 2.0;
    canvas.bold((middle, TOP - 14.0), LABEL, Anchor::Middle, INK, title);
    plot.scale(canvas, &Axis::nice("", plot.x, 3, false));
    if let Some(value) = overall.filter(|value| (plot.x.0..=plot.x.1).contains(value)) {
        let at = plot.px(value);
        canvas.line((at, plot.top), (at, plot.bottom()), Stroke::dashed(MUTED, 1.1));
    }
    for (index, line) in lines.iter().enumerate() {
        let Line::Row { shown, .. } = line else { continue };
        let y = TOP + ROW * (index as f64 + 0.5);
        match shown.get(place).copied().unwrap_or(Shown::Nothing) {
            Shown::Value { value, limits, open } => mark(canvas, plot, (value, limits, open), y),
            Shown::NotEvaluable => {
                canvas.text((middle, y + 4.0), SMALL, Anchor::Middle, MUTED, "not evaluable");
            }
            Shown::Nothing => canvas.text((middle, y + 4.0), SMALL, Anchor::Middle, MUTED, "\u{2013}"),
        }
    }
}

fn mark(canvas: &mut Canvas, plot: &Plot, (value, limits, open): (f64, Option<(f64, f64)>, bool), y: f64) {
    let color = if open { MUTED } else { BLUE };
    let inside = |x: f64| x.clamp(plot.x.0, plot.x.1);
    if let Some((low, high)) = limits {
        let (lower, upper) = (plot.px(inside(low)), plot.px(inside(high)));
        canvas.line((lower, y), (upper, y), Stroke::new(color, 1.6));
        // A limit outside the scale is an arrow head, inside it is a bar.
        if low < plot.x.0 {
            canvas.polygon(&[(lower, y), (lower + 6.0, y - 3.5), (lower + 6.0, y + 3.5)], color);
        } else {
            canvas.line((lower, y - 3.5), (lower, y + 3.5), Stroke::new(color, 1.6));
        }
        canvas.line((upper, y - 3.5), (upper, y + 3.5), Stroke::new(color, 1.6));
    }
    if (plot.x.0..=plot.x.1).contains(&value) {
        let x = plot.px(value);
        let fill = if open { "#ffffff" } else { color };
        canvas.rect(x - 3.8, y - 3.8, 7.6, 7.6, fill, Some(Stroke::new(color, 1.4)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_are_several_drawings_of_one_scale_and_a_group_is_named_again() {
        let row = |index: usize| Line::Row {
            name: format!("r{index}."),
            cases: Some(10),
            shown: vec![Shown::Value { value: 0.8, limits: Some((0.6, 0.9)), open: index.is_multiple_of(2) }],
        };
        let lines: Vec<Line> =
            std::iter::once(Line::Head("Site".to_owned())).chain((0..60).map(row)).collect();
        let panels = Panels {
            rows: "Row",
            counted: "Cases",
            panels: vec![("AUC".to_owned(), Some(0.7))],
            empty: "none",
        };
        let drawings = panels.drawings(&lines);
        assert_eq!(drawings.len(), 3);
        let words: Vec<Vec<&str>> = drawings.iter().map(|drawing| drawing.lines().collect()).collect();
        for page in &words {
            assert!(page.contains(&"Site") && page.contains(&"0.6") && page.contains(&"1.0"), "{page:?}");
        }
        for index in 0..60 {
            let name = format!("r{index}.");
            let times: usize = words.iter().flatten().filter(|word| **word == name).count();
            assert_eq!(times, 1, "{name}");
        }
        assert_eq!(panels.drawings(&[]).len(), 1);
        assert!(panels.drawings(&[])[0].lines().any(|line| line == "none"));
    }
}
