//! How long examinations wait to be read, without a triage device and with one: a queue with one reading
//! place, Poisson arrivals and any law of reading times (M/G/1) with two classes of priority.
//!
//! Without a device examinations are read in the order in which they come (Pollaczek-Khinchine). With one,
//! flagged examinations come first. Means of waiting by class, until reading begins: non-preemptive (Cobham
//! 1954), where a reading that was begun is ended first; preemptive resume (Conway, Maxwell and Miller 1967,
//! chapter 8), where it is interrupted. That a triage device is judged by the difference of the mean waiting
//! of examinations with the finding is the proposal of Thompson et al. 2024 (Queueing Systems 108, 579 to
//! 610).
//!
//! The unit of time is the caller's, one and the same throughout.

use crate::proportion::Limits;

/// The law of a reading time, as far as means of waiting depend on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadingTime {
    /// Mean, above 0.
    pub mean: f64,
    /// Coefficient of variation, from 0; 1 is that of the exponential law, 0 that of a constant.
    pub cv: f64,
}

impl ReadingTime {
    /// E[S²] = mean²·(1 + cv²).
    fn second_moment(self) -> f64 {
        self.mean * self.mean * (1.0 + self.cv * self.cv)
    }
}

/// Whether a flagged examination waits for the end of a reading that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// It waits.
    NonPreemptive,
    /// It does not; what was interrupted is resumed where it was left.
    Preemptive,
}

/// What comes to be read, and how fast it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worklist {
    /// Examinations per unit of time, above 0.
    pub arrivals: f64,
    /// Share of them with the finding, in 0..1.
    pub prevalence: f64,
    /// Reading of one with the finding.
    pub positive: ReadingTime,
    /// Reading of one without it.
    pub negative: ReadingTime,
    /// How the flagged come first.
    pub discipline: Discipline,
}

/// Means of waiting until reading begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waits {
    /// Any examination, in order of arrival.
    pub without_device: f64,
    /// A flagged one.
    pub flagged: f64,
    /// One that is not flagged.
    pub unflagged: f64,
    /// One with the finding, flagged or missed.
    pub positive: f64,
    /// One without the finding, flagged in vain or not.
    pub negative: f64,
    /// Share of examinations that are flagged.
    pub flagged_share: f64,
}

impl Worklist {
    /// Share of time in which somebody reads. From 1 on the list grows without bound.
    pub fn occupancy(&self) -> f64 {
        let Self { arrivals, prevalence, positive, negative, .. } = self;
        arrivals * (prevalence * positive.mean + (1.0 - prevalence) * negative.mean)
    }

    /// Means of waiting with a device of this sensitivity and specificity, each in 0..=1. None where the list
    /// grows without bound.
    pub fn waits(&self, sensitivity: f64, specificity: f64) -> Option<Waits> {
        let occupancy = self.occupancy();
        if occupancy.is_nan() || occupancy >= 1.0 {
            return None;
        }
        let p = self.prevalence;
        let true_positive = self.arrivals * p * sensitivity;
        let false_positive = self.arrivals * (1.0 - p) * (1.0 - specificity);
        let flagged_work = true_positive * self.positive.mean + false_positive * self.negative.mean;
        let half = |positive: f64, negative: f64| {
            (positive * self.positive.second_moment() + negative * self.negative.second_moment()) / 2.0
        };
        // Mean of what is left of the reading that an arrival meets: of all, and of the flagged alone.
        let left = half(self.arrivals * p, self.arrivals * (1.0 - p));
        let left_flagged = half(true_positive, false_positive);
        let without_device = left / (1.0 - occupancy);
        let flagged = match self.discipline {
            Discipline::NonPreemptive => left / (1.0 - flagged_work),
            Discipline::Preemptive => left_flagged / (1.0 - flagged_work),
        };
        // Until reading begins the last class waits alike under both: for all that comes before it.
        let unflagged = left / ((1.0 - flagged_work) * (1.0 - occupancy));
        let mixed = |share: f64| share * flagged + (1.0 - share) * unflagged;
        Some(Waits {
            without_device,
            flagged,
            unflagged,
            positive: mixed(sensitivity),
            negative: mixed(1.0 - specificity),
            flagged_share: (true_positive + false_positive) / self.arrivals,
        })
    }

    /// The least and the greatest of a quantity over every sensitivity and specificity within limits, on a
    /// grid of [`STEPS`] each way that has the corners. Where both limits hold at once, these do.
    pub fn over(
        &self,
        sensitivity: Limits,
        specificity: Limits,
        quantity: impl Fn(&Waits) -> f64,
    ) -> Option<Limits> {
        let at =
            |(lower, upper): Limits, step: u32| lower + (upper - lower) * f64::from(step) / f64::from(STEPS);
        let mut limits = (f64::INFINITY, f64::NEG_INFINITY);
        for (row, column) in (0..=STEPS).flat_map(|row| (0..=STEPS).map(move |column| (row, column))) {
            let value = quantity(&self.waits(at(sensitivity, row), at(specificity, column))?);
            limits = (limits.0.min(value), limits.1.max(value));
        }
        Some(limits)
    }
}

