//! Reader studies: areas and their covariances, Obuchowski and Rockette's analysis, U-statistics, the device
//! beside the mean of the readers.

use std::collections::{BTreeMap, BTreeSet};

use crate::qualification::compared::{Compared, Values, compare};
use crate::qualification::embedded::{readings, sets};
use crate::statistics::mrmc::analysis::{Effects, Meeting, analyse};
use crate::statistics::mrmc::device::{against_device, u_against_device};
use crate::statistics::mrmc::u_statistics::{self, UEstimate};
use crate::statistics::mrmc::{Cell, CovarianceMethod, Inference, Matrix, Moments, ReaderStudy, covariances};

use super::{FLOOR, LEVEL};

/// A study with the names that its keys have.
struct Named {
    modalities: Vec<&'static str>,
    readers: Vec<&'static str>,
    study: ReaderStudy,
}

/// A study whose readers all read every case. Rows: reader, case, modality, truth, rating, patient.
fn read(name: &str) -> Option<Named> {
    let rows = readings(name);
    let names = |column: usize| -> Vec<&'static str> {
        rows.iter().map(|row| row[column]).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let (readers, modalities) = (names(0), names(2));
    let mut cases: [BTreeMap<&str, u32>; 2] = Default::default();
    let mut rated = BTreeMap::new();
    for row in &rows {
        let class = usize::from(row[3] == "1");
        let patient = row.get(5).and_then(|p| p.get(1..)?.parse().ok()).unwrap_or(0);
        cases[class].insert(row[1], patient);
        rated.insert((row[2], row[0], row[1]), row[4].parse::<f64>().ok()?);
    }
    let has_patient = rows.first().is_some_and(|row| row.len() > 5);
    let of_modality = |modality: &&'static str| -> Vec<(usize, Cell)> {
        let of = |reader: &'static str, class: usize| -> Vec<Option<f64>> {
            cases[class].keys().map(|case| rated.get(&(*modality, reader, *case)).copied()).collect()
        };
        readers
            .iter()
            .enumerate()
            .filter_map(|(j, &reader)| Some((j, Cell::new(&of(reader, 0), &of(reader, 1)).ok()?)))
            .collect()
    };
    let study = ReaderStudy {
        modalities: modalities.iter().map(of_modality).collect(),
        cases: [cases[0].len(), cases[1].len()],
        patients: has_patient.then(|| [0, 1].map(|class: usize| cases[class].values().copied().collect())),
    };
    Some(Named { modalities, readers, study })
}

fn put_inference(out: &mut Values, key: &str, found: Option<&Inference>) {
    let Some(found) = found else { return };
    let statistic = if found.df.is_some() { "t" } else { "z" };
    for (part, value) in [
        ("est", Some(found.estimate)),
        ("se", Some(found.se)),
        ("lo", Some(found.limits.0)),
        ("hi", Some(found.limits.1)),
        ("df", found.df),
        (statistic, Some(found.statistic)),
        ("p", Some(found.p)),
    ] {
        out.insert(format!("{key}.{part}"), value);
    }
}

fn put_effects(out: &mut Values, named: &Named, key: &str, effects: &Effects) {
    for (a, b, found) in &effects.differences {
        let pair = format!("{key}.diff.{}-{}", named.modalities[*a], named.modalities[*b]);
        put_inference(out, &pair, found.as_ref());
    }
    for (modality, found) in named.modalities.iter().zip(&effects.means) {
        put_inference(out, &format!("{key}.mean.{modality}"), found.as_ref());
    }
}

fn put_covariances(out: &mut Values, labels: &[String], method: CovarianceMethod, matrix: &Matrix) {
    let word = method.id().replace('-', "_");
    for (x, a) in labels.iter().enumerate() {
        for (y, b) in labels.iter().enumerate().skip(x) {
            out.insert(format!("cov.{word}.{a}|{b}"), Some(matrix.at(x, y)));
        }
    }
}

