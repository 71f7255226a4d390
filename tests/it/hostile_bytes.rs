//! Whatever the bytes, a parser gives a value or a diagnostic: it never panics. Random bytes, and valid files
//! with random damage, for every parser of foreign bytes (DICOM has its own in `imaging::dicom`).

use std::path::Path;

use proptest::prelude::*;
use sequester::dataset::cases::{self, CaseFormat};
use sequester::dataset::facts;
use sequester::dataset::lists;
use sequester::evidence::ledger::{Event, Ledger};
use sequester::imaging::dicom;
use sequester::imaging::image;
use sequester::inference::scores;
use sequester::model::experiment::Experiment;
use sequester::model::lock::Lock;
use sequester::model::weights;
use sequester::monitoring::batch::{Batch, BoundTo};
use sequester::monitoring::ledger::BatchLedger;
use sequester::monitoring::plan::MonitoringPlan;
use sequester::monitoring::sealed::ValidationCohort;
use sequester::protocol::{self, DeclaredReaders, LabelTable, ReferenceRule};
use sequester::reads::files as reads;
use sequester::reads::labels::Labels;
use sequester::reads::roster::Roster;

const PROTOCOL: &str = include_str!("../../protocols/pneumonia-exp2a.toml");
const EXPERIMENT: &str = include_str!("../../protocols/exp-2a.toml");
const LOCK: &str = include_str!("../../fixtures/report/lock.json");
const CASES: &str = "case_id,patient_id,sex,age_years,view,label\na,p,F,40,PA,1\nb,q,M,50,AP,0\n";
const NIH: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View \
    Position\n\
                   00000001_000.png,Edema|Mass,0,1,058Y,M,PA\n";
const READS: &str = "case_id,reader_id,read\na,R1,positive\nb,R1,indeterminate\n";
const READERS: &str = "id,role,qualification,specialty,years,labelled_training_data\n\
    R1,reference,q,s,12.5,no\nR2,ignored,,,,\n";
const MONITORING: &str = include_str!("../../protocols/monitoring-demo.toml");
const BATCH: &str = "case_id,patient_id,score,refused,study_date,age,sex\na,p,0.25,,2026-01-03,40,F\n\
    b,q,,motion,20260104,,\n";
const COHORT: &str = "patient,score,label,input: age,input: sex\n1,0.25,1,40,F\n2,,,,\n";
const SCORES: &str = "case_id,score,refused\na,0.25,\nb,,age 81 is outside 18-80 years\n";

fn ledger() -> Vec<u8> {
    let mut ledger = Ledger::default();
    for event in [Event::ProtocolLocked, Event::TestSetSealed, Event::ModelLocked] {
        ledger
            .append(event, "2026-01-01T00:00:00Z", std::collections::BTreeMap::new(), None)
            .expect("in order");
    }
    ledger.to_bytes()
}

/// Gives the bytes to every parser.
/// A plan by which batches are read.
fn watched() -> &'static MonitoringPlan {
    static PLAN: std::sync::OnceLock<MonitoringPlan> = std::sync::OnceLock::new();
    PLAN.get_or_init(|| MonitoringPlan::parse(Path::new("plan"), MONITORING).expect("valid"))
}

