//! Who the patients are, what each image holds, and what a report would say: everything but the pixels.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::phantom::{Acquisition, Anatomy, Phantom, Projection, Shadow};
use super::random::{Draw, Purpose};
use super::{Item, Set, Settings, Truth};
use crate::dataset::case::{Attributes, Case, Sex};

/// An invented place: country, and how its images divide over the four makers.
struct Site {
    name: &'static str,
    country: &'static str,
    makers: [f64; 4],
    /// Share of computed radiography; the rest is direct.
    computed: f64,
}

const SITES: [Site; 5] = [
    Site { name: "Site A", country: "US", makers: [0.7, 0.3, 0.0, 0.0], computed: 0.2 },
    Site { name: "Site B", country: "US", makers: [0.0, 0.6, 0.4, 0.0], computed: 0.3 },
    Site { name: "Site C", country: "US", makers: [0.3, 0.0, 0.0, 0.7], computed: 0.1 },
    Site { name: "Site D", country: "CA", makers: [0.2, 0.0, 0.8, 0.0], computed: 0.5 },
    Site { name: "Site E", country: "GB", makers: [0.0, 0.5, 0.1, 0.4], computed: 0.3 },
];

/// Sites A-C gave the development images, B-E the study's.
const DEVELOPMENT_SITES: [f64; 5] = [0.40, 0.35, 0.25, 0.0, 0.0];
const POOL_SITES: [f64; 5] = [0.0, 0.15, 0.30, 0.30, 0.25];

const MAKERS: [&str; 4] = ["Manufacturer A", "Manufacturer B", "Manufacturer C", "Manufacturer D"];

/// All images of one set, patients numbered from `first_patient`.
pub(super) fn plan(settings: &Settings, set: Set) -> Vec<Item> {
    let (count, first_patient, first_image) = match set {
        Set::Pool => (settings.pool, 1, 0),
        // Numbers far from the pool's, so that the pool's size does not change the development set.
        Set::Development => (settings.development, 500_001, 1 << 32),
    };
    let mut items = Vec::with_capacity(count);
    for patient in first_patient.. {
        if items.len() >= count {
            break;
        }
        let room = count - items.len();
        let before = items.len() as u64;
        for (number, item) in images_of(settings.seed, patient, set).into_iter().take(room).enumerate() {
            items.push(Item { stream: first_image + before + number as u64, ..item });
        }
    }
    items
}

/// The examinations of one patient, oldest first.
fn images_of(seed: u64, patient: u64, set: Set) -> Vec<Item> {
    let draw = &mut Draw::new(seed, Purpose::Patient, patient);
    let sex = if draw.chance(0.46) { Sex::F } else { Sex::M };
    let age = match draw.weighted(&[0.04, 0.92, 0.04]) {
        0 => draw.between(2.0, 17.9),
        1 => draw.normal(54.0, 16.5).clamp(18.0, 80.9),
        _ => draw.between(81.0, 95.0),
    };
    let anatomy = Anatomy::draw(draw, sex, age as f32);
    let sites = if set == Set::Pool { &POOL_SITES } else { &DEVELOPMENT_SITES };
    let site = &SITES[draw.weighted(sites)];
    let age_is_known = !draw.chance(0.004);
    let ill = draw.chance(0.57);
    let images = 1 + draw.weighted(&[0.72, 0.15, 0.08, 0.03, 0.02]);
    let first_day = draw.index(1000) as u64;
    let mut previous: Option<u64> = draw.chance(0.06).then(|| 30 + draw.index(900) as u64);
    let mut elapsed = 0_u64;

    let mut items = Vec::with_capacity(images);
    for number in 0..images {
        let draw = &mut Draw::new(seed, Purpose::Image, (patient << 8) | number as u64);
        if number > 0 {
            let gap = 3 + (-420.0 * (1.0 - draw.unit()).ln()) as u64;
            elapsed += gap;
            previous = previous.map(|days| days + gap);
        }
        let years = age + elapsed as f64 / 365.25;
        let projection = match draw.weighted(&[0.62, 0.33, 0.05]) {
            0 => Projection::Posteroanterior,
            1 => Projection::Anteroposterior,
            _ => Projection::Lateral,
        };
        let maker = draw.weighted(&site.makers);
        let acquisition = Acquisition::draw(draw, projection, maker, anatomy.stature);
        let pneumonia = draw.chance(if ill { 0.78 } else { 0.10 });
        let mut shadows = Vec::new();
        let severity = if pneumonia { infiltrate(draw, &mut shadows) } else { 0.0 };
        let bystanders = confound(draw, projection, years, &mut shadows);
        let (label, findings) = report(draw, pneumonia, severity, &bystanders);

        let case_id = format!("P{patient:06}_{number:02}");
        let case = Case {
            image: format!("{case_id}.png").parse().ok(),
            case_id: case_id.into(),
            patient_id: format!("P{patient:06}").into(),
            age_years: age_is_known.then_some(years as u16),
            follow_up: Some(number as u32),
            days_since_prior_finding: previous.map(|days| days as u32),
            line: 0,
            attributes: Attributes {
                site: Some(site.name.into()),
                country: Some(site.country.into()),
                manufacturer: Some(MAKERS[maker].into()),
                sex: Some(sex),
                view: Some(projection.code().into()),
                modality: Some(if draw.chance(site.computed) { "CR" } else { "DX" }.into()),
                body_part: Some("CHEST".into()),
                findings,
                source_label: Some(label),
                other: BTreeMap::new(),
                origin: Some("synthetic".into()),
            }
            .into(),
        };
        if pneumonia {
            previous = Some(0);
        }
        let day = first_day + elapsed;
        items.push(Item {
            case,
            set,
            truth: Truth { pneumonia, severity, mimicry: bystanders.mimicry },
            study_date: epoch().checked_add_days(Days::new(day)).unwrap_or_else(epoch),
            phantom: Phantom { anatomy: anatomy.clone(), acquisition, shadows },
            stream: 0,
        });
    }
    items
}

