//! Tables of cases and NIH metadata, plain and gzipped.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::dataset::cases::{self, CaseFormat};
use sequester::dataset::describe::{self, AgeBand, Request, Set};

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("table.csv");
    let positive = ["Pneumonia".to_owned()];
    for format in [CaseFormat::Cases, CaseFormat::Nih] {
        let _ = cases::parse(path, bytes, format, &positive);
    }
    let _ = cases::parse(Path::new("table.csv.gz"), bytes, CaseFormat::Nih, &positive);
    if let Ok(read) = cases::parse_as(path, bytes, None, &positive) {
        // What was read is described: sums and quartiles of whatever the table says.
        let set = Set { name: "all".to_owned(), cases: read.cases.iter().collect() };
        let request = Request {
            positive: positive.to_vec(),
            bands: AgeBand::USUAL.to_vec(),
            fields: read.fields.clone(),
            whole_first: false,
        };
        let _ = describe::describe(&[set.clone(), set], &request);
    }
});