fn feed(bytes: &[u8]) {
    let path = Path::new("foreign");
    let _ = cases::parse(path, bytes, CaseFormat::Cases, &[]);
    let _ = cases::parse(Path::new("foreign.gz"), bytes, CaseFormat::Cases, &[]);
    let _ = cases::parse(path, bytes, CaseFormat::Nih, &["Pneumonia".to_owned()]);
    let _ = cases::parse_as(path, bytes, None, &[]);
    let _ = lists::parse(path, bytes, None);
    let declared = protocol::parse(path, PROTOCOL).expect("valid");
    let _ = reads::parse(path, bytes, &declared.reads);
    let of_file = ReferenceRule {
        declared: DeclaredReaders::File("readers.csv".parse().expect("a path")),
        ..declared.reference_standard.clone()
    };
    let _ = Roster::of(&of_file, Some((path, bytes)));
    let words = |text: &str| vec![text.to_owned()];
    let labels = LabelTable {
        case_column: "case_id".to_owned(),
        label_column: "read".to_owned(),
        positive: words("positive"),
        negative: words("negative"),
        ..LabelTable::default()
    };
    let _ = Labels::default().add(path, bytes, &labels);
    let _ = scores::parse(path, bytes, "case_id", &["score".to_owned()], |v| v[0]);
    let _ = Ledger::parse(path, bytes);
    let _ = Lock::from_bytes(bytes, path);
    let _ = weights::from_bytes(bytes);
    let _ = image::from_bytes(bytes, path);
    let (watch, month) = (watched(), "2026-01".parse().expect("a month"));
    let _ = Batch::parse(path, bytes, month, watch, &BoundTo { threshold: 0.5, ..BoundTo::default() });
    let _ = Batch::month_of(path, bytes, watch);
    let _ = BatchLedger::parse(path, bytes);
    let _ = ValidationCohort::parse(path, bytes, watch);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = protocol::parse(path, text);
        let _ = facts::parse(path, text);
        let _ = MonitoringPlan::parse(path, text);
        let _ = Experiment::parse(path, text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        feed(&bytes);
    }

    #[test]
    fn damaged_files_never_panic(
        which in 0_usize..12,
        damage in proptest::collection::vec(
            (any::<proptest::sample::Index>(), any::<u8>(), 0_usize..3),
            1..6
        ),
    ) {
        let mut bytes = match which {
            0 => PROTOCOL.as_bytes().to_vec(),
            1 => EXPERIMENT.as_bytes().to_vec(),
            2 => LOCK.as_bytes().to_vec(),
            3 => CASES.as_bytes().to_vec(),
            4 => NIH.as_bytes().to_vec(),
            5 => READS.as_bytes().to_vec(),
            6 => SCORES.as_bytes().to_vec(),
            7 => READERS.as_bytes().to_vec(),
            8 => MONITORING.as_bytes().to_vec(),
            9 => BATCH.as_bytes().to_vec(),
            10 => COHORT.as_bytes().to_vec(),
            _ => ledger(),
        };
        for (place, byte, how) in damage {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                _ => bytes.insert(at, byte),
            }
        }
        feed(&bytes);
    }
}

/// A DICOM file in Explicit VR Little Endian of these elements.
fn dicom_file(elements: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0");
    elements.iter().for_each(|element| bytes.extend(*element));
    bytes
}

/// Found by fuzzing: a parser that reads whole values takes the last two of six bytes of an attribute of tags
/// for the next element, and what follows for its length. It reserved four gigabytes for a file of three
/// kilobytes.
#[test]
fn a_length_that_is_no_multiple_of_its_value_is_refused_before_it_is_parsed() {
    let after: &[u8] = b"\xe0\x7f\x10\x00OB\x00\x00\x04\x00\x00\x00\x01\x02\x03\x04";
    for (element, vr) in [
        (&b"\x28\x00\x12\x21AT\x06\x00\x32\x31\x2e\x35\x32\x31"[..], "AT"),
        (b"\x28\x00\x10\x00US\x03\x00\x01\x02\x03", "US"),
        (b"\x18\x00\x02\x16FD\x04\x00\x01\x02\x03\x04", "FD"),
    ] {
        let bytes = dicom_file(&[element, after]);
        for problem in [
            dicom::from_bytes(&bytes).expect_err("refused"),
            dicom::header_from_bytes(&bytes).expect_err("refused"),
        ] {
            assert_eq!(problem.code.as_str(), "dicom-unreadable", "{problem}");
            assert!(problem.message.contains(vr), "{problem}");
        }
    }
}

/// A sequence whose item is longer than the sequence itself.
#[test]
fn a_sequence_ends_where_its_length_says() {
    let sequence = b"\x08\x00\x12\x21SQ\x00\x00\x0c\x00\x00\x00\
        \xfe\xff\x00\xe0\x0c\x00\x00\x00\x08\x00\x50\x11UI\x04\x001.2\0";
    let problem = dicom::from_bytes(&dicom_file(&[sequence])).expect_err("refused");
    assert!(problem.message.contains("should end at byte"), "{problem}");
}
