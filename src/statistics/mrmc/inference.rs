//! An estimate with its standard error, and what follows from a law of its statistic.

use crate::special::{incomplete_beta, normal_two_sided, t_two_sided, z_two_sided};

/// An estimate, its interval and its test against a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inference {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error, above 0.
    pub se: f64,
    /// Degrees of freedom of Student's law; none for the normal one.
    pub df: Option<f64>,
    /// Symmetric limits, not cut to a range.
    pub limits: (f64, f64),
    /// (estimate − value) / se.
    pub statistic: f64,
    /// Two-sided p value.
    pub p: f64,
}

impl Inference {
    /// By Student's law with `df` degrees of freedom, or the normal one, against the value `null`. None where
    /// the variance is not above 0 or the degrees of freedom are not.
    pub fn new(estimate: f64, variance: f64, df: Option<f64>, null: f64, level: f64) -> Option<Self> {
        let lawful = df.is_none_or(|df| df.is_finite() && df > 0.0);
        if !(variance > 0.0 && variance.is_finite() && lawful) {
            return None;
        }
        let se = variance.sqrt();
        let statistic = (estimate - null) / se;
        let (half, p) = match df {
            Some(df) => (t_two_sided(level, df) * se, t_two_sided_p(statistic, df)),
            None => (z_two_sided(level) * se, normal_two_sided(statistic)),
        };
        Some(Self { estimate, se, df, limits: (estimate - half, estimate + half), statistic, p })
    }

    /// P value of the hypothesis that the value is at most `bound`, against above it.
    pub fn p_above(&self, bound: f64) -> f64 {
        self.one_sided((self.estimate - bound) / self.se)
    }

    /// P value of the hypothesis that the value is at least `bound`, against below it.
    pub fn p_below(&self, bound: f64) -> f64 {
        self.one_sided((bound - self.estimate) / self.se)
    }

    /// P(statistic >= t) by the law.
    fn one_sided(&self, t: f64) -> f64 {
        let both = match self.df {
            Some(df) => t_two_sided_p(t, df),
            None => normal_two_sided(t),
        };
        if t >= 0.0 { both / 2.0 } else { 1.0 - both / 2.0 }
    }
}

/// Two-sided p value of Student's t with real degrees of freedom above 0.
pub fn t_two_sided_p(t: f64, df: f64) -> f64 {
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    incomplete_beta(df / (df + square), square / (df + square), df / 2.0, 0.5).0
}

/// P(F >= f) with real degrees of freedom above 0.
pub fn f_tail(f: f64, df1: f64, df2: f64) -> f64 {
    if f <= 0.0 {
        return 1.0;
    }
    let whole = df2 + df1 * f;
    incomplete_beta(df2 / whole, df1 * f / whole, df2 / 2.0, df1 / 2.0).0
}
