//! `sequester design cusum`: how soon a chart of cumulative sums finds a shift, and how often it is wrong.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::domain::usage;
use crate::diagnostic::Result;
use crate::statistics::monitoring::{LARGEST_RUN_LENGTH, Sides, average_run_length, decision_limit};

/// Cumulative sums that watch a device in use: limits and average run lengths.
///
/// Values are in standard errors of a batch, independent and normal, and the sums start at 0 (Page 1954). A
/// shift of delta is found soonest with the reference value delta/2. Give the run length that is accepted in
/// control, and the limit follows, or the limit itself.
#[derive(Debug, Args)]
pub struct CusumDesignArgs {
    /// Reference value: half the shift that is to be found, in standard errors of a batch.
    #[arg(long, value_name = "K", default_value_t = 0.5)]
    reference_value: f64,
    /// Batches up to a false alarm that are accepted, on average.
    #[arg(long, value_name = "BATCHES", required_unless_present = "limit", conflicts_with = "limit")]
    run_length: Option<f64>,
    /// The limit that a sum is compared with.
    #[arg(long, value_name = "H")]
    limit: Option<f64>,
    /// One sum, or one upwards and one downwards.
    #[arg(long, value_enum, default_value_t = SidesWord::Two)]
    sides: SidesWord,
    /// Shifts whose run lengths are given, separated by commas.
    #[arg(
        long,
        value_name = "SHIFTS",
        value_delimiter = ',',
        allow_negative_numbers = true,
        default_values_t = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0]
    )]
    shift: Vec<f64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SidesWord {
    One,
    Two,
}

/// The limit and its run lengths, as JSON and as text.
///
/// # Errors
/// [`crate::diagnostic::Error::Usage`] for what no chart has.
pub fn cusum(args: &CusumDesignArgs) -> Result<(Value, String)> {
    let sides = match args.sides {
        SidesWord::One => Sides::One,
        SidesWord::Two => Sides::Two,
    };
    let k = args.reference_value;
    if !(0.0..=10.0).contains(&k) {
        return Err(usage(format!("the reference value is {k}, must be 0 to 10"), "0.5 is a usual one"));
    }
    let limit = match (args.limit, args.run_length) {
        (Some(limit), _) if limit > 0.0 && limit <= 60.0 => limit,
        (Some(limit), _) => {
            return Err(usage(
                format!("the limit is {limit}, must be above 0 and at most 60"),
                "give another",
            ));
        }
        (None, wanted) => {
            let wanted = wanted.unwrap_or_default();
            decision_limit(k, wanted, sides).ok_or_else(|| {
                let message = format!("no limit has a run length of {wanted} with a reference value of {k}");
                let hint = "single values alone have a longer one, or it is beyond 1e9";
                usage(message, hint)
            })?
        }
    };
    if let Some(wrong) = args.shift.iter().find(|shift| shift.is_nan() || shift.abs() > 20.0) {
        return Err(usage(
            format!("the shift is {wrong}, must be -20 to 20"),
            "shifts are in standard errors",
        ));
    }
    let lengths: Vec<(f64, Option<f64>)> =
        args.shift.iter().map(|shift| (*shift, average_run_length(k, limit, *shift, sides))).collect();
    let rows: Vec<Value> =
        lengths.iter().map(|(shift, length)| json!({"shift": shift, "run_length": length})).collect();
    let (word, sums) = match sides {
        Sides::One => ("one", "one sum"),
        Sides::Two => ("two", "two sums"),
    };
    let report =
        json!({"what": "cusum", "reference_value": k, "limit": limit, "sides": word, "run_lengths": rows});
    let mut text =
        format!("reference value {k}, limit {limit:.6}, {sums}\n{:>8}  {:>14}", "shift", "run length");
    for (shift, length) in lengths {
        let length = length.map_or(format!("above {LARGEST_RUN_LENGTH:e}"), |length| format!("{length:.4}"));
        text += &format!("\n{shift:>8}  {length:>14}");
    }
    Ok((report, text))
}
