//! Levels, replicates and prevalence.

use super::Look;
use crate::diagnostic::Code;
use crate::statistics::estimate::ResamplingUnit;

/// Quantiles of fewer replicates move by more than they are printed with (Efron and Tibshirani 1993,
/// section 13.3).
const REPLICATES: u64 = 1000;

/// So many replicates lie beyond each limit at least; with fewer a limit is one of the outermost of them.
const BEYOND: f64 = 5.0;

impl Look<'_> {
    pub(super) fn analysis(&mut self) {
        let analysis = &self.protocol.analysis;
        if analysis.level < 0.95 {
            self.asks(
                Code::LevelUnusual,
                "analysis.level",
                format!(
                    "the two-sided level is {}: a bound of it errs in {:.1} of 100 studies",
                    analysis.level,
                    50.0 * (1.0 - analysis.level)
                ),
                "reviewers expect a two-sided level of 0.95, or the reason why less will do",
            );
        }
        let draws = self.protocol.endpoints.iter().find(|e| e.interval.draws_replicates());
        let beyond = (2.0 * BEYOND / (1.0 - analysis.level)).round() as u64;
        let least = REPLICATES.max(beyond);
        if let Some(endpoint) = draws.filter(|_| analysis.replicates < least) {
            self.asks(
                Code::ReplicatesFew,
                "analysis.replicates",
                format!(
                    "the limits of `{}` are quantiles of {} replicates: another seed moves them",
                    endpoint.id, analysis.replicates
                ),
                format!("declare at least {least}"),
            );
        }
        let by_case =
            matches!(analysis.resampling_unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified);
        if by_case && !self.protocol.sample.one_image_per_patient {
            self.asks(
                Code::ResamplingIgnoresPatients,
                "analysis.resampling_unit",
                "the bootstrap draws single images, and several images of a patient may be in the sample",
                "`resampling_unit = \"patient\"`, or one image a patient (`sample.images_per_patient = \
                 \"one\"`)",
            );
        }
        let Some(prevalence) = analysis.intended_use_prevalence else { return };
        let share = self.protocol.sample.target.and_then(|t| Some(t.positives? as f64 / t.cases as f64));
        if share.is_some_and(|share| (share - prevalence).abs() < 0.005) {
            self.asks(
                Code::PrevalenceOfSample,
                "analysis.intended_use_prevalence",
                format!(
                    "the prevalence in intended use, {prevalence}, is the share of positives that the sample \
                         was enriched to"
                ),
                "give the prevalence among the patients whom the device will see, and its source",
            );
        }
    }
}
