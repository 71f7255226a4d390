//! Exports of a bundle in the formats of others, after its evidence has verified.

use std::path::Path;

use serde_json::Value;

use crate::audit::{self, Beside, History};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::{bag, bundle};
use crate::interchange::{Bundled, model_bom, reporting_event};

/// What can be made of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// CycloneDX 1.7 with a model card.
    MlBom,
    /// CDISC Analysis Results Standard 1.0.
    Ars,
}

impl Kind {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::MlBom => "ml-bom",
            Self::Ars => "ars",
        }
    }
}

/// The document made of a bundle, with the root digest of the bundle.
///
/// # Errors
/// [`Error::Evidence`] with every discrepancy when the bundle, or the study around it, does not verify: then
/// nothing is exported.
pub fn export(folder: &Path, kind: Kind) -> Result<(Digest, Value)> {
    let history = History::around(folder)?;
    let audit = audit::audit(folder, &Beside { history: history.as_ref(), ..Beside::default() })?;
    if !audit.holds() {
        return Err(Error::Evidence(audit.answers.into_iter().flat_map(|a| a.discrepancies).collect()));
    }
    let opened = bag::open(folder)?;
    // What changed between the two readings has not been verified.
    let Some(root) = opened.root.filter(|root| opened.discrepancies.is_empty() && audit.root == Some(*root))
    else {
        let told = "the bundle was changed while it was read";
        let mut found = opened.discrepancies;
        found.push(Diagnostic::error(Code::RootDigest, told).at(Location::file(folder)));
        return Err(Error::Evidence(found));
    };
    let bundled = bundled(&opened.payload, root)?;
    let document = match kind {
        Kind::MlBom => model_bom(&bundled),
        Kind::Ars => reporting_event(&bundled),
    };
    Ok((root, document))
}

fn bundled(payload: &bag::Payload, root: Digest) -> Result<Bundled> {
    let parsed = |name: &str| -> Result<Value> {
        serde_json::from_slice(bundle::file(payload, name)?)
            .map_err(|e| bundle::unreadable(name, &e.to_string()))
    };
    let device = match bundle::text(payload, bundle::DEVICE) {
        Ok(text) => {
            let value: toml::Value =
                toml::from_str(text).map_err(|e| bundle::unreadable(bundle::DEVICE, &e.to_string()))?;
            serde_json::to_value(value).unwrap_or_default()
        }
        Err(_) => Value::Null,
    };
    let lock = bundle::path("", bundle::MODEL_LOCK)?;
    let lock = if payload.contains_key(&lock) { Some(parsed(bundle::MODEL_LOCK)?) } else { None };
    let environment = parsed(bundle::ENVIRONMENT)?;
    Ok(Bundled {
        root: root.to_string(),
        results: parsed(bundle::RESULTS)?,
        device,
        lock,
        created: environment["created"].as_str().unwrap_or_default().to_owned(),
        digests: payload.iter().map(|(path, bytes)| (path.to_string(), bytes.digest())).collect(),
    })
}
