//! What the declared expected performance means for goals, margins and the planned size.

use super::Look;
use crate::diagnostic::Code;
use crate::protocol::question::{Asked, Question};
use crate::protocol::{Expected, Role};

/// With less power an endpoint is missed more often than met where the device is as expected.
const AS_OFTEN_AS_NOT: f64 = 0.5;

/// An endpoint of which something is expected.
struct Planned<'a> {
    id: &'a str,
    role: Role,
    /// What has to be shown, as it was declared.
    claim: String,
    /// Where it stands.
    place: String,
    expected: &'a Expected,
}

impl Look<'_> {
    /// Whether what is expected can show what is claimed, at all and with as many cases as are planned.
    pub(super) fn planned(&mut self) {
        let protocol = self.protocol;
        for endpoint in &protocol.endpoints {
            let (Some(expected), Some(criterion)) = (protocol.planning.of(endpoint), &endpoint.criterion)
            else {
                continue;
            };
            let claim = format!("the criterion \"{}\"", criterion.text);
            let place = format!("{}.criterion", self.endpoint_place(&endpoint.id));
            let planned = Planned { id: &endpoint.id, role: endpoint.role, claim, place, expected };
            self.asked(&planned, &protocol.question(endpoint));
        }
        for endpoint in &protocol.comparisons {
            let Some(expected) = protocol.planning.of_id(&endpoint.id) else { continue };
            let claim = format!("{} with a margin of {}", endpoint.aim.id(), endpoint.margin);
            let place = format!("{}.aim", self.endpoint_place(&endpoint.id));
            let planned = Planned { id: &endpoint.id, role: endpoint.role, claim, place, expected };
            self.asked(&planned, &protocol.compared_question(endpoint, Some(expected)));
        }
    }

    fn asked<Q: Question>(&mut self, planned: &Planned<'_>, asked: &Asked<Q>) {
        let Asked::Question(question) = asked else { return };
        let Planned { id, role, claim, place, expected } = planned;
        let value = match expected.comparator {
            Some(other) => format!("{} and {other}", expected.value),
            None => expected.value.to_string(),
        };
        if !question.satisfies(expected.value) {
            let message = format!(
                "`{id}` is expected to be {value}, which does not satisfy {claim}: no number of cases \
                 shows it"
            );
            let hint = "another goal or margin, or another device; where more is hoped for than expected, \
                        say so in [[expected]]";
            return self.asks(Code::GoalBeyondExpected, place, message, hint);
        }
        let Some(target) = self.protocol.sample.target else { return };
        let cases = target.cases as f64;
        let power = question
            .exact_power(expected.value, cases)
            .unwrap_or_else(|| question.power(expected.value, cases));
        let wanted = self.protocol.planning.power;
        // Looked for where it is said alone: it takes its time.
        let hint = || match question.needed(expected.value, wanted) {
            Some(n) => {
                format!(
                    "{n} sampled cases have a power of {wanted}; `sequester plan` shows power against \
                         size"
                )
            }
            None => "no number of cases up to a million suffices: another goal, or another device".to_owned(),
        };
        // Too few cases for a secondary endpoint are no fault of the study.
        if power < AS_OFTEN_AS_NOT && *role != Role::Secondary {
            let message = format!(
                "`{id}` is expected to be {value}, and {} cases show {claim} with a probability of \
                 {power:.2} alone: it is missed more often than met",
                target.cases
            );
            self.asks(Code::GoalBeyondExpected, place, message, hint());
        } else if power < wanted && *role != Role::Secondary {
            let message = format!(
                "`{id}` is expected to be {value}, and {} cases show {claim} with a probability of \
                 {power:.2}, where `planning.power` asks for {wanted}",
                target.cases
            );
            self.asks(Code::PowerShort, place, message, hint());
        }
    }
}
