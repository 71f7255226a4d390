//! One integration binary: the program as its users run it, and the walls of its architecture.

extern crate self as libfuzzer_sys;

mod agreement;
#[cfg(feature = "pdf")]
mod archival;
mod archive_dicom;
mod asah;
mod audit;
mod bad_input;
mod book;
mod bootstrap_laws;
mod campaign;
mod case_columns;
mod case_map;
mod changes;
mod commitment_signatures;
mod commitments;
mod comparative_values;
mod compare;
mod comparisons;
mod custody;
mod data_in;
mod deciding;
mod deciding_rules;
mod design;
mod diagnostics;
mod document_pages;
mod document_set;
mod drafts;
mod eligibility;
#[cfg(unix)]
mod engines;
mod exhibits;
mod explore;
mod fuzz_targets;
mod generated_streams;
#[cfg(unix)]
mod graphics;
mod guide;
mod hostile_bytes;
#[cfg(unix)]
mod hostile_evidence;
mod ids;
mod interchange;
mod json_output;
mod kinds;
mod language;
mod licences;
mod locked_model;
mod metrics;
mod model_signatures;
mod monitor;
mod monitoring_values;
mod names;
mod nominal_readers;
mod old_evidence;
mod onnx;
#[cfg(feature = "torch")]
mod phi;
mod plan_rehearse;
mod precision;
mod programs;
mod properties;
mod protocol_changes;
mod qualify;
mod reader_platforms;
mod reader_study;
mod reader_study_endpoint;
mod reader_study_values;
mod readers;
mod reading;
mod reading_page;
mod reading_study;
mod reads_formats;
mod reads_import;
mod reads_mutated;
mod reads_on_disk;
mod reads_status;
mod real_data;
mod real_dicom;
#[cfg(feature = "torch")]
mod real_pixels;
mod reference_values;
mod report_lock;
mod rounds;
mod samples;
mod second_verifier;
mod shards;
mod signature_record;
mod signatures;
mod sites;
mod source_project;
mod study;
mod support;
mod terminal;
mod timestamps;
#[cfg(feature = "torch")]
mod training;
mod triage;
mod walls;
mod who;
mod writers;

/// What the fuzzer calls, here a function of bytes: `fuzz_targets` compiles and runs its targets.
#[macro_export]
macro_rules! fuzz_target {
    (|$bytes:ident: &[u8]| $body:block) => {
        pub(super) fn run($bytes: &[u8]) $body
    };
}
