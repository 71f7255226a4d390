//! Sensitivity analyses of the reference standard: the primary endpoints' metrics on the unanimous cases, by
//! each single reader, without each reader, with indeterminate answers counted both ways, and with split
//! votes turned for and against the device. Exploratory: nothing is judged here.

use super::cases::{Analysed, Columns, StudyCase, count};
use super::plan::{StudyPlan, is_judged};
use crate::protocol::{Endpoint, IndeterminateRule, ReaderRole, ReferenceRule, Role};
use crate::reads::consensus::{Basis, Consensus, Undecided, Voting, consensus};
use crate::reads::files::Read;
use crate::statistics::auc_bounds::{Extreme, extreme_labels};
use crate::statistics::estimate::Estimate;
use crate::statistics::metric::{Metric, Plan, decide, estimate};
use crate::statistics::warning::Warning;
use crate::study::results::{OtherStandard, OtherStandards, UnderOtherStandard};
use crate::study::{ReferenceStandard, yes_or_no};

/// More readers are not taken one by one.
const MOST_READERS: usize = 12;

/// What each drawn case is under some standard; `None`: nothing follows.
type Answers = Vec<Option<bool>>;

/// One other standard.
struct Other {
    standard: OtherStandard,
    reader: Option<String>,
    answers: Answers,
}

impl StudyPlan<'_> {
    /// Every analysis that the declared rule and the reads allow.
    pub(super) fn other_standards(
        &self,
        drawn: &[StudyCase],
        reference: &ReferenceStandard,
    ) -> OtherStandards {
        let standards = Standards { rule: &self.protocol.reference_standard, drawn, reference };
        let (answers, mut left_out) = standards.all();
        let mut analyses: Vec<UnderOtherStandard> = answers
            .into_iter()
            .map(|other| {
                let cases = analysed(drawn, &other.answers);
                let estimates = self.primary().map(|endpoint| self.deciding(endpoint, &cases)).collect();
                described(other, drawn, estimates)
            })
            .collect();
        let splits = standards.splits();
        let any = splits.iter().zip(drawn).any(|(split, case)| *split && case.score.is_some());
        if any {
            analyses.push(self.turned(drawn, &splits, Extreme::Largest));
            analyses.push(self.turned(drawn, &splits, Extreme::Smallest));
        } else if standards.rule.rule.is_vote() {
            left_out.push("split votes turned: no votes differ on a case that has a score".to_owned());
        }
        OtherStandards { exploratory: true, analyses, left_out }
    }

    fn primary(&self) -> impl Iterator<Item = &Endpoint> {
        self.protocol.endpoints.iter().filter(|endpoint| endpoint.role == Role::Primary)
    }

    /// The metric of an endpoint with the one interval that would decide the endpoint on these cases.
    fn deciding(&self, endpoint: &Endpoint, cases: &[Analysed]) -> Estimate {
        let columns = Columns::of(cases);
        let (sample, threshold) = (columns.sample(), Some(self.threshold));
        let level = self.adjusted_level().filter(|_| is_judged(endpoint));
        let level = level.unwrap_or(self.protocol.analysis.level);
        let plan = Plan { level, ..self.plan(vec![endpoint.interval]) };
        let mut found = estimate(endpoint.metric, &sample, threshold, &plan);
        let (metric, rule) = (endpoint.metric, endpoint.fallback);
        let decision = decide(&found, metric, &sample, threshold, endpoint.interval, rule, &plan);
        found.intervals = decision.interval.into_iter().collect();
        if let Some(fault) = decision.fault {
            // What is said of the declared interval is of one that is not shown.
            found.warnings = vec![Warning::new(fault.code, fault.message)];
        }
        found.model = Some(endpoint.id.clone());
        found
    }

    /// Every case with differing votes and a score is what is best, or worst, for the device: for what is
    /// made from the 2×2 table as the device calls it, for the AUC by the labels that are found to be
    /// extreme.
    fn turned(&self, drawn: &[StudyCase], splits: &[bool], extreme: Extreme) -> UnderOtherStandard {
        let with = |turn: &dyn Fn(usize, f64) -> bool| -> Answers {
            let answer = |(place, (case, split)): (usize, (&StudyCase, &bool))| match case.score {
                Some(score) if *split => Some(turn(place, score)),
                _ => case.consensus.positive(),
            };
            drawn.iter().zip(splits).enumerate().map(answer).collect()
        };
        let by_call = with(&|_, score| (score >= self.threshold) == (extreme == Extreme::Largest));
        let cases = analysed(drawn, &by_call);
        let by_rank = |endpoint: &Endpoint| {
            let (mut positives, mut negatives) = (Vec::new(), Vec::new());
            let (mut open, mut places) = (Vec::new(), Vec::new());
            for (place, (case, split)) in drawn.iter().zip(splits).enumerate() {
                match (case.score, case.consensus.positive()) {
                    (Some(score), _) if *split => {
                        open.push(score);
                        places.push(place);
                    }
                    (Some(score), Some(true)) => positives.push(score),
                    (Some(score), Some(false)) => negatives.push(score),
                    _ => {}
                }
            }
            let labels = extreme_labels(&positives, &negatives, &open, extreme);
            let mut positive = vec![false; drawn.len()];
            for (place, label) in places.into_iter().zip(labels) {
                positive[place] = label;
            }
            self.deciding(endpoint, &analysed(drawn, &with(&|place, _| positive[place])))
        };
        let estimates = self.primary().map(|endpoint| match endpoint.metric {
            Metric::Auc => by_rank(endpoint),
            metric if metric.is_of_table() => self.deciding(endpoint, &cases),
            metric => Estimate {
                id: metric.id().into(),
                model: Some(endpoint.id.clone()),
                not_evaluable: Some("no bound of it is known".to_owned()),
                ..Estimate::default()
            },
        });
        let estimates = estimates.collect();
        let standard = match extreme {
            Extreme::Largest => OtherStandard::SplitForDevice,
            Extreme::Smallest => OtherStandard::SplitAgainstDevice,
        };
        described(Other { standard, reader: None, answers: by_call }, drawn, estimates)
    }
}

