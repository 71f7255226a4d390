//! The cumulative sum chart itself.

use super::run_length::Sides;

/// A sum that lies above the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Values have become larger.
    Up,
    /// Values have become smaller.
    Down,
}

/// A chart before its first value. Page (1954); in the form with two sums, Lucas and Crosier (1982, *Fast
/// initial response for CUSUM quality-control schemes*, Technometrics 24), without their head start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cusum {
    /// Reference value in standard deviations of a value: half the shift that is to be found.
    pub reference_value: f64,
    /// An alarm is a sum above it; in standard deviations.
    pub limit: f64,
    /// Which sums decide: up, down.
    pub watched: [bool; 2],
}

/// Where the sums stand after a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChartPoint {
    /// The sum upwards, from 0.
    pub up: f64,
    /// The sum downwards, from 0.
    pub down: f64,
    /// The side on which the chart signals here. Both: the larger one.
    pub alarm: Option<Side>,
}

impl Cusum {
    /// Which run lengths hold for it.
    pub fn sides(&self) -> Sides {
        if self.watched == [true, true] { Sides::Two } else { Sides::One }
    }

    /// The sums after each standardised value: C⁺ = max(0, C⁺ + z − k), C⁻ = max(0, C⁻ − z − k). With
    /// `restart`, both begin again at 0 behind an alarm, as after a cause that was looked for; without it
    /// they go on.
    pub fn points(&self, values: &[f64], restart: bool) -> Vec<ChartPoint> {
        let mut sums = [0.0_f64; 2];
        let mut points = Vec::with_capacity(values.len());
        for z in values {
            let point = self.step(sums, *z);
            points.push(point);
            sums = if point.alarm.is_some() && restart { [0.0; 2] } else { [point.up, point.down] };
        }
        points
    }

    /// The point behind sums up and down and one more value.
    pub fn step(&self, [up, down]: [f64; 2], z: f64) -> ChartPoint {
        let up = (up + z - self.reference_value).max(0.0);
        let down = (down - z - self.reference_value).max(0.0);
        let above = |sum: f64, watched: bool| watched && sum > self.limit;
        let alarm = match (above(up, self.watched[0]), above(down, self.watched[1])) {
            (true, true) => Some(if up >= down { Side::Up } else { Side::Down }),
            (true, false) => Some(Side::Up),
            (false, true) => Some(Side::Down),
            (false, false) => None,
        };
        ChartPoint { up, down, alarm }
    }
}