fn put_u(out: &mut Values, key: &str, found: &UEstimate) {
    out.insert(format!("{key}.est"), Some(found.estimate));
    out.insert(format!("{key}.var"), Some(found.variance));
    out.insert(format!("{key}.var_mle"), Some(found.mle_variance));
    out.insert(format!("{key}.df"), found.df(found.variance));
    if let Some(one) = found.infer_with(found.variance, LEVEL) {
        out.insert(format!("{key}.lo_t"), Some(one.limits.0));
        out.insert(format!("{key}.hi_t"), Some(one.limits.1));
        out.insert(format!("{key}.p_t"), Some(one.p));
    }
}

fn of_study(named: &Named) -> Values {
    let mut out = Values::new();
    let cells = || named.modalities.iter().zip(&named.study.modalities);
    for (modality, of) in cells() {
        for (reader, cell) in of {
            out.insert(format!("auc.{modality}.{}", named.readers[*reader]), Some(cell.auc()));
        }
    }
    let labels: Vec<String> = cells()
        .flat_map(|(m, of)| of.iter().map(move |(j, _)| format!("{m}.{}", named.readers[*j])))
        .collect();
    let moments = Moments::new(&named.study);
    for method in CovarianceMethod::ALL {
        let Some(matrix) = covariances(&named.study, &moments, method) else { continue };
        put_covariances(&mut out, &labels, method, &matrix);
        let Some(found) = analyse(&named.study.aucs(), &matrix, Meeting::Crossed, LEVEL) else { continue };
        let key = format!("or.{}", method.id().replace('-', "_"));
        put_effects(&mut out, named, "or.rrfc", &found.readers);
        put_effects(&mut out, named, &format!("{key}.rrrc"), &found.readers_and_cases);
        put_effects(&mut out, named, &format!("{key}.frrc"), &found.cases.effects);
    }
    let averages = u_statistics::averages(&named.study, &moments);
    for (modality, (estimate, _)) in named.modalities.iter().zip(&averages) {
        put_u(&mut out, &format!("u.{modality}"), estimate);
    }
    for a in 0..averages.len() {
        for b in a + 1..averages.len() {
            let (estimate, _) = u_statistics::difference(&named.study, &moments, &averages, a, b);
            put_u(&mut out, &format!("u.{}-{}", named.modalities[a], named.modalities[b]), &estimate);
        }
    }
    out
}

/// The device is the first modality, its readers are the second.
fn beside_device(named: &Named) -> Values {
    let mut out = Values::new();
    let aucs = named.study.aucs();
    let moments = Moments::new(&named.study);
    let [device, readers] = aucs.as_slice() else { return out };
    let Some(device) = device.first() else { return out };
    for method in [CovarianceMethod::Jackknife, CovarianceMethod::DeLong, CovarianceMethod::Unbiased] {
        let Some(matrix) = covariances(&named.study, &moments, method) else { continue };
        // The cells are the device's and then the readers'; the analysis wants the device last.
        let count = readers.len();
        let place = |a: usize| if a == count { 0 } else { a + 1 };
        let turned = Matrix::of(count + 1, |a, b| matrix.at(place(a), place(b)));
        let Some(found) = against_device(readers, *device, &turned, LEVEL) else { continue };
        let key = format!("dev.{}", method.id());
        put_inference(&mut out, &format!("{key}.rrrc"), found.readers_and_cases.as_ref());
        put_inference(&mut out, &format!("{key}.frrc"), found.cases.as_ref());
        put_inference(&mut out, "dev.rrfc", found.of_readers.as_ref());
        out.insert("dev.diff".to_owned(), Some(found.difference));
    }
    if let Some((estimate, _)) = u_against_device(&named.study, &moments, 1, 0) {
        put_u(&mut out, "dev.u", &estimate);
    }
    out
}

/// `mrmc.json`: what `make_qualification.py` takes from the exact values of three reader studies.
pub fn reader_studies() -> Vec<Compared> {
    let mut out = Vec::new();
    for (name, expected) in &sets("qualification_reader_studies") {
        let Some(named) = read(name) else { continue };
        let ours = if name.starts_with("m3") { beside_device(&named) } else { of_study(&named) };
        for (key, value) in expected.as_object().into_iter().flatten() {
            let statistic = key.split('.').next().unwrap_or_default();
            let computed = ours.get(key).copied().flatten();
            out.push(compare(format!("{name} {key}"), statistic, value, computed, FLOOR));
        }
    }
    out
}
