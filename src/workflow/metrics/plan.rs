//! Which intervals each metric gets, and what would take too long.

use super::asked::{Asked, Bootstrap};
use crate::statistics::estimate::IntervalMethod;
use crate::statistics::metric::{Metric, Plan};

/// Statistics by brute-force leave-one-out are offered up to this many cases.
const MOST_CASES_FOR_JACKKNIFE: usize = 5000;
/// Unless asked for by --metric, model fits are bootstrapped up to this many cases times replicates,
const MOST_WORK_FOR_FITS: u64 = 10_000_000;
/// and statistics that pass over all cases in each replicate up to this many: about a minute each on one
/// core.
const MOST_WORK_FOR_PASSES: u64 = 4_000_000_000;

/// Whether a bootstrap of so many cases takes so long that it has to be asked for by --metric.
pub fn left_out(asked: &Asked, metric: Metric, n: usize) -> bool {
    let most = match metric {
        _ if metric.is_fitted() => MOST_WORK_FOR_FITS,
        Metric::AveragePrecision | Metric::PartialAuc => MOST_WORK_FOR_PASSES,
        _ if metric.needs_probabilities() => MOST_WORK_FOR_PASSES,
        _ => return false,
    };
    !asked.named && asked.bootstrap.replicates().saturating_mul(n as u64) > most
}

/// All methods that are to be shown for a metric on so many cases.
pub fn plan(asked: &Asked, metric: Metric, n: usize) -> Plan {
    use IntervalMethod as By;
    let mut methods = vec![
        By::Delong,
        By::DelongLogit,
        By::HanleyMcneil,
        By::UStatistic,
        By::ClopperPearson,
        By::Wilson,
        By::AgrestiCoull,
        By::Jeffreys,
        By::Log,
        By::Wald,
        By::Hoeffding,
    ];
    if asked.clustered {
        methods.splice(0..0, [By::Obuchowski, By::KornGraubard, By::ClopperPearsonPatients]);
    }
    let fit = metric.is_fitted();
    let weighted =
        metric.needs_probabilities() || matches!(metric, Metric::AveragePrecision | Metric::PartialAuc);
    let too_long = left_out(asked, metric, n);
    if asked.bootstrap == Bootstrap::Exact {
        methods.push(By::BootstrapExact);
    }
    if asked.bootstrap.replicates() > 0 && !too_long {
        methods.extend([By::BootstrapPercentile, By::BootstrapBasic]);
        if !weighted || (n <= MOST_CASES_FOR_JACKKNIFE && !fit) || asked.named {
            methods.push(By::BootstrapBca);
        }
    }
    Plan {
        partial_fpr: asked.max_fpr,
        bin_edges: asked.bin_edges.clone(),
        ..Plan::new(asked.level, methods, asked.unit, asked.bootstrap.replicates(), asked.seed)
    }
}
