//! What `sequester qualify` does on a machine: every requirement of [`crate::qualification`] is tested here,
//! with nothing from outside but a folder to work in.

mod evidence;
mod images;
mod installation;
mod specimen;
mod study;

use std::path::Path;

use super::outside::Outside;
use super::run::Engines;
use crate::diagnostic::{Error, Result};
use crate::qualification::requirement::{Operation, Test};
use crate::qualification::requirements::all;
use crate::qualification::{Computed, FORMAT, Finding, Outcome, Place, Program, Qualification};
use crate::qualification::{Tested, tested, tested_values};
use crate::random::Stream;
use crate::statistics::bootstrap;

pub use installation::own_files;
pub use specimen::digest as specimen_digest;

/// What a qualification cannot find out by itself.
#[derive(Clone, Debug)]
pub struct Given<'a> {
    /// The program that runs.
    pub program: Program,
    /// The machine.
    pub machine: Place,
    /// Where the program with libtorch is; `None` where there is none.
    pub libtorch: Option<String>,
    /// A folder that exists, in which a folder to work in is made and removed.
    pub folder: &'a Path,
    /// Threads of the second run of [`Operation::Threads`].
    pub threads: usize,
}

/// Tests every requirement. What a test cannot do is a failed test, and stops nothing.
///
/// # Errors
/// When no folder to work in can be made; when it is stopped.
pub fn qualify(
    given: &Given<'_>,
    engines: &(impl Engines + Sync),
    outside: &Outside<'_>,
) -> Result<Qualification> {
    let work = tempfile::Builder::new()
        .prefix(".sequester-qualify-")
        .tempdir_in(given.folder)
        .map_err(|e| Error::io("create a folder in", given.folder, &e))?;
    outside.say("qualify", "computing every reference value again");
    let computed = Computed::all();
    outside.say("qualify", "running a study, once with one thread and once with all");
    let studies = study::Studies::run(work.path(), given.threads, engines, outside);
    outside.say("qualify", "changing its evidence");
    let mut tests: Vec<Tested> = Vec::new();
    outside.progress.begin("qualify", all().count());
    for (nth, requirement) in all().enumerate() {
        outside.progress.at(nth);
        let finding = match requirement.test {
            Test::Values { .. } => {
                tests.extend(tested_values(requirement, &computed));
                continue;
            }
            Test::Installation(what) => installation::look(what, given, work.path()),
            Test::Operation(what) => operate(what, &studies, work.path()),
        };
        tests.push(tested(requirement, finding));
    }
    outside.progress.end();
    let passed = tests.iter().all(|test| test.outcome != Outcome::Failed);
    Ok(Qualification {
        format: FORMAT,
        at: outside.at(),
        passed,
        program: given.program.clone(),
        machine: given.machine.clone(),
        files: own_files(),
        tests,
        absent: installation::absent(given),
    })
}

fn operate(what: Operation, studies: &study::Studies, work: &Path) -> Finding {
    match what {
        Operation::Sha256 => evidence::sha256(),
        Operation::CanonicalJson => evidence::canonical_json(),
        Operation::Dicom => images::decode(),
        Operation::Study => studies.conclusion(),
        Operation::NotMet => studies.not_met(),
        Operation::Verifies => studies.verifies(),
        Operation::ChangedByte => studies.with_bundle(|bundle| evidence::changed_bytes(bundle, work)),
        Operation::ConsistentChange => {
            studies.with_bundle(|bundle| evidence::consistent_change(bundle, work))
        }
        Operation::Threads => studies.threads(),
        Operation::Seed => seeds(),
        Operation::DocumentDigest => specimen::known(),
        Operation::DocumentsTwice => studies.with_bundle(specimen::twice),
    }
}

/// Replicates of one seed twice, and of another; and the first draws of the generator.
fn seeds() -> Finding {
    let expected = "replicates of the AUC: seed 7 twice equal to the last bit, seed 8 different";
    let table = crate::qualification::embedded::table("d02_bal1000");
    let cases = bootstrap::Cases { labels: &table.labels, patients: Some(&table.patients), sites: None };
    let unit = crate::statistics::estimate::ResamplingUnit::Patient;
    let resampler = match bootstrap::Resampler::new(unit, &cases) {
        Ok(resampler) => resampler,
        Err(why) => return Finding::of(false, expected, why),
    };
    let draw = |seed: u64| bootstrap::auc(&resampler, &table.labels, &table.scores, 400, seed);
    let (first, again, other) = (draw(7), draw(7), draw(8));
    let shuffled = |seed: u64| {
        let mut places: Vec<usize> = (0..50).collect();
        Stream::new(seed, 0).shuffle(&mut places);
        places
    };
    let holds = first == again
        && first.values.len() == 400
        && first.values != other.values
        && shuffled(7) == shuffled(7)
        && shuffled(7) != shuffled(8);
    let found = if holds { "equal, and different" } else { "replicates do not follow their seed" };
    Finding::of(holds, expected, found)
}