/// Drawn cases that have an answer and a score.
fn analysed<'a>(drawn: &[StudyCase<'a>], answers: &Answers) -> Vec<Analysed<'a>> {
    let of = |(case, answer): (&StudyCase<'a>, &Option<bool>)| Some(case.analysed((*answer)?, case.score?));
    drawn.iter().zip(answers).filter_map(of).collect()
}

fn described(other: Other, drawn: &[StudyCase], estimates: Vec<Estimate>) -> UnderOtherStandard {
    let Other { standard, reader, answers } = other;
    let pairs = || drawn.iter().zip(&answers);
    let differs = |(case, answer): &(&StudyCase, &Option<bool>)| {
        answer.zip(case.consensus.positive()).is_some_and(|(new, declared)| new != declared)
    };
    UnderOtherStandard {
        standard,
        reader,
        cases: count(pairs().filter(|(case, answer)| answer.is_some() && case.score.is_some()).count()),
        without_answer: count(answers.iter().filter(|answer| answer.is_none()).count()),
        changed: count(pairs().filter(differs).count()),
        estimates,
    }
}

/// The reads of the drawn cases, and other standards from them.
struct Standards<'a> {
    rule: &'a ReferenceRule,
    drawn: &'a [StudyCase<'a>],
    reference: &'a ReferenceStandard,
}