/// The first day of the invented calendar; far enough back that nobody takes it for a recent study.
pub(super) fn epoch() -> NaiveDate {
    NaiveDate::default().checked_add_days(Days::new(16_436)).unwrap_or_default()
}

/// Draws one to three foci of pneumonia; gives how conspicuous they are together, in 0..=1.
fn infiltrate(draw: &mut Draw, shadows: &mut Vec<Shadow>) -> f64 {
    let (strength, extent) = match draw.weighted(&[0.05, 0.15, 0.80]) {
        0 => ((0.14, 0.30), (0.09, 0.16)),
        1 => ((0.55, 0.80), (0.18, 0.28)),
        _ => ((0.80, 1.00), (0.26, 0.44)),
    };
    let foci = 1 + draw.weighted(&[0.45, 0.35, 0.20]);
    let first_side = if draw.chance(0.56) { -1.0 } else { 1.0 };
    let mut seen = Vec::with_capacity(foci);
    for focus in 0..foci {
        let side = if focus == 0 || draw.chance(0.5) { first_side } else { -first_side };
        // Lower fields more often than upper ones.
        let down = if draw.chance(0.62) { draw.span(0.55, 0.93) } else { draw.span(0.12, 0.6) };
        let place = (draw.span(0.22, 0.80), down);
        let strength = draw.span(strength.0, strength.1) * if focus == 0 { 1.0 } else { 0.85 };
        let (a, b) = (draw.span(extent.0, extent.1), draw.span(extent.0, extent.1));
        let phase = (draw.span(0.0, 60.0), draw.span(0.0, 60.0));
        let net = draw.chance(0.10);
        if net {
            shadows.push(Shadow::Net { side, place, extent: a * 1.35, strength: strength * 0.85, phase });
        } else {
            let patchy = if draw.chance(0.6) { draw.span(0.0, 0.25) } else { draw.span(0.3, 0.7) };
            let angle = draw.span(-0.6, 0.6);
            shadows.push(Shadow::Opacity { side, place, extent: (a, b), angle, strength, patchy, phase });
        }
        let hidden = if place.0 < 0.35 && down > 0.5 && side > 0.0 { 0.65 } else { 1.0 };
        let area = f64::from((a * b).sqrt()) / 0.17;
        seen.push((f64::from(strength) * area * hidden * if net { 0.75 } else { 1.0 }).min(1.0));
    }
    1.0 - seen.iter().fold(1.0, |clear, c| clear * (1.0 - c))
}

