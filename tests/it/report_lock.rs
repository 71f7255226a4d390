//! The lock that the report's tests render is one that the model would accept.

use std::path::Path;

use sequester::model::lock::Lock;

#[test]
fn the_lock_of_the_report_fixtures_is_a_lock() {
    let bytes = include_bytes!("../../fixtures/report/lock.json");
    let lock = Lock::from_bytes(bytes, Path::new("fixtures/report/lock.json"));
    let lock = lock.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(lock.experiment.experiment.stages.len(), 2);
}
