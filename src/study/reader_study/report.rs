//! A reader study from its ratings: figures of merit of every reader, their means and differences by every
//! method, and the device alone beside the readers. What `sequester reads mrmc` prints, and what a study's
//! endpoints are judged by.

use super::asked::{Asked, usage};
use super::figures_of_merit::{Line, Merit, Names, Section, areas, shares};
use crate::diagnostic::{Diagnostic, Error, Result};
use crate::reads::ratings::Ratings;
use crate::statistics::comparative::Aim;
use crate::statistics::mrmc::analysis::Meeting;
use crate::statistics::mrmc::{Population, ReaderStudy};

/// The answer to the aim.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is compared.
    pub of: String,
    /// In words.
    pub words: String,
    /// Shown; none where there is no interval.
    pub shown: Option<bool>,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Report {
    /// The modalities that are compared, as they are named.
    pub modalities: Vec<String>,
    /// Readers.
    pub readers: Vec<String>,
    /// Negative and positive cases.
    pub cases: [usize; 2],
    /// Ratings.
    pub ratings: usize,
    /// Patients, where they are known.
    pub patients: Option<usize>,
    /// How readers and cases meet, in words.
    pub design: &'static str,
    /// Confidence level.
    pub level: f64,
    /// Figures of merit.
    pub merits: Vec<Merit>,
    /// The decision, where an aim was given.
    pub decision: Option<Decision>,
    /// How the file was read.
    pub notes: Vec<Diagnostic>,
}

/// The place of a modality that is named.
fn modality(ratings: &Ratings, name: &str) -> Result<usize> {
    ratings.modalities.iter().position(|known| known == name).ok_or_else(|| {
        usage(
            format!("no rating is of the modality `{name}`"),
            format!("the modalities are {}", ratings.modalities.join(", ")),
        )
    })
}

/// How readers and modalities meet; none where some readers are in one modality and some in all.
fn meeting(study: &ReaderStudy) -> Option<Meeting> {
    let readers = study.readers();
    if readers.windows(2).all(|two| two[0] == two[1]) {
        let apart = study.has_cases_within_readers();
        return Some(if apart { Meeting::CasesWithinReaders } else { Meeting::Crossed });
    }
    let all: usize = readers.iter().map(Vec::len).sum();
    let distinct: std::collections::BTreeSet<&usize> = readers.iter().flatten().collect();
    (distinct.len() == all).then_some(Meeting::ReadersWithinModalities)
}

impl Report {
    /// Of ratings.
    ///
    /// # Errors
    /// A modality that is not there, a reader without ratings of one class, an aim without two modalities.
    pub fn new(ratings: &Ratings, asked: &Asked) -> Result<Self> {
        let device = asked.device.as_deref().map(|name| modality(ratings, name)).transpose()?;
        let mut of: Vec<usize> = (0..ratings.modalities.len()).filter(|m| Some(*m) != device).collect();
        if let Some([first, second]) = &asked.between {
            of = vec![modality(ratings, first)?, modality(ratings, second)?];
            if of[0] == of[1] || of.iter().any(|m| Some(*m) == device) {
                let hint = "name two modalities of the readers";
                return Err(usage("--between names a modality twice, or the device", hint));
            }
        }
        if device.is_some() && of.len() != 1 {
            let hint = "leave ratings of the other modalities out of the file";
            return Err(usage("the device alone is set beside the readers of one modality", hint));
        }
        let compared = if device.is_some() { 1 } else { of.len() };
        if asked.aim.is_some() && device.is_none() && compared != 2 {
            let message = format!("an aim compares two modalities, and there are {compared}");
            return Err(usage(message, "name them: --between FIRST,SECOND"));
        }
        let study = ratings.study(&of).map_err(Error::Input)?;
        let names: Vec<String> = of.iter().map(|m| ratings.modalities[*m].clone()).collect();
        let names = Names { modalities: &names, readers: &ratings.readers };
        let met = meeting(&study);
        let mut merits = vec![areas(&study, &names, met, asked)];
        if let Some(threshold) = asked.threshold {
            merits.extend(shares(ratings, &of, &study, &names, met, threshold, asked));
        }
        if let Some(device) = device {
            let whole = ratings.study(&[of[0], device]).map_err(Error::Input)?;
            merits[0].beside_device(&whole, &ratings.modalities[device], &names, asked)?;
            if let (Some(readers), Some(own)) = (asked.threshold, asked.device_threshold) {
                let cuts = [(of[0], readers), (device, own)];
                for merit in &mut merits[1..] {
                    merit.shares_beside_device(ratings, &cuts, &names, asked);
                }
            }
        }
        let design = match met {
            Some(Meeting::Crossed) if study.is_fully_read() => {
                "every reader read every case in all modalities"
            }
            Some(Meeting::Crossed) => "the same readers in all modalities; not every reader read every case",
            Some(Meeting::CasesWithinReaders) => {
                "the same readers in all modalities, each with cases of their own"
            }
            Some(Meeting::ReadersWithinModalities) => "other readers in each modality",
            None => "some readers in all modalities, some not",
        };
        let mut report = Self {
            modalities: names.modalities.to_vec(),
            readers: names.all_readers(&study),
            cases: ratings.cases(),
            ratings: ratings.count(),
            patients: ratings.patients(),
            design,
            level: asked.level,
            merits,
            decision: None,
            notes: ratings.notes.clone(),
        };
        report.decision = asked.aim.map(|aim| report.decide(aim, asked));
        Ok(report)
    }