/// What else is seen, drawn without regard to pneumonia.
#[derive(Default)]
struct Bystanders {
    findings: Vec<&'static str>,
    /// How much of it could be taken for pneumonia.
    mimicry: f64,
}

fn confound(draw: &mut Draw, projection: Projection, years: f64, shadows: &mut Vec<Shadow>) -> Bystanders {
    let mut found = Bystanders::default();
    let bedside = projection == Projection::Anteroposterior;
    let side = |draw: &mut Draw| if draw.chance(0.5) { -1.0 } else { 1.0 };
    if draw.chance(0.11) {
        let (side, level) = (side(draw), draw.span(0.06, 0.30));
        shadows.push(Shadow::Effusion { side, level });
        found.findings.push("Effusion");
        found.mimicry += 0.75 * f64::from(level);
    }
    if draw.chance(0.10) {
        for _ in 0..1 + draw.index(3) {
            let (side, place) = (side(draw), (draw.span(0.15, 0.85), draw.span(0.1, 0.9)));
            let (radius, strength) = (draw.span(0.018, 0.045), draw.span(0.3, 0.65));
            shadows.push(Shadow::Nodule { side, place, radius, strength });
        }
        found.findings.push("Nodule");
        found.mimicry += 0.05;
    }
    if draw.chance(0.14) {
        for _ in 0..1 + draw.index(2) {
            let (side, place) = (side(draw), (draw.span(0.3, 0.7), draw.span(0.72, 0.95)));
            let (length, angle) = (draw.span(0.16, 0.34), draw.span(-0.2, 0.2));
            let strength = draw.span(0.25, 0.6);
            shadows.push(Shadow::Band { side, place, length, angle, strength });
            found.mimicry += 0.16 * f64::from(strength);
        }
        found.findings.push("Atelectasis");
    }
    if draw.chance(0.09) {
        let strength = draw.span(0.3, 1.0);
        shadows.push(Shadow::Congestion { strength });
        found.findings.push("Edema");
        found.mimicry += 0.22 * f64::from(strength);
    }
    if draw.chance(if bedside { 0.40 } else { 0.04 }) {
        let mut paths = Vec::new();
        for _ in 0..2 + draw.index(3) {
            let from = (side(draw) * draw.span(0.35, 0.75), draw.span(-0.5, 0.6));
            let to = (side(draw) * draw.span(0.2, 1.0), 1.05);
            let bend = |draw: &mut Draw| (draw.span(-0.7, 0.7), draw.span(-0.1, 0.8));
            paths.push([from, bend(draw), bend(draw), to]);
        }
        shadows.push(Shadow::Wires { paths });
    }
    if draw.chance(if years > 50.0 { 0.07 } else { 0.004 }) {
        let (side, place) =
            (if draw.chance(0.75) { 1.0 } else { -1.0 }, (draw.span(0.42, 0.52), draw.span(-0.46, -0.36)));
        shadows.push(Shadow::Pacemaker { side, place, leads: 1 + draw.index(2) as u8 });
    }
    if bedside && draw.chance(0.22) {
        let side = side(draw);
        shadows.push(Shadow::CentralLine { side });
    }
    if bedside && draw.chance(0.10) {
        shadows.push(Shadow::Tube);
    }
    found
}

/// What the report's text gives: a label that is wrong for a few per cent, more often where the opacity is
/// faint or something else looks like one.
fn report(draw: &mut Draw, pneumonia: bool, severity: f64, bystanders: &Bystanders) -> (bool, Vec<String>) {
    let wrong = match (pneumonia, severity) {
        (true, s) if s < 0.2 => 0.15,
        (true, _) => 0.025,
        (false, _) if bystanders.mimicry > 0.15 => 0.05,
        (false, _) => 0.015,
    };
    let label = pneumonia != draw.chance(wrong);
    let mut findings: Vec<String> = bystanders.findings.iter().map(|&f| f.to_owned()).collect();
    if label {
        findings.push("Pneumonia".to_owned());
    }
    if pneumonia && draw.chance(0.4) {
        findings.push(if severity > 0.6 { "Consolidation" } else { "Infiltration" }.to_owned());
    }
    findings.sort();
    (label, findings)
}
