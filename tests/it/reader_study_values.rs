//! Reader studies against ground truth: every key of `fixtures/reference-values/mrmc/ref/exact.json` but
//! those of analyses that are wrong and were kept as warnings, and every power and number of cases of
//! `mrmc/design_exact.json`.

use std::collections::{BTreeMap, BTreeSet};

use sequester::statistics::mrmc::analysis::{Effects, Meeting, analyse};
use sequester::statistics::mrmc::device::{against_device, u_against_device};
use sequester::statistics::mrmc::u_statistics::{self, Covariance, UEstimate};
use sequester::statistics::mrmc::{
    Analysis, Cell, CovarianceMethod, Inference, Matrix, Moments, Population, ReaderStudy, Shares,
    covariances, dbm, design,
};
use serde_json::Value;

use crate::reference_values::folder;

const LEVEL: f64 = 0.95;

/// Ratings of negatives and positives, by modality and reader.
type Rated = Vec<Vec<(usize, [Vec<Option<f64>>; 2])>>;

/// A study with the names that its keys have.
struct Named {
    modalities: Vec<String>,
    readers: Vec<String>,
    study: ReaderStudy,
    /// Ratings by modality and reader, negatives and positives; for the shares.
    ratings: Rated,
}

fn read(name: &str) -> Named {
    let path = folder().join(format!("mrmc/inputs/{name}.csv"));
    let mut reader = csv::Reader::from_path(path).expect("opens");
    let has_patient = reader.headers().expect("a header").iter().any(|h| h == "patient");
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
    let names = |column: usize| -> Vec<String> {
        rows.iter().map(|r| r[column].to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let (readers, modalities) = (names(0), names(2));
    let mut cases: [BTreeMap<String, u32>; 2] = Default::default();
    let mut rated = BTreeMap::new();
    for row in &rows {
        let class = usize::from(&row[3] == "1");
        let patient = if has_patient { row[5][1..].parse().expect("a number") } else { 0 };
        cases[class].insert(row[1].to_owned(), patient);
        rated.insert(
            (row[2].to_owned(), row[0].to_owned(), row[1].to_owned()),
            row[4].parse::<f64>().expect("a number"),
        );
    }
    let ratings: Rated = modalities
        .iter()
        .map(|modality| {
            let of = |reader: &String, class: usize| -> Vec<Option<f64>> {
                let at = |case: &String| (modality.clone(), reader.clone(), case.clone());
                cases[class].keys().map(|case| rated.get(&at(case)).copied()).collect()
            };
            let each = readers.iter().enumerate();
            each.map(|(j, reader)| (j, [of(reader, 0), of(reader, 1)]))
                .filter(|(_, classes)| classes.iter().flatten().any(Option::is_some))
                .collect()
        })
        .collect();
    let study = ReaderStudy {
        modalities: ratings
            .iter()
            .map(|of| {
                let cell = |[n, p]: &[Vec<Option<f64>>; 2]| Cell::new(n, p).expect("both classes");
                of.iter().map(|(j, classes)| (*j, cell(classes))).collect()
            })
            .collect(),
        cases: [cases[0].len(), cases[1].len()],
        patients: has_patient.then(|| [0, 1].map(|class: usize| cases[class].values().copied().collect())),
    };
    Named { modalities, readers, study, ratings }
}

type Values = BTreeMap<String, f64>;

fn put(out: &mut Values, key: String, value: f64) {
    out.insert(key, value);
}

fn put_inference(out: &mut Values, key: &str, found: Option<&Inference>, tests: bool) {
    let Some(found) = found else { return };
    put(out, format!("{key}.est"), found.estimate);
    put(out, format!("{key}.se"), found.se);
    put(out, format!("{key}.lo"), found.limits.0);
    put(out, format!("{key}.hi"), found.limits.1);
    if let Some(df) = found.df {
        put(out, format!("{key}.df"), df);
    }
    if tests {
        put(out, format!("{key}.{}", if found.df.is_some() { "t" } else { "z" }), found.statistic);
        put(out, format!("{key}.p"), found.p);
    } else {
        put(out, format!("{key}.lo_clip"), found.limits.0.clamp(0.0, 1.0));
        put(out, format!("{key}.hi_clip"), found.limits.1.clamp(0.0, 1.0));
    }
}

fn put_effects(out: &mut Values, named: &Named, key: &str, effects: &Effects, mean_key: &str) {
    if let Some(denominator) = effects.denominator {
        put(out, format!("{key}.denom"), denominator);
    }
    if let Some(global) = effects.global {
        let square = global.df2.is_none();
        put(out, format!("{key}.{}", if square { "X2" } else { "F" }), global.statistic);
        put(out, format!("{key}.{}", if square { "df" } else { "df1" }), global.df1);
        if let Some(df2) = global.df2 {
            put(out, format!("{key}.df2"), df2);
        }
        put(out, format!("{key}.p"), global.p);
    }
    for (a, b, found) in &effects.differences {
        let pair = format!("{key}.diff.{}-{}", named.modalities[*a], named.modalities[*b]);
        put_inference(out, &pair, found.as_ref(), true);
    }
    if !mean_key.is_empty() {
        for (modality, found) in named.modalities.iter().zip(&effects.means) {
            put_inference(out, &format!("{mean_key}.mean.{modality}"), found.as_ref(), false);
        }
    }
}

fn put_analysis(out: &mut Values, named: &Named, prefix: &str, method: &str, found: &Analysis) {
    let squares = &found.mean_squares;
    put(out, format!("{prefix}or.ms_r"), squares.reader);
    let optional = [("ms_t", squares.modality), ("ms_tr", squares.interaction)];
    for (key, value) in optional {
        if let Some(value) = value {
            put(out, format!("{prefix}or.{key}"), value);
        }
    }
    let key = format!("{prefix}or.{method}");
    let c = &found.components;
    put(out, format!("{key}.var"), c.variance);
    put(out, format!("{key}.cov2"), c.cov2);
    put(out, format!("{key}.cov3"), c.cov3);
    for (name, value) in [("cov1", c.cov1), ("var_r", c.reader), ("var_tr", c.interaction)] {
        if let Some(value) = value {
            put(out, format!("{key}.{name}"), value);
        }
    }
    put_effects(out, named, &format!("{prefix}or.rrfc"), &found.readers, &format!("{prefix}or.rrfc"));
    out.remove(&format!("{prefix}or.rrfc.denom"));
    put_effects(out, named, &format!("{key}.rrrc"), &found.readers_and_cases, &format!("{key}.rrrc"));
    put_effects(out, named, &format!("{key}.frrc"), &found.cases.effects, &format!("{key}.frrc"));
    put_effects(out, named, &format!("{key}.frrc_max"), &found.cases.truncated, "");
    for (modality, of) in named.modalities.iter().zip(&found.modalities) {
        put(out, format!("{key}.rrrc.mean.{modality}.ms_r"), of.reader);
        put(out, format!("{key}.rrrc.mean.{modality}.cov2"), of.cov2);
        put(out, format!("{key}.frrc.mean.{modality}.var"), of.variance);
        put(out, format!("{key}.frrc.mean.{modality}.cov2"), of.cov2);
    }
    for (i, j, one) in &found.cases.readers {
        let (reader, _) = named.study.modalities[*i][*j];
        let at = format!("{key}.frrc.rdr.{}.{}", named.modalities[*i], named.readers[reader]);
        put_inference(out, &at, one.as_ref(), false);
    }
    for (j, a, b, one) in &found.cases.differences {
        let names = [a, b].map(|m| &named.modalities[*m]);
        let at = format!("{key}.frrc.rdr_diff.{}.{}-{}", named.readers[*j], names[0], names[1]);
        put_inference(out, &at, one.as_ref(), true);
    }
}

fn put_covariances(out: &mut Values, named: &Named, prefix: &str, method: &str, matrix: &Matrix) {
    let labels: Vec<String> = named
        .modalities
        .iter()
        .zip(named.study.readers())
        .flat_map(|(m, readers)| {
            readers.into_iter().map(|j| format!("{m}.{}", named.readers[j])).collect::<Vec<_>>()
        })
        .collect();
    for (x, a) in labels.iter().enumerate() {
        for (y, b) in labels.iter().enumerate().skip(x) {
            put(out, format!("{prefix}cov.{method}.{a}|{b}"), matrix.at(x, y));
        }
    }
}

fn put_u(out: &mut Values, key: &str, found: &UEstimate) {
    put(out, format!("{key}.est"), found.estimate);
    for (tag, variance) in [("", found.variance), ("_mle", found.mle_variance)] {
        put(out, format!("{key}.var{tag}"), variance);
        if let Some(df) = found.df(variance) {
            put(out, format!("{key}.df{tag}"), df);
        }
        let laws = [
            ("t", found.infer_with(variance, LEVEL)),
            ("imrmc", found.infer_as_imrmc(variance, LEVEL)),
            ("norm", found.infer_normal(variance, LEVEL)),
        ];
        for (law, one) in laws {
            let Some(one) = one else { continue };
            put(out, format!("{key}{tag}.se"), one.se);
            put(out, format!("{key}{tag}.lo_{law}"), one.limits.0);
            put(out, format!("{key}{tag}.hi_{law}"), one.limits.1);
            put(out, format!("{key}{tag}.p_{law}"), one.p);
        }
        if variance <= 0.0 {
            put(out, format!("{key}{tag}.var_negative"), 1.0);
        }
    }
}

fn put_moments(out: &mut Values, key: &str, found: &Covariance) {
    for k in 0..8 {
        put(out, format!("{key}.M{}", k + 1), found.moments[k]);
        put(out, format!("{key}.M{}_mle", k + 1), found.mle_moments[k]);
        put(out, format!("{key}.c{}", k + 1), found.coefficients[k]);
    }
    for (tag, moments) in [("", &found.moments), ("_mle", &found.mle_moments)] {
        for (name, value) in ["N", "D", "R"].iter().zip(found.components(moments)) {
            put(out, format!("{key}.bck_{name}{tag}"), value);
        }
    }
}

fn put_all_u(out: &mut Values, named: &Named) {
    let moments = Moments::new(&named.study);
    let averages = u_statistics::averages(&named.study, &moments);
    for (modality, (estimate, covariance)) in named.modalities.iter().zip(&averages) {
        put_u(out, &format!("u.{modality}"), estimate);
        put_moments(out, &format!("u.{modality}"), covariance);
    }
    for a in 0..averages.len() {
        for b in a + 1..averages.len() {
            let (estimate, covariance) = u_statistics::difference(&named.study, &moments, &averages, a, b);
            let key = format!("u.{}-{}", named.modalities[a], named.modalities[b]);
            put_u(out, &key, &estimate);
            put_moments(out, &key, &covariance);
            put(out, format!("{key}.cov"), covariance.value);
            put(out, format!("{key}.cov_mle"), covariance.mle);
        }
    }
}

/// The word of the keys for a method.
fn word(method: CovarianceMethod) -> String {
    method.id().replace('-', "_")
}

fn meeting(study: &ReaderStudy) -> Meeting {
    let readers = study.readers();
    match (readers.windows(2).all(|w| w[0] == w[1]), study.has_cases_within_readers()) {
        (true, true) => Meeting::CasesWithinReaders,
        (true, false) => Meeting::Crossed,
        (false, _) => Meeting::ReadersWithinModalities,
    }
}

fn areas(named: &Named) -> Values {
    let mut out = Values::new();
    for (modality, of) in named.modalities.iter().zip(&named.study.modalities) {
        for (reader, cell) in of {
            put(&mut out, format!("auc.{modality}.{}", named.readers[*reader]), cell.auc());
        }
    }
    put(&mut out, "n_neg".into(), named.study.cases[0] as f64);
    put(&mut out, "n_pos".into(), named.study.cases[1] as f64);
    let moments = Moments::new(&named.study);
    for method in CovarianceMethod::ALL {
        let Some(matrix) = covariances(&named.study, &moments, method) else { continue };
        put_covariances(&mut out, named, "", &word(method), &matrix);
        if let Some(found) = analyse(&named.study.aucs(), &matrix, meeting(&named.study), LEVEL) {
            put_analysis(&mut out, named, "", &word(method), &found);
        }
    }
    put_all_u(&mut out, named);
    if let Some(found) = dbm::dbm(&named.study) {
        let squares = ["t", "r", "c", "tr", "tc", "rc", "trc"].iter().zip(found.mean_squares);
        squares.for_each(|(key, value)| put(&mut out, format!("dbm.ms_{key}"), value));
        let components = ["r", "c", "tr", "tc", "rc", "trc"].iter().zip(found.components);
        components.for_each(|(key, value)| put(&mut out, format!("dbm.var_{key}"), value));
    }
    out
}

fn device(named: &Named) -> Values {
    let mut out = areas(named);
    let (device, readers) = (0, 1);
    assert_eq!(named.modalities, ["DEVICE", "READERS"]);
    let aucs = named.study.aucs();
    let moments = Moments::new(&named.study);
    for method in [CovarianceMethod::Jackknife, CovarianceMethod::DeLong, CovarianceMethod::Unbiased] {
        // The cells are the device's and then the readers'; the analysis wants the device last.
        let matrix = covariances(&named.study, &moments, method).expect("all is read");
        let count = aucs[readers].len();
        let place = |a: usize| if a == count { 0 } else { a + 1 };
        let turned = Matrix::of(count + 1, |a, b| matrix.at(place(a), place(b)));
        let found = against_device(&aucs[readers], aucs[device][0], &turned, LEVEL).expect("readers");
        let key = format!("dev.{}", word(method));
        put(&mut out, format!("{key}.var"), found.variance);
        put(&mut out, format!("{key}.cov2"), found.cov2);
        put_inference(&mut out, &format!("{key}.rrrc"), found.readers_and_cases.as_ref(), true);
        put_inference(&mut out, &format!("{key}.frrc"), found.cases.as_ref(), true);
        put_inference(&mut out, "dev.rrfc", found.of_readers.as_ref(), true);
        put(&mut out, "dev.auc".into(), found.device);
        put(&mut out, "dev.readers_mean".into(), found.readers);
        put(&mut out, "dev.diff".into(), found.difference);
        put(&mut out, "dev.ms_r".into(), found.reader);
        // Covariances are listed with the readers before the device.
        for a in 0..=count {
            for b in a..=count {
                let label = |x: usize| {
                    if x == count { "DEVICE.DEV".to_owned() } else { format!("READERS.R{}", x + 1) }
                };
                let at = format!("cov.{}.{}|{}", word(method), label(a), label(b));
                put(&mut out, at, turned.at(a, b));
            }
        }
    }
    let (estimate, found) = u_against_device(&named.study, &moments, readers, device).expect("a device");
    put_u(&mut out, "dev.u", &estimate);
    for (k, moment) in found.iter().enumerate() {
        put(&mut out, format!("dev.u.M{}", k + 1), *moment);
    }
    out
}

fn binary(named: &Named) -> Values {
    let mut out = Values::new();
    for (prefix, class) in [("sens.", 1), ("spec.", 0)] {
        let right = |rating: &f64| (*rating == 1.0) == (class == 1);
        let shares = Shares {
            modalities: named
                .ratings
                .iter()
                .map(|of| {
                    let answers =
                        |r: &[Vec<Option<f64>>; 2]| r[class].iter().map(|x| x.as_ref().map(right)).collect();
                    of.iter().map(|(j, ratings)| (*j, answers(ratings))).collect()
                })
                .collect(),
        };
        let merit = shares.shares().expect("all is read");
        for (modality, of) in named.modalities.iter().zip(&merit) {
            for (reader, share) in named.readers.iter().zip(of) {
                put(&mut out, format!("{prefix}est.{modality}.{reader}"), *share);
            }
        }
        let matrix = shares.covariances().expect("all is read");
        put_covariances(&mut out, named, prefix, "jackknife", &matrix);
        let found = analyse(&merit, &matrix, Meeting::Crossed, LEVEL).expect("readers");
        put_analysis(&mut out, named, prefix, "jackknife", &found);
        for (modality, found) in named.modalities.iter().zip(shares.averages()) {
            put_u(&mut out, &format!("{prefix}u.{modality}"), &found);
        }
        put_u(&mut out, &format!("{prefix}u.A-B"), &shares.difference(0, 1));
    }
    out
}

/// Keys that no function of ours gives: analyses that are wrong and were kept as warnings, clips and parts
/// that follow from others.
fn is_left_out(key: &str) -> bool {
    const PARTS: [&str; 11] = [
        "WRONG_device_fixed",
        "asMRMCaov",
        "n_formula",
        "bckc_",
        "bck_ND",
        "bck_NR",
        "bck_DR",
        "bck_RND",
        "readers_cov2",
        "dbm.rrrc",
        "dbm.frrc_F",
    ];
    PARTS.iter().any(|part| key.contains(part))
        // Parts of sums whose whole is compared.
        || ["dev.u.var_readers", "dev.u.var_device", "dev.u.cov"].contains(&key)
        || (key.starts_with("dev.u.M") && key.ends_with("_mle"))
        || (key.contains("sens.u") || key.contains("spec.u")) && is_moment(key)
        || ["sens.u.A-B.cov", "spec.u.A-B.cov"].iter().any(|k| key.starts_with(k))
        || ["sens.n_", "spec.n_", "n_"].iter().any(|k| key.starts_with(k))
}

fn is_moment(key: &str) -> bool {
    [".m1", ".m2", ".m3", ".m4"].iter().any(|moment| key.contains(moment))
}

#[test]
fn every_value_of_twelve_reader_studies_is_the_reference() {
    let text = std::fs::read_to_string(folder().join("mrmc/ref/exact.json")).expect("the values");
    let reference: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&text).expect("JSON");
    let (mut compared, mut wrong, mut lacking) = (0, Vec::new(), Vec::new());
    for (name, expected) in &reference {
        let named = read(name);
        let found = match &name[..2] {
            "m3" => device(&named),
            "m6" => binary(&named),
            _ => areas(&named),
        };
        for (key, value) in expected {
            let value: f64 = value.parse().expect("a number");
            match found.get(key) {
                Some(ours) => {
                    compared += 1;
                    if (ours - value).abs() > 1e-8 * value.abs().max(1e-8) {
                        wrong.push(format!("{name} {key}: {ours} is not {value}"));
                    }
                }
                None if is_left_out(key) => {}
                // A reader whose area is 1 has no variance, and an interval of no width is none.
                None if name.starts_with("m4a") && key.contains(".frrc.rdr.A.R4.") => {}
                None => lacking.push(format!("{name} {key}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
    assert!(lacking.is_empty(), "{}: {:#?}", lacking.len(), &lacking[..lacking.len().min(40)]);
    assert!(compared > 8_000, "{compared}");
}

#[test]
fn every_power_and_number_of_cases_is_the_reference() {
    let json = |name: &str| -> Value {
        let text = std::fs::read_to_string(folder().join(format!("mrmc/{name}.json"))).expect("the values");
        serde_json::from_str(&text).expect("JSON")
    };
    let (inputs, exact) = (json("design_inputs"), json("design_exact"));
    let mut compared = 0;
    for input in inputs.as_array().expect("a list") {
        let text = |key: &str| input[key].as_str().expect("a text").parse::<f64>().expect("a number");
        let count = |key: &str| u32::try_from(input[key].as_u64().expect("a number")).expect("small");
        let assumed = design::Assumed {
            layout: design::Layout::Crossed,
            within: None,
            difference: text("d"),
            interaction: text("VarTR"),
            variance: text("Var"),
            cov1: text("Cov1"),
            cov2: text("Cov2"),
            cov3: text("Cov3"),
            pilot_cases: f64::from(count("KStar")),
        };
        let expected = &exact[input["id"].as_str().expect("a text")];
        let populations = [
            ("rrrc", Population::ReadersAndCases),
            ("frrc", Population::Cases),
            ("rrfc", Population::Readers),
        ];
        for (key, population) in populations {
            let mut check = |name: &str, found: Option<f64>| {
                if let (Some(text), Some(found)) = (expected[format!("{key}.{name}")].as_str(), found) {
                    let value: f64 = text.parse().expect("a number");
                    let id = &input["id"];
                    assert!(
                        (found - value).abs() <= 1e-10 * value.abs(),
                        "{id} {key}.{name}: {found} {value}"
                    );
                    compared += 1;
                }
            };
            let found =
                design::power(&assumed, count("J"), count("K"), population, 0.05).expect("a variance");
            check("ncp", Some(found.noncentrality));
            check("power", Some(found.power));
            check("df2", found.df2);
            check("f", found.critical);
            let fewest = design::fewest_cases(&assumed, count("J"), population, 0.05, 0.8, 2000);
            match expected[format!("{key}.K80")].as_str().expect("a text") {
                "none_to_2000" => assert_eq!(fewest, None),
                _ => {
                    let (cases, power) = fewest.expect("enough");
                    check("K80", Some(f64::from(cases)));
                    check("K80_power", Some(power.power));
                }
            }
        }
    }
    assert!(compared > 130, "{compared}");
}
