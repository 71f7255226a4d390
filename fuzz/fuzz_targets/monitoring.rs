//! A monitoring plan, and a batch that is read as a plan declares it, its ledger and its cohort.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::monitoring::batch::{Batch, BoundTo};
use sequester::monitoring::ledger::BatchLedger;
use sequester::monitoring::plan::MonitoringPlan;
use sequester::monitoring::sealed::ValidationCohort;

const PLAN: &str = include_str!("../../protocols/monitoring-demo.toml");

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("given");
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = MonitoringPlan::parse(path, text);
    }
    let _ = BatchLedger::parse(path, bytes);
    let (Ok(plan), Ok(month)) = (MonitoringPlan::parse(path, PLAN), "2026-01".parse()) else { return };
    let _ = Batch::parse(path, bytes, month, &plan, &BoundTo { threshold: 0.5, ..BoundTo::default() });
    let _ = Batch::month_of(path, bytes, &plan);
    let _ = ValidationCohort::parse(path, bytes, &plan);
});
