//! Four protocols that use what there is.

use crate::protocol::language::EXAMPLE;

/// The rare keys: a table of another's making, adjudication, a wide table of reads, tuning.
pub const RARE: &str = r#"format = "sequester-protocol/2"

[study]
id = "rare"
title = "What is seldom declared"
version = "2"
finding = "tuberculosis"

[data]
cases = ["site-a.csv", "site-b.csv"]
positive_findings = ["Tuberculosis"]
images = "images"
modality = "DX"
body_part = "CHEST"
source = "two sites"
separate_sites = true
development_sites = ["west", "east"]

[data.columns]
case_id = "image"
patient_from = "case"
patient_pattern = "^(p[0-9]+)_"
case_pattern = "*.png"
image_pattern = "train/*.png"
rows = "several"
label = "tb"
positive = ["TB"]
negative = ["none"]
sex = "gender"
age_years = "age"
site = "hospital"
sheet = "Cases"
header_row = 2

[gate]
modality = ["DX", "CR"]
body_part = ["CHEST"]
view = ["PA"]
age_years = { min = 15, max = 90 }
age_from_dates = true
minimum_dimension = 512
maximum_dimension = 6000
aspect_ratio = { min = 0.5, max = 2.0 }
photometric_interpretation = ["MONOCHROME2"]
burned_in_annotation = "not-yes"

[[eligibility]]
id = "gate"
kind = "gate"
reason = "the device does not accept the image"

[[eligibility]]
id = "scored"
kind = "listed-in"
file = "scored.csv"
column = "image"
reason = "not among the scored images"

[[eligibility]]
id = "earlier"
kind = "prior-finding"
source = "earlier-images"
findings = ["Tuberculosis"]
reason = "an earlier image with the finding"

[[eligibility]]
id = "first"
kind = "rule"
rule = "first where (acquired between 2022-01-01 and 2023-12-31 and severity is not missing) by acquired"
definition = "the first image of the patient in the two years"
missing = "include"
per = "study"
study_column = "accession"
holds = "any"
reason = "not the first image of the patient in the two years"

[sample]
method = "stratified"
by = ["site", "race"]
images_per_patient = "one"
shortage = "take"
seed = 5

[[sample.stratum]]
levels = ["north", "x"]
cases = 80

[[sample.stratum]]
levels = ["south", "y"]
cases = 40

[[reader]]
id = "A"
role = "reference"
qualification = "radiologist"
specialty = "thoracic radiology"
years = 12
labelled_training_data = true

[[reader]]
id = "B"
role = "reference"
qualification = "radiologist"

[[reader]]
id = "C"
role = "adjudicator"
qualification = "professor of radiology"

[[reader]]
id = "D"
role = "comparison"
qualification = "resident"

[reference_standard]
rule = "adjudicated"
adjudicate = "no-majority"
readers = 2
minimum_reads = 2
require_all_readers = true
tie = "adjudicator"
indeterminate = "negative"
uninterpretable = "exclude-case"
repeated_read = "all-agree"
other_cases = "ignore"

[reference_standard.compare_with]
file = ["labels-*.csv"]
case_pattern = "*.png"
label_column = "y"
positive = ["1"]
negative = ["0"]
indeterminate = ["?"]
source = "the publication"

[reads]
files = ["reads/wide.xlsx"]
format = "wide"
case_column = "image"
case_map = { file = "map.csv", case_column = "image", id_column = "uid" }
case_pattern = "*.dcm"
reader_from = "header"
reader_columns = ["*_tb"]
complete_column = "done"
complete_values = ["yes"]
sheet = "Reads"
header_row = 3
scale = { min = 1, max = 5, positive_from = 4, indeterminate_from = 3 }
missing = ["NA"]
positive = ["yes"]
negative = ["no"]
indeterminate = ["perhaps"]
uninterpretable = ["poor"]

[scores]
file = "preds.csv"
case_column = "image"
columns = ["left", "right"]
combine = "noisy-or"

[operating_point]
source = "tuning"
cases = "tuning.csv"
format = "nih"
positive_findings = ["Tuberculosis"]
rule = "sensitivity"
target = 0.95

[analysis]
level = 0.99
resampling_unit = "case-stratified"
replicates = 5000
seed = 11
missing_score = "refuse"
no_consensus = "refuse"
intended_use_prevalence = 0.02
multiplicity = "bonferroni"
subgroup_minimum = 15

[[endpoint]]
id = "auc"
metric = "auc"
role = "primary"
interval = "u-statistic"
fallback = "patients"
criterion = "lower >= 0.7"

[[endpoint]]
id = "lr"
metric = "lr_negative"
role = "secondary"
interval = "log"
criterion = "upper < 0.3"

[reader_study]
files = ["ratings/*.csv", "more.csv"]
case_column = "image"
reader_column = "who"
modality_column = "arm"
rating_column = "likelihood"
time_column = "read_at"
seconds_column = "seconds"
case_map = { file = "codes.csv", case_column = "image", id_column = "code" }
unaided = "without"
aided = "with"
design = "crossed"
order = "crossover"
washout_days = 30
scale = { min = 1, max = 100, positive_from = 51 }
covariances = "jackknife"
holds_for = "cases"
missing_reads = "refuse"

[reader_study.planned]
metric = "auc"
readers = 6
variance = 0.002
cov1 = 0.0012
cov2 = 0.0011
cov3 = 0.0007
interaction = 0.0004
reader_variance = 0.0006
device_variance = 0.0018
device_cov = 0.0009
groups = 2
pilot_cases = 100
source = "a pilot"

[[endpoint]]
id = "helps"
metric = "auc"
role = "secondary"
against = "unaided-readers"
aim = "non-inferiority"
margin = 0.05
justification = "as two readings of one reader differ"
interval = "obuchowski-rockette"

[[endpoint]]
id = "youden"
metric = "youden"
role = "secondary"
interval = "bootstrap-exact"

[[subgroup]]
by = "site"

[[subgroup]]
by = "age"
bands = [[15, 39], [40, 90]]
reference = "15-39"

[[subgroup]]
by = "column"
column = "race"
claim = "powered"
endpoint = "auc"
criterion = "lower > 0.6"

[[subgroup]]
by = "column"
column = "severity"
bands = [[0, 2.5], [3, 10]]

[[subgroup]]
by = "column"
column = "acquired"
bands = [["2022-01-01", "2022-12-31"], ["2023-01-01", "2023-12-31"]]

[[subgroup]]
by = "crossed"
of = ["age", "race"]

[triage]
processing_column = "seconds"
arrivals_per_hour = 6
prevalence = 0.02
reading_minutes = 4
reading_minutes_positive = 6.5
reading_cv = 0.8
priority = "preemptive"
source = "worklists of two sites over a year"
"#;

/// Their names and texts.
pub const FOUR: [(&str, &str); 4] = [
    ("example", EXAMPLE),
    ("rare", RARE),
    ("pneumonia-exp2a", include_str!("../../../../protocols/pneumonia-exp2a.toml")),
    ("nih-adjudicated", include_str!("../../../../protocols/nih-adjudicated-test/protocol.toml")),
];
