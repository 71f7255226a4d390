//! Endpoints that are compared with a predicate or with readers: the same questions that endpoints with a
//! goal are asked.

use super::Look;
use super::endpoints::FEW;
use crate::diagnostic::Code;
use crate::protocol::comparisons::wide;
use crate::protocol::{Against, ComparativeEndpoint, Role};
use crate::statistics::comparative::Aim;
use crate::statistics::comparative::deciding::PAIRED;
use crate::statistics::estimate::IntervalMethod;
use crate::statistics::metric::{Fallback, Metric};

impl Look<'_> {
    pub(super) fn compared(&mut self) {
        let protocol = self.protocol;
        for (index, endpoint) in protocol.comparisons.iter().enumerate() {
            let place = self.endpoint_place(&endpoint.id);
            self.of_interval(endpoint, &place);
            self.of_mixture(endpoint, &place);
            let asks = |other: &&ComparativeEndpoint| {
                (other.metric, other.against, other.aim) == (endpoint.metric, endpoint.against, endpoint.aim)
                    && (other.margin, other.prevalence) == (endpoint.margin, endpoint.prevalence)
            };
            if let Some(twin) = protocol.comparisons[..index].iter().find(asks) {
                self.asks(
                    Code::EndpointRepeated,
                    &format!("{place}.metric"),
                    format!("the endpoints `{}` and `{}` ask the same of one metric", twin.id, endpoint.id),
                    "keep one: a question that is asked twice counts twice where levels are divided",
                );
            }
            if endpoint.aim != Aim::Superiority
                && let Some(problem) = wide(&endpoint.id, endpoint.margin, endpoint.metric.id())
            {
                self.found.push(problem.at(self.places.at(&format!("{place}.margin"))));
            }
        }
    }

    fn of_interval(&mut self, endpoint: &ComparativeEndpoint, place: &str) {
        use IntervalMethod::{Delong, Delta, Obuchowski, Wald};
        let id = &endpoint.id;
        // Nothing stands in for the interval of a reader study, and its methods mind patients themselves.
        if endpoint.against.is_reader_study() {
            return;
        }
        if endpoint.role == Role::Primary && endpoint.fallback == Fallback::None {
            self.asks(
                Code::FallbackNone,
                &format!("{place}.fallback"),
                format!("where the interval of `{id}` is none or sees no spread, the study shows nothing"),
                "`fallback = \"effective-number\"` or \"patients\" judges it by an exact interval then",
            );
        }
        let Some(method) = endpoint.interval else { return };
        let at = format!("{place}.interval");
        let alone = method == Delong || PAIRED.contains(&method);
        if alone && !self.protocol.sample.one_image_per_patient {
            self.asks(
                Code::IntervalAssumesOneImage,
                &at,
                format!(
                    "`{id}` takes every case as independent (`{}`), and several images of a patient may be \
                     drawn",
                    method.id()
                ),
                "leave `interval` out: then it is one that fits the cases; or declare `obuchowski` or \
                 `delta`",
            );
        }
        let Some(target) = self.protocol.sample.target else { return };
        let positives = target.positives.unwrap_or(target.cases);
        let smaller = positives.min(target.cases - target.positives.unwrap_or(0));
        let counted = match endpoint.metric {
            Metric::Sensitivity => positives,
            Metric::Specificity => target.cases - target.positives.unwrap_or(0),
            _ => smaller,
        };
        if matches!(method, Delong | Delta | Obuchowski | Wald) && counted < FEW {
            self.asks(
                Code::IntervalFewCases,
                &at,
                format!(
                    "`{id}` takes its difference as normally distributed (`{}`), and {counted} cases at most \
                     count for it",
                    method.id()
                ),
                format!("draw at least {FEW} cases of each class, or declare `tango` or an exact interval"),
            );
        }
    }

    /// PPV, NPV and F1 without a prevalence are those of the sample.
    fn of_mixture(&mut self, endpoint: &ComparativeEndpoint, place: &str) {
        if !endpoint.metric.depends_on_prevalence() || endpoint.prevalence.is_some() {
            return;
        }
        let (id, metric, at) = (&endpoint.id, endpoint.metric.id(), format!("{place}.metric"));
        let hint = "declare the endpoint's own `prevalence`, that of intended use, and why";
        self.asks(
            Code::PrevalenceDependent,
            &at,
            format!("the endpoint `{id}` compares {metric} at the prevalence of the sample"),
            hint,
        );
        if let Some((positives, cases)) =
            self.protocol.sample.target.and_then(|t| t.positives.map(|p| (p, t.cases)))
        {
            let with = match endpoint.against {
                Against::Predicate => "the predicate",
                Against::ComparisonReaders | Against::UnaidedReaders | Against::ReaderPopulation => "readers",
            };
            self.asks(
                Code::SampleNotComparable,
                &at,
                format!(
                    "`{id}` compares {metric} with that of {with} in a sample with {positives} positives of \
                     {cases} by declaration: both are those of this mixture"
                ),
                hint,
            );
        }
    }
}
