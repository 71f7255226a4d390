//! A graph of hypotheses that pass their share of α on once they are rejected (Bretz, Maurer, Brannath and
//! Posch 2009): gatekeeping, fallback and fixed sequence are such graphs.

/// Shares of α and where each goes once its hypothesis is rejected.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    weights: Vec<f64>,
    /// `[i][j]`: the part of i's share that goes to j.
    transitions: Vec<Vec<f64>>,
}

/// What is wrong with a graph. Places count from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum GraphFault {
    /// There is no hypothesis.
    Empty,
    /// As many rows, and entries of each row, as weights are needed.
    Shape {
        /// How many hypotheses there are by the weights.
        hypotheses: usize,
    },
    /// A weight is no share in 0..1.
    Weight {
        /// Which.
        of: usize,
        /// Its weight.
        weight: f64,
    },
    /// The weights add up to more than 1.
    Weights {
        /// To this.
        sum: f64,
    },
    /// A transition is no share in 0..1.
    Transition {
        /// From here.
        from: usize,
        /// To there.
        to: usize,
        /// The part.
        part: f64,
    },
    /// A hypothesis passes on to itself.
    Loop {
        /// Which.
        at: usize,
    },
    /// A row adds up to more than 1.
    Transitions {
        /// The row.
        from: usize,
        /// Its sum.
        sum: f64,
    },
}

impl GraphFault {
    /// In words, with the names of the hypotheses.
    pub fn describe(&self, names: &[String]) -> String {
        let name = |i: &usize| names.get(*i).map_or("", String::as_str);
        match self {
            Self::Empty => "there is no hypothesis".to_owned(),
            Self::Shape { hypotheses } => {
                format!("{hypotheses} hypotheses need {hypotheses} rows of {hypotheses} transitions")
            }
            Self::Weight { of, weight } => format!("the share of `{}` is {weight}, not in 0 to 1", name(of)),
            Self::Weights { sum } => format!("the shares of α add up to {sum}, more than 1"),
            Self::Transition { from, to, part } => {
                format!("`{}` passes {part} on to `{}`, not a share in 0 to 1", name(from), name(to))
            }
            Self::Loop { at } => format!("`{}` passes on to itself", name(at)),
            Self::Transitions { from, sum } => {
                format!("`{}` passes on {sum} of its share, more than all of it", name(from))
            }
        }
    }
}

/// Sums of typed shares such as .1 + .2 + .7 may exceed 1 by rounding.
const ROUNDING: f64 = 1e-9;

/// One rejection of a graph, as it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which hypothesis.
    pub rejected: usize,
    /// Its share of α then.
    pub weight: f64,
    /// The adjusted p value by which it goes.
    pub adjusted: f64,
}

/// p/w; without a share nothing is ever rejected, be p what it may.
pub(super) fn weighted_p(p: f64, weight: f64) -> f64 {
    if weight > 0.0 { p / weight } else { f64::INFINITY }
}

impl Graph {
    /// A graph with checked shares.
    ///
    /// # Errors
    /// The first fault.
    pub fn new(weights: Vec<f64>, transitions: Vec<Vec<f64>>) -> Result<Self, GraphFault> {
        let m = weights.len();
        if m == 0 {
            return Err(GraphFault::Empty);
        }
        if transitions.len() != m || transitions.iter().any(|row| row.len() != m) {
            return Err(GraphFault::Shape { hypotheses: m });
        }
        let is_share = |x: f64| (0.0..=1.0).contains(&x);
        if let Some(of) = (0..m).find(|i| !is_share(weights[*i])) {
            return Err(GraphFault::Weight { of, weight: weights[of] });
        }
        let sum: f64 = weights.iter().sum();
        if sum > 1.0 + ROUNDING {
            return Err(GraphFault::Weights { sum });
        }
        for (from, row) in transitions.iter().enumerate() {
            if let Some(to) = (0..m).find(|j| !is_share(row[*j])) {
                return Err(GraphFault::Transition { from, to, part: row[to] });
            }
            if row[from] != 0.0 {
                return Err(GraphFault::Loop { at: from });
            }
            let sum: f64 = row.iter().sum();
            if sum > 1.0 + ROUNDING {
                return Err(GraphFault::Transitions { from, sum });
            }
        }
        Ok(Self { weights, transitions })
    }

