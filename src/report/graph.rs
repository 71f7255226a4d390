//! The graph of a rule of multiplicity as a figure (Bretz, Maurer, Brannath and Posch 2009): a box an
//! endpoint with its share of α, an arrow for every part that it passes on once it is met.

use crate::document::canvas::{Anchor, Canvas, INK, MUTED, PAPER, Stroke};
use crate::document::plot::{AXIS, LABEL, TITLE};
use crate::document::tree::Figure;
use crate::document::{format, text};
use crate::protocol::Protocol;
use crate::statistics::multiplicity::{Graph, Multiplicity};

/// More endpoints than this are not legible beside each other; the table has them.
const MOST: usize = 8;
const WIDTH: f64 = 760.0;
const BOX: (f64, f64) = (156.0, 56.0);

/// An endpoint of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its share of α before anything is met.
    pub weight: f64,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    nodes: Vec<Node>,
    /// `[i][j]`: the part of i's share that goes to j.
    transitions: Vec<Vec<f64>>,
    /// One-sided.
    alpha: f64,
}

impl Drawn {
    /// The graph of a protocol's rule, where the rule is one: a declared graph, fallback, a fixed sequence
    /// and Holm. None for other rules, for one endpoint and for more than fit.
    pub fn of(protocol: &Protocol) -> Option<Self> {
        let family = protocol.family.as_ref()?;
        let count = family.endpoints.len();
        let graph = match protocol.analysis.multiplicity {
            Multiplicity::Graph => Graph::new(family.weights.clone(), family.transitions.clone()).ok(),
            Multiplicity::Fallback => Graph::in_order(&family.weights).ok(),
            Multiplicity::FixedSequence => {
                let weights: Vec<f64> = (0..count).map(|i| f64::from(u8::from(i == 0))).collect();
                Graph::in_order(&weights).ok()
            }
            Multiplicity::Holm => Graph::holm(count),
            Multiplicity::CoPrimary | Multiplicity::Bonferroni | Multiplicity::Hochberg => None,
        }?;
        let nodes = family.endpoints.iter().zip(graph.weights());
        let nodes = nodes.map(|(id, weight)| Node { id: id.clone(), weight: *weight }).collect();
        let alpha = ((1.0 - protocol.analysis.level) / 2.0 * 1e12).round() / 1e12;
        ((2..=MOST).contains(&count)).then(|| Self {
            nodes,
            transitions: graph.transitions().to_vec(),
            alpha,
        })
    }

    /// Every arrow: from, to, and the part.
    fn arrows(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let row = |(from, row): (usize, &Vec<f64>)| -> Vec<(usize, usize, f64)> {
            row.iter()
                .enumerate()
                .filter(|(_, part)| **part > 0.0)
                .map(|(to, part)| (from, to, *part))
                .collect()
        };
        self.transitions.iter().enumerate().flat_map(row)
    }

    /// Everything that is drawn, as a sentence.
    pub fn words(&self) -> String {
        let share = |node: &Node| {
            let alpha = number(node.weight * self.alpha);
            format!("{} has {} of \u{3b1} ({alpha})", node.id, number(node.weight))
        };
        let nodes: Vec<String> = self.nodes.iter().map(share).collect();
        let arrow = |(from, to, part): (usize, usize, f64)| {
            format!("{} passes {} on to {}", self.nodes[from].id, number(part), self.nodes[to].id)
        };
        let arrows: Vec<String> = self.arrows().map(arrow).collect();
        let passed = if arrows.is_empty() { "nothing is passed on".to_owned() } else { arrows.join("; ") };
        format!("{}. Once met: {passed}.", nodes.join("; "))
    }
}

