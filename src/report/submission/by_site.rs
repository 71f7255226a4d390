//! The flow of cases at each site: the table of every case considered, which the study derived, beside the
//! site that the case tables among its inputs record. Counted when documents are made; results hold the flow
//! over all.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::diagnostic::Result;
use crate::evidence::bag::Payload;
use crate::evidence::bundle;
use crate::protocol::Protocol;

/// Cases of one site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SiteFlow {
    /// Its name; `not recorded` of cases without one.
    pub site: String,
    /// Everything.
    pub considered: u64,
    /// Excluded by a criterion.
    pub excluded: u64,
    /// Eligible and not drawn.
    pub not_sampled: u64,
    /// Drawn, without a reference standard.
    pub without_reference: u64,
    /// Drawn, without a score.
    pub without_score: u64,
    /// In the primary analysis.
    pub analysed: u64,
}

/// In the order of their names; empty where no case table records a site, and where a table cannot be read as
/// this version reads it.
///
/// # Errors
/// `Error::Evidence` when the table of cases cannot be read.
pub(super) fn flow_by_site(payload: &Payload, protocol: &Protocol) -> Result<Vec<SiteFlow>> {
    let Some(bytes) = payload.get(&bundle::path("", bundle::CASES)?) else { return Ok(Vec::new()) };
    let inputs = bundle::inputs(payload)?;
    // By case; of a large study a list is a third of a map.
    let mut sites = Vec::new();
    for declared in &protocol.data.cases {
        let Some(text) = inputs.files.get(&declared.path) else { return Ok(Vec::new()) };
        let Ok(table) = declared.parse(Path::new(declared.path.as_str()), text) else {
            return Ok(Vec::new());
        };
        sites.extend(table.cases.into_iter().map(|case| (case.case_id.clone(), case.site.clone())));
    }
    if sites.iter().all(|(_, site)| site.is_none()) {
        return Ok(Vec::new());
    }
    sites.sort_unstable();
    let site_of = |id: &str| {
        let place = sites.binary_search_by(|(case, _)| case.as_str().cmp(id)).ok()?;
        sites[place].1.as_deref()
    };
    let mut flows: BTreeMap<String, SiteFlow> = BTreeMap::new();
    let mut table = csv::ReaderBuilder::new().from_reader(bytes.reader());
    let unreadable = |e: csv::Error| bundle::unreadable(bundle::CASES, &e.to_string());
    let headers = table.headers().map_err(unreadable)?.clone();
    let place = |name: &str| headers.iter().position(|header| header == name);
    let (Some(id), Some(status)) = (place("case_id"), place("status")) else { return Ok(Vec::new()) };
    for row in table.records() {
        let row = row.map_err(unreadable)?;
        let site = row.get(id).and_then(site_of).unwrap_or("not recorded");
        let flow = flows
            .entry(site.to_owned())
            .or_insert_with(|| SiteFlow { site: site.to_owned(), ..SiteFlow::default() });
        flow.considered += 1;
        match row.get(status).unwrap_or_default() {
            "excluded" => flow.excluded += 1,
            "not-sampled" => flow.not_sampled += 1,
            "no-consensus" => flow.without_reference += 1,
            "no-score" => flow.without_score += 1,
            _ => flow.analysed += 1,
        }
    }
    Ok(flows.into_values().collect())
}