    /// The line that decides of a metric: the difference for a population by Obuchowski and Rockette's model,
    /// or by U-statistics.
    pub fn deciding(&self, metric: &str, population: Population, by_u: bool, device: bool) -> Option<&Line> {
        let id = match (by_u, device, population) {
            (true, true, _) => "device-u-statistics",
            (true, false, _) => "u-statistics",
            (false, true, Population::ReadersAndCases) => "device-readers-and-cases",
            (false, true, Population::Cases) => "device-cases",
            (false, true, Population::Readers) => "device-readers",
            (false, false, Population::ReadersAndCases) => "readers-and-cases",
            (false, false, Population::Cases) => "cases",
            (false, false, Population::Readers) => "readers",
        };
        let merit = self.merits.iter().find(|merit| merit.metric == metric)?;
        merit.sections.iter().find(|s| s.id == id)?.lines.last()
    }

    fn section(&self, metric: &str, holds: impl Fn(&str) -> bool) -> Option<&Section> {
        self.merits.iter().find(|merit| merit.metric == metric)?.sections.iter().find(|s| holds(s.id))
    }

    /// The mean of a modality's readers.
    pub fn mean_of(&self, metric: &str, modality: &str) -> Option<f64> {
        let merit = self.merits.iter().find(|merit| merit.metric == metric)?;
        let place = self.modalities.iter().position(|name| name == modality)?;
        let own: Vec<f64> = merit.each.iter().filter(|(m, ..)| *m == place).map(|(.., x)| *x).collect();
        let mean = own.iter().sum::<f64>() / own.len() as f64;
        Some(mean).filter(|mean| mean.is_finite())
    }

    /// The average that U-statistics give of a modality.
    pub fn u_mean_of(&self, metric: &str, modality: &str) -> Option<f64> {
        let section = self.section(metric, |id| id == "u-statistics")?;
        section.lines.iter().find(|line| line.of == modality).map(|line| line.value)
    }

    /// The device's own figure.
    pub fn device_of(&self, metric: &str) -> Option<f64> {
        let section =
            self.section(metric, |id| id.starts_with("device-") && !id.ends_with("u-statistics"))?;
        section.lines.first().map(|line| line.value).filter(|value| value.is_finite())
    }

    /// The interval of the area decides, of the population that was asked for.
    fn decide(&self, aim: Aim, asked: &Asked) -> Decision {
        let line = self.deciding("auc", asked.population, false, asked.device.is_some());
        let of = line.map_or_else(String::new, |line| line.of.clone());
        let margin = asked.margin;
        let found = line.and_then(|line| line.found);
        let shown = found.map(|found| aim.holds(margin, found.limits));
        let wanted = match aim {
            Aim::Superiority => format!("the lower limit above {margin}"),
            Aim::NonInferiority => format!("the lower limit above -{margin}"),
            Aim::Equivalence => format!("both limits within -{margin} and {margin}"),
        };
        let words = match shown {
            Some(true) => format!("{} is shown: {wanted}", aim.id()),
            Some(false) => format!("{} is not shown: it needs {wanted}", aim.id()),
            None => format!("{} is not evaluable: there is no interval", aim.id()),
        };
        Decision { of, words, shown }
    }
}