/// Steps of the grid from the lower to the upper limit.
const STEPS: u32 = 40;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::Stream;

    fn worklist(discipline: Discipline) -> Worklist {
        Worklist {
            arrivals: 0.12,
            prevalence: 0.2,
            positive: ReadingTime { mean: 8.0, cv: 1.0 },
            negative: ReadingTime { mean: 5.0, cv: 0.0 },
            discipline,
        }
    }

    #[test]
    fn the_single_queue_is_that_of_text_books() {
        // M/M/1 waits rho/(mu - lambda), M/D/1 half of it.
        for (cv, share) in [(1.0, 1.0), (0.0, 0.5)] {
            let law = ReadingTime { mean: 5.0, cv };
            let list =
                Worklist { arrivals: 0.1, positive: law, negative: law, ..worklist(Discipline::Preemptive) };
            let waits = list.waits(0.9, 0.8).expect("stable");
            let exact = share * 0.5 / (0.2 - 0.1);
            assert!((waits.without_device - exact).abs() < 1e-12, "{waits:?}");
        }
    }

    /// The second route: readings one after another, with times that are drawn. Means of waiting of the
    /// flagged and of the others, after a first part that is left out.
    fn simulated(list: &Worklist, sensitivity: f64, specificity: f64, examinations: u32) -> (f64, f64) {
        let mut stream = Stream::new(20_240_921, 1);
        let exponential = |stream: &mut Stream, mean: f64| -mean * (1.0 - stream.unit()).ln();
        let mut arrivals = Vec::new();
        let mut clock = 0.0;
        for _ in 0..examinations {
            clock += exponential(&mut stream, 1.0 / list.arrivals);
            let positive = stream.unit() < list.prevalence;
            let flagged = stream.unit() < if positive { sensitivity } else { 1.0 - specificity };
            let law = if positive { list.positive } else { list.negative };
            let reading = if law.cv == 0.0 { law.mean } else { exponential(&mut stream, law.mean) };
            arrivals.push((clock, flagged, reading));
        }
        let mut waiting: [std::collections::VecDeque<(f64, f64, bool)>; 2] = Default::default();
        let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
        let mut now = 0.0;
        let mut coming = arrivals.into_iter().peekable();
        let mut seen = 0;
        loop {
            while let Some((at, flagged, reading)) = coming.next_if(|(at, _, _)| *at <= now) {
                waiting[usize::from(!flagged)].push_back((at, reading, false));
            }
            let class = usize::from(waiting[0].is_empty());
            let Some((at, reading, begun)) = waiting[class].pop_front() else {
                match coming.peek() {
                    Some((at, _, _)) => now = *at,
                    None => break,
                }
                continue;
            };
            if !begun {
                seen += 1;
                if seen > examinations / 20 {
                    sums[class] += now - at;
                    counts[class] += 1.0;
                }
            }
            // A flagged arrival interrupts; the rest of the reading stands first among its class.
            let next = coming.peek().filter(|(next, flagged, _)| {
                list.discipline == Discipline::Preemptive && class == 1 && *flagged && *next < now + reading
            });
            let unflagged_before = class == 1 && list.discipline == Discipline::Preemptive;
            if let Some((next, _, _)) = next {
                let left = reading - (next - now);
                now = *next;
                waiting[1].push_front((at, left, true));
            } else if unflagged_before && coming.peek().is_some_and(|(next, _, _)| *next < now + reading) {
                let (next, flagged, further) = coming.next().expect("is there");
                let left = reading - (next - now);
                now = next;
                waiting[usize::from(!flagged)].push_back((next, further, false));
                waiting[1].push_front((at, left, true));
            } else {
                now += reading;
            }
        }
        (sums[0] / counts[0], sums[1] / counts[1])
    }

    #[test]
    fn means_are_those_of_a_simulation() {
        for discipline in [Discipline::NonPreemptive, Discipline::Preemptive] {
            let list = worklist(discipline);
            let exact = list.waits(0.9, 0.85).expect("stable");
            let (flagged, unflagged) = simulated(&list, 0.9, 0.85, 200_000);
            assert!((flagged / exact.flagged - 1.0).abs() < 0.03, "{discipline:?} {flagged} {exact:?}");
            assert!((unflagged / exact.unflagged - 1.0).abs() < 0.05, "{discipline:?} {unflagged} {exact:?}");
        }
    }

    #[test]
    fn a_list_that_grows_without_bound_has_no_mean() {
        let list = Worklist { arrivals: 0.2, ..worklist(Discipline::Preemptive) };
        assert!(list.occupancy() > 1.0);
        assert_eq!(list.waits(0.9, 0.9), None);
        assert_eq!(list.over((0.8, 0.9), (0.8, 0.9), |w| w.positive), None);
    }

    proptest! {
        #[test]
        fn work_is_conserved_where_readings_are_not_interrupted(
            arrivals in 0.01..0.1_f64, prevalence in 0.0..1.0_f64, cv in 0.0..2.0_f64,
            (sensitivity, specificity) in (0.0..1.0_f64, 0.0..1.0_f64),
        ) {
            // Kleinrock 1965: with one law of reading the mean over all is that of the single queue.
            let law = ReadingTime { mean: 6.0, cv };
            let list = Worklist {
                arrivals, prevalence, positive: law, negative: law, discipline: Discipline::NonPreemptive,
            };
            let waits = list.waits(sensitivity, specificity).expect("stable");
            let mean = waits.flagged_share * waits.flagged + (1.0 - waits.flagged_share) * waits.unflagged;
            prop_assert!((mean - waits.without_device).abs() < 1e-9 * (1.0 + mean), "{waits:?}");
            let preemptive = Worklist { discipline: Discipline::Preemptive, ..list };
            let interrupted = preemptive.waits(sensitivity, specificity).expect("stable");
            prop_assert!(interrupted.flagged <= waits.flagged + 1e-12);
            let (low, high) = list
                .over((sensitivity * 0.9, sensitivity), (specificity * 0.9, specificity), |w| w.positive)
                .expect("stable");
            prop_assert!(low <= waits.positive && waits.positive <= high);
        }
    }
}