    /// The fallback procedure: each hands its share to the next, the last to none.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn in_order(weights: &[f64]) -> Result<Self, GraphFault> {
        let m = weights.len();
        let row = |i: usize| (0..m).map(|j| f64::from(u8::from(j == i + 1))).collect();
        Self::new(weights.to_vec(), (0..m).map(row).collect())
    }

    /// Holm's procedure: equal shares that go to all others alike.
    pub fn holm(hypotheses: usize) -> Option<Self> {
        let others = (hypotheses as f64 - 1.0).max(1.0);
        let row =
            |i: usize| (0..hypotheses).map(|j| if i == j { 0.0 } else { 1.0 / others }).collect::<Vec<f64>>();
        let weights = vec![1.0 / hypotheses.max(1) as f64; hypotheses];
        Self::new(weights, (0..hypotheses).map(row).collect()).ok()
    }

    /// How many hypotheses.
    pub fn hypotheses(&self) -> usize {
        self.weights.len()
    }

    /// Shares of α.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// `[i][j]`: the part of i's share that goes to j.
    pub fn transitions(&self) -> &[Vec<f64>] {
        &self.transitions
    }

    /// The graph without one hypothesis: its share goes along its transitions, and ways through it become
    /// ways of their own (Bretz 2009, algorithm 1).
    fn without(&mut self, gone: usize, live: &[bool]) {
        let m = self.hypotheses();
        let before = self.transitions.clone();
        for i in (0..m).filter(|i| live[*i] && *i != gone) {
            self.weights[i] += self.weights[gone] * before[gone][i];
            let back = 1.0 - before[i][gone] * before[gone][i];
            for j in (0..m).filter(|j| live[*j] && *j != gone) {
                self.transitions[i][j] = match i != j && back > 0.0 {
                    true => (before[i][j] + before[i][gone] * before[gone][j]) / back,
                    false => 0.0,
                };
            }
        }
        self.weights[gone] = 0.0;
        for i in 0..m {
            self.transitions[i][gone] = 0.0;
            self.transitions[gone][i] = 0.0;
        }
    }

    /// What is left once these are rejected, in any order: shares and transitions of the others, 0 for these.
    pub fn after(&self, rejected: &[bool]) -> Self {
        let mut graph = self.clone();
        let mut live = vec![true; self.hypotheses()];
        for gone in 0..self.hypotheses() {
            if rejected.get(gone).copied().unwrap_or(false) {
                live[gone] = false;
                graph.without(gone, &live);
            }
        }
        graph
    }

    /// Rejections in their order, as far as α could reach: of those that are left the one with the least p/w.
    pub fn steps(&self, p: &[f64]) -> Vec<Step> {
        let m = self.hypotheses();
        let mut graph = self.clone();
        let mut live = vec![true; m];
        let (mut steps, mut most) = (Vec::new(), 0.0_f64);
        let p_of = |i: usize| p.get(i).copied().unwrap_or(1.0);
        loop {
            let of = |i: usize| weighted_p(p_of(i), graph.weights[i]);
            let left = (0..m).filter(|i| live[*i] && of(*i).is_finite());
            let Some(next) = left.min_by(|i, j| of(*i).total_cmp(&of(*j)).then(i.cmp(j))) else {
                return steps;
            };
            most = most.max(of(next));
            steps.push(Step { rejected: next, weight: graph.weights[next], adjusted: most.min(1.0) });
            live[next] = false;
            graph.without(next, &live);
        }
    }

    /// Adjusted p values by the shortcut.
    pub fn adjusted(&self, p: &[f64]) -> Vec<f64> {
        let mut out = vec![1.0; self.hypotheses()];
        for step in self.steps(p) {
            out[step.rejected] = step.adjusted;
        }
        out
    }
}
