//! The sites of the study beside those of development: of the declared development table, of the manifests
//! of the training run where they have a column `site` or name cases of that table, and as the protocol
//! states them.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Cohort, Inputs};
use crate::dataset::case::Case;
use crate::dataset::cases::{self, CaseFormat};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::study::results::{SiteAnswer, SiteSeparation};

/// What is known; `None` where the protocol states nothing of sites.
///
/// # Errors
/// `site-on-both-sides` where the protocol states that they are separate, and a site is on both; what is
/// wrong in the tables.
pub(super) fn separation(inputs: &Inputs, cohort: &Cohort) -> Result<Option<SiteSeparation>> {
    let data = &inputs.protocol.data;
    if !data.separate_sites && data.development_sites.is_empty() {
        return Ok(None);
    }
    let site = |case: &Case| case.site.as_deref().map(str::to_owned);
    let study: BTreeSet<String> = cohort.cases.iter().filter_map(site).collect();
    // A drawn case of no known site may be of any.
    let mut unknown = cohort.drawn_cases().filter(|case| case.site.is_none()).count() as u64;
    let mut shown: BTreeSet<String> = BTreeSet::new();
    let mut from: Vec<String> = Vec::new();
    let mut of_cases = Vec::new();
    if let Some(table) = &data.development {
        let read = inputs.case_table(table)?;
        if read.fields.contains("site") {
            unknown += read.cases.iter().filter(|case| case.site.is_none()).count() as u64;
            shown.extend(read.cases.iter().filter_map(site));
            from.push(table.path.to_string());
            of_cases = read.cases;
        }
    }
    for (name, bytes) in &inputs.manifests {
        let path = Path::new("model").join(name.as_str());
        let manifest = cases::parse(&path, &bytes.read(), CaseFormat::Cases, &[]).map_err(Error::Input)?;
        if manifest.fields.contains("site") {
            unknown += manifest.cases.iter().filter(|case| case.site.is_none()).count() as u64;
            shown.extend(manifest.cases.iter().filter_map(site));
            from.push(format!("model/{name}"));
        } else if !of_cases.is_empty() {
            // Their sites are known where every case is in the table.
            let known: BTreeSet<&str> = of_cases.iter().map(|case| case.case_id.as_str()).collect();
            unknown += manifest.cases.iter().filter(|c| !known.contains(c.case_id.as_str())).count() as u64;
        }
    }
    let stated: BTreeSet<String> = data.development_sites.iter().cloned().collect();
    let development: BTreeSet<String> = shown.union(&stated).cloned().collect();
    // Sites are compared as people write them: capitals and blanks make no other hospital.
    let plain = |name: &String| name.trim().to_lowercase();
    let known: BTreeSet<String> = development.iter().map(plain).collect();
    let shared: Vec<String> = study.iter().filter(|name| known.contains(&plain(name))).cloned().collect();
    let answer = if !shared.is_empty() {
        SiteAnswer::No
    } else if from.is_empty() || unknown > 0 || shown.is_empty() || study.is_empty() {
        SiteAnswer::NotShown
    } else {
        SiteAnswer::Yes
    };
    if answer == SiteAnswer::No && data.separate_sites {
        let message = format!(
            "the protocol states that no site of the study is one of development, and {} of {} are: {}",
            shared.len(),
            study.len(),
            shared.join(", ")
        );
        return Err(Diagnostic::error(Code::SiteOnBothSides, message)
            .at(Location::file(data.cases.first().map_or("cases.csv", |table| table.path.as_str())))
            .hint("bring cases of other sites, or take `separate_sites` out of [data] and say why")
            .into());
    }
    Ok(Some(SiteSeparation {
        stated: data.separate_sites,
        answer,
        study: study.into_iter().collect(),
        development: development.into_iter().collect(),
        shared,
        unknown,
        shown_by: from,
    }))
}