/// A share without zeros that say nothing.
fn number(value: f64) -> String {
    let text = format::fixed(value, 5);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The figure; without a drawing where the rule is no graph.
pub fn figure(protocol: &Protocol) -> Figure {
    let drawn = Drawn::of(protocol);
    let caption = format!(
        "The rule of multiplicity as a graph, one-sided \u{3b1} {}. In each box the endpoint and its share \
         of \u{3b1}; an arrow says which part of that share goes where once the endpoint is met",
        number((1.0 - protocol.analysis.level) / 2.0)
    );
    let alt = drawn.as_ref().map_or_else(|| "The rule of multiplicity is no graph.".to_owned(), Drawn::words);
    let drawings = drawn.iter().map(canvas).collect();
    Figure::drawn("multiplicity-graph", (caption, alt), drawings, |_| "Multiplicity as a graph".to_owned())
}

/// Where the boxes stand: a row of two, else around an ellipse from the top on, so that no arrow passes
/// behind a third box.
fn centres(count: usize) -> (Vec<(f64, f64)>, f64) {
    if count == 2 {
        let y = BOX.1 / 2.0 + 46.0;
        return (vec![(WIDTH * 0.22, y), (WIDTH * 0.78, y)], BOX.1 + 92.0);
    }
    let reach = (WIDTH / 2.0 - BOX.0 / 2.0 - 12.0, 70.0 + 26.0 * count as f64);
    let middle = (WIDTH / 2.0, reach.1 + BOX.1 / 2.0 + 12.0);
    let at = |index: usize| {
        let angle = std::f64::consts::TAU * index as f64 / count as f64 - std::f64::consts::FRAC_PI_2;
        (middle.0 + reach.0 * angle.cos(), middle.1 + reach.1 * angle.sin())
    };
    ((0..count).map(at).collect(), 2.0 * middle.1)
}

/// The point at which the way from inside a box leaves it: `aside` is where it begins, from the box's centre.
fn edge(centre: (f64, f64), aside: (f64, f64), (dx, dy): (f64, f64)) -> (f64, f64) {
    let part = |half: f64, from: f64, step: f64| {
        if step == 0.0 { f64::INFINITY } else { (half - step.signum() * from) / step.abs() }
    };
    let part = part(BOX.0 / 2.0, aside.0, dx).min(part(BOX.1 / 2.0, aside.1, dy)).clamp(0.0, 1.0);
    (centre.0 + aside.0 + part * dx, centre.1 + aside.1 + part * dy)
}

fn canvas(drawn: &Drawn) -> Canvas {
    let (centres, height) = centres(drawn.nodes.len());
    let mut canvas = Canvas::new(WIDTH, height);
    let mut labels = Vec::new();
    for (from, to, part) in drawn.arrows() {
        let (start, end) = (centres[from], centres[to]);
        let (dx, dy) = (end.0 - start.0, end.1 - start.1);
        let length = dx.hypot(dy).max(1e-9);
        // Two ways between the same boxes run beside each other.
        let aside = if drawn.transitions[to][from] > 0.0 { 9.0 } else { 0.0 };
        let shift = (-dy / length * aside, dx / length * aside);
        let (tail, head) = (edge(start, shift, (dx, dy)), edge(end, shift, (-dx, -dy)));
        canvas.arrow(tail, head);
        // Nearer to where it comes from, so that ways that cross keep their labels apart.
        let at = (tail.0 + 0.36 * (head.0 - tail.0), tail.1 + 0.36 * (head.1 - tail.1));
        labels.push((at, number(part)));
    }
    for ((x, y), words) in labels {
        let half = 4.0 + 3.4 * words.chars().count() as f64;
        canvas.rect(x - half, y - 9.0, 2.0 * half, 18.0, "#ffffff", None);
        canvas.text((x, y + 4.4), LABEL, Anchor::Middle, INK, &words);
    }
    for (node, (x, y)) in drawn.nodes.iter().zip(&centres) {
        canvas.rect(x - BOX.0 / 2.0, y - BOX.1 / 2.0, BOX.0, BOX.1, PAPER, Some(Stroke::new(INK, AXIS)));
        let id = text::fit(&text::one_line(&node.id), TITLE, BOX.0 - 14.0);
        canvas.bold((*x, y - 5.0), TITLE, Anchor::Middle, INK, &id);
        let share = format!("{} \u{b7} \u{3b1} = {}", number(node.weight), number(node.weight * drawn.alpha));
        canvas.text((*x, y + 16.0), LABEL, Anchor::Middle, MUTED, &share);
    }
    canvas
}

#[cfg(test)]
mod tests;