impl Standards<'_> {
    /// Every other standard but turned split votes; and what there is not, and why.
    fn all(&self) -> (Vec<Other>, Vec<String>) {
        let (mut all, mut left_out) = (Vec::new(), Vec::new());
        let mut add = |standard, reader: Option<&String>, answers| {
            all.push(Other { standard, reader: reader.cloned(), answers });
        };
        if self.rule.rule.is_vote() {
            add(OtherStandard::UnanimousOnly, None, self.unanimous());
            let readers = self.reference.assembled.readers_of(&self.reference.roster, ReaderRole::Reference);
            if readers.len() <= MOST_READERS {
                for reader in &readers {
                    add(OtherStandard::OneReader, Some(reader), self.by(reader));
                }
                for reader in readers.iter().filter(|_| readers.len() > 1) {
                    add(OtherStandard::WithoutReader, Some(reader), self.without(reader));
                }
            } else {
                left_out.push(format!(
                    "each reader as the standard, and each left out: there are {} reference readers, and \
                     more than {MOST_READERS} are not taken one by one",
                    readers.len()
                ));
            }
        } else {
            left_out.push(format!(
                "unanimous cases, single readers, readers left out and split votes: under the rule `{}` no \
                 votes are counted",
                self.rule.rule.name()
            ));
        }
        if self.any_indeterminate() {
            for (kind, way) in [
                (OtherStandard::IndeterminatePositive, IndeterminateRule::Positive),
                (OtherStandard::IndeterminateNegative, IndeterminateRule::Negative),
            ] {
                add(kind, None, self.indeterminate(way));
            }
        } else {
            left_out.push("indeterminate answers both ways: no answer is indeterminate".to_owned());
        }
        (all, left_out)
    }

    /// The reads of the reference readers on a case, but those of one reader.
    fn reads(&self, case: &StudyCase, without: Option<&str>) -> Vec<Read> {
        let reads = self.reference.assembled.cases.get(&case.case.case_id);
        let votes = |(id, _): &(&str, &Read)| {
            self.reference.roster.role(id) == Some(ReaderRole::Reference) && Some(*id) != without
        };
        reads.into_iter().flat_map(|reads| reads.reads.iter()).filter(votes).map(|(_, read)| *read).collect()
    }

    fn unanimous(&self) -> Answers {
        let answer = |case: &StudyCase| match case.consensus {
            Consensus::Reached { positive, basis: Basis::Unanimous } => Some(positive),
            _ => None,
        };
        self.drawn.iter().map(answer).collect()
    }

    /// What one reader says; an indeterminate read counts as the protocol declares.
    fn by(&self, reader: &str) -> Answers {
        let answer = |case: &StudyCase| {
            let reads = self.reference.assembled.cases.get(&case.case.case_id)?;
            self.reference.voting.vote(*reads.reads.get(reader)?)
        };
        self.drawn.iter().map(answer).collect()
    }

    /// The declared rule without one reader: the numbers that follow from how many read a case are those of
    /// one fewer, and a declared number is at most as many as are left. Where readers differ by case, cases
    /// that the reader did not read stay as they are.
    fn without(&self, reader: &str) -> Answers {
        let declared = self.reference.roster.declared();
        let voters = declared.map(|_| self.reference.roster.of_role(ReaderRole::Reference).count() as u32);
        let left = self.reference.voting.readers.map(|readers| readers.saturating_sub(1).max(1));
        let fewer = ReferenceRule { readers: left.map(|n| n as u32), ..self.rule.clone() };
        let voting = Voting::of(&fewer, voters);
        let most = left.unwrap_or(usize::MAX);
        let voting = Voting {
            minimum_agreeing: voting.minimum_agreeing.min(most),
            minimum_reads: voting.minimum_reads.min(most),
            ..voting
        };
        let answer = |(case, adjudication): (&StudyCase, &Option<Read>)| {
            let reads = self.reference.assembled.cases.get(&case.case.case_id);
            let read = reads.is_some_and(|r| r.reads.contains_key(reader) || r.set_aside.contains(reader));
            if !read && !self.rule.fixed_readers {
                return case.consensus.positive();
            }
            consensus(&self.reads(case, Some(reader)), *adjudication, &voting).positive()
        };
        self.drawn.iter().zip(&self.reference.adjudications).map(answer).collect()
    }

    /// Whether an answer that the reference standard rests on is indeterminate.
    fn any_indeterminate(&self) -> bool {
        let is = |read: Option<Read>| read == Some(Read::Indeterminate);
        let given = self.reference.given.iter().flatten().any(|label| is(*label));
        let computed = || {
            self.drawn.iter().zip(&self.reference.adjudications).any(|(case, adjudication)| {
                is(*adjudication)
                    || self.rule.rule.is_vote() && self.reads(case, None).contains(&Read::Indeterminate)
            })
        };
        given || self.reference.given.is_none() && computed()
    }

    /// The declared rule with indeterminate answers of readers, adjudicators and tables counted one way.
    fn indeterminate(&self, way: IndeterminateRule) -> Answers {
        let voting = Voting { indeterminate: way, ..self.reference.voting };
        let decided = if way == IndeterminateRule::Positive { Read::Positive } else { Read::Negative };
        let as_said = |read: Option<Read>| read.map(|r| if r == Read::Indeterminate { decided } else { r });
        if let Some(given) = &self.reference.given {
            return given.iter().map(|label| yes_or_no(as_said(*label))).collect();
        }
        let answer = |(case, adjudication): (&StudyCase, &Option<Read>)| {
            consensus(&self.reads(case, None), as_said(*adjudication), &voting).positive()
        };
        self.drawn.iter().zip(&self.reference.adjudications).map(answer).collect()
    }

    /// Cases with votes both for and against the finding, however they were decided; not those that the
    /// protocol leaves out for another reason.
    fn splits(&self) -> Vec<bool> {
        let split = |case: &StudyCase| {
            let out = matches!(
                case.consensus,
                Consensus::None(Undecided::Uninterpretable | Undecided::TooFewReads)
            );
            let votes = self.reads(case, None);
            let has = |answer| votes.iter().any(|read| self.reference.voting.vote(*read) == Some(answer));
            self.rule.rule.is_vote() && !out && has(true) && has(false)
        };
        self.drawn.iter().map(split).collect()
    }
}
