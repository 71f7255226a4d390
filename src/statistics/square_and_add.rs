//! The difference of two independent estimates from their own limits: square-and-add, also called MOVER.

/// An estimate with its limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limited {
    /// The estimate.
    pub value: f64,
    /// Its lower limit.
    pub lower: f64,
    /// Its upper limit.
    pub upper: f64,
}

/// `a` less `b` with limits at the level of theirs (Zou and Donner 2008, equations 3 and 4; of Wilson's
/// limits of two proportions it is Newcombe 1998, method 10). Where the two are positively correlated the
/// interval is wider than need be.
pub fn difference(a: Limited, b: Limited) -> Limited {
    let value = a.value - b.value;
    let below = (a.value - a.lower).hypot(b.upper - b.value);
    let above = (a.upper - a.value).hypot(b.value - b.lower);
    Limited { value, lower: value - below, upper: value + above }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proportion::wilson;

    fn share(k: u64, n: u64) -> Limited {
        let (lower, upper) = wilson(k, n, 0.95);
        Limited { value: k as f64 / n as f64, lower, upper }
    }

    #[test]
    fn of_wilsons_limits_it_is_newcombes_method_10() {
        // Newcombe 1998, Statistics in Medicine 17:873, table II: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/20.
        for (a, b, printed) in [
            ((56, 70), (48, 80), [0.0524, 0.3339]),
            ((9, 10), (3, 10), [0.1705, 0.8090]),
            ((10, 10), (0, 20), [0.6791, 1.0000]),
        ] {
            let found = difference(share(a.0, a.1), share(b.0, b.1));
            assert!((found.lower - printed[0]).abs() < 5.1e-5, "{found:?} {printed:?}");
            assert!((found.upper - printed[1]).abs() < 5.1e-5, "{found:?} {printed:?}");
        }
    }

    #[test]
    fn it_is_turned_round_with_its_sides() {
        let (a, b) = (share(17, 40), share(30, 35));
        let (one, other) = (difference(a, b), difference(b, a));
        assert!((one.lower + other.upper).abs() < 1e-15 && (one.upper + other.lower).abs() < 1e-15);
    }
}
