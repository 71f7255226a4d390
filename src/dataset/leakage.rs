//! What two sets of cases have in common, and what a set holds twice: patients, cases, files, pixels, and
//! images that look alike.
//!
//! Images that look alike are found by a difference hash: the image is averaged down to 17 × 16 cells, and
//! each bit says whether a cell is brighter than its left neighbour. Two images are near-duplicates when at
//! most a declared number of the 256 bits differ. Candidates share at least one of [`CHUNKS`] parts of the
//! hash exactly (multi-index hashing, Norouzi, Punjani and Fleet 2012), so a set is never compared with
//! itself pair by pair. A part that very many images share, such as a row of collimated border, tells
//! nothing: of these, [`MOST_COMPARED`] are compared with the others.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use serde::Serialize;

use crate::digest::Digest;
use crate::imaging::radiograph::Radiograph;
use crate::table::Word;
use crate::table::id::{Alike, Form};

/// Rows and compared pairs of columns of the hash.
const SIDE: usize = 16;
/// Parts of 16 bits that candidates are found by.
pub const CHUNKS: u32 = 16;
/// With fewer differing bits than parts, one part at least is equal: larger distances could be missed.
pub const LARGEST_DISTANCE: u32 = CHUNKS - 1;

/// Of the images that share a part of the hash, so many are compared with each of the others.
pub const MOST_COMPARED: usize = 2000;

/// A difference hash.
pub type Hash = [u64; 4];

/// The hash of an image; any size.
pub fn difference_hash(image: &Radiograph) -> Hash {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let columns = SIDE + 1;
    // Mean of the pixels that fall into a cell; a cell smaller than a pixel takes the pixel it lies in.
    let span = |cell: usize, cells: usize, size: usize| {
        let from = (cell * size / cells).min(size - 1);
        (from, ((cell + 1) * size / cells).max(from + 1))
    };
    let mean = |row: usize, column: usize| -> f64 {
        let ((top, bottom), (left, right)) = (span(row, SIDE, height), span(column, columns, width));
        let rows = image.pixels().chunks_exact(width).take(bottom).skip(top);
        let sum: f64 = rows.map(|r| r[left..right].iter().map(|&p| f64::from(p)).sum::<f64>()).sum();
        sum / ((bottom - top) * (right - left)) as f64
    };
    let mut hash = [0; 4];
    for row in 0..SIDE {
        let cells: Vec<f64> = (0..columns).map(|column| mean(row, column)).collect();
        for (column, pair) in cells.windows(2).enumerate() {
            let bit = row * SIDE + column;
            hash[bit / 64] |= u64::from(pair[1] > pair[0]) << (bit % 64);
        }
    }
    hash
}

/// Number of bits in which two hashes differ, 0 to 256.
pub fn distance(a: &Hash, b: &Hash) -> u32 {
    a.iter().zip(b).map(|(x, y)| (x ^ y).count_ones()).sum()
}

/// Digest of the size and the intensities: equal for the same picture in another file format.
pub fn pixel_digest(image: &Radiograph) -> Digest {
    let mut bytes = Vec::with_capacity(8 + 4 * image.pixels().len());
    bytes.extend(image.width().to_le_bytes());
    bytes.extend(image.height().to_le_bytes());
    image.pixels().iter().for_each(|p| bytes.extend(p.to_bits().to_le_bytes()));
    Digest::of(&bytes)
}

/// What is known of one case. Empty fields are not compared.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// Which set, from 0.
    pub set: usize,
    /// The case.
    pub case_id: Word,
    /// The patient.
    pub patient_id: Word,
    /// Where it was acquired.
    pub site: Option<Word>,
    /// Study Instance UID of a DICOM image.
    pub study: Option<String>,
    /// SOP Instance UID of a DICOM image.
    pub instance: Option<String>,
    /// Digest of the image file.
    pub file: Option<Digest>,
    /// Digest of the pixels.
    pub pixels: Option<Digest>,
    /// Difference hash of the pixels.
    pub hash: Option<Hash>,
}

/// What two cases have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The same case.
    Case,
    /// The same patient.
    Patient,
    /// Patients whose ids differ in form alone: probably the same.
    ProbablePatient,
    /// Cases whose ids differ in form alone: probably the same.
    ProbableCase,
    /// The same study by its UID.
    Study,
    /// The same DICOM image by its UID, in other bytes.
    Instance,
    /// The same bytes.
    File,
    /// The same pixels in another file.
    Pixels,
    /// Pixels that look alike.
    NearDuplicate,
    /// The same site.
    Site,
}

impl Kind {
    /// Whether sets that have this in common are not separate. A shared site is worth knowing, and no leak;
    /// so are cases whose ids are alike, since many sets number their cases. Patients whose ids are alike
    /// are taken as the same, unless `distinct_ids` says that they are not.
    pub fn leaks(self, distinct_ids: bool) -> bool {
        match self {
            Self::Site | Self::ProbableCase => false,
            Self::ProbablePatient => !distinct_ids,
            _ => true,
        }
    }
}

/// Two cases with something in common, `first` before `second` in the list of items.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// What.
    pub kind: Kind,
    /// Index of an item.
    pub first: usize,
    /// Index of another.
    pub second: usize,
    /// Bits that differ, for near-duplicates.
    pub distance: Option<u32>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Sorted.
    pub pairs: Vec<Pair>,
    /// Images that share a part of the hash with more than [`MOST_COMPARED`] others and were not compared
    /// with all of them. A near-duplicate that shares no other part may be missed.
    pub crowded: usize,
}

/// Everything that items have in common.
///
/// Between sets: one pair for each value in common and pair of sets (the first case of each set). Within a
/// set: equal and nearly equal images of different cases, each with the first of its kind; a patient's
/// several images are not reported. `most_bits` is at most [`LARGEST_DISTANCE`]; 0 finds equal hashes only.
/// Ids of one `form` are probably the same.
pub fn in_common(items: &[Item], most_bits: u32, form: Form) -> Found {
    let mut out = Vec::new();
    by_value(items, Kind::Case, |i| Some(i.case_id.as_str()), &mut out);
    by_value(items, Kind::Patient, |i| Some(i.patient_id.as_str()), &mut out);
    by_form(items, Kind::ProbablePatient, form, |i| &i.patient_id, &mut out);
    by_form(items, Kind::ProbableCase, form, |i| &i.case_id, &mut out);
    by_value(items, Kind::Site, |i| i.site.as_deref(), &mut out);
    by_value(items, Kind::Study, |i| i.study.as_deref(), &mut out);
    by_value(items, Kind::Instance, |i| i.instance.as_deref(), &mut out);
    by_value(items, Kind::File, |i| i.file.as_ref().map(Digest::as_bytes), &mut out);
    by_value(items, Kind::Pixels, |i| i.pixels.as_ref().map(Digest::as_bytes), &mut out);
    let crowded = near(items, most_bits.min(LARGEST_DISTANCE), MOST_COMPARED, &mut out);
    // The same bytes have the same UID and pixels: the strongest reason is enough.
    let files: BTreeSet<(usize, usize)> =
        out.iter().filter(|p| p.kind == Kind::File).map(|p| (p.first, p.second)).collect();
    let weaker = |kind| matches!(kind, Kind::Pixels | Kind::Instance);
    out.retain(|p| !weaker(p.kind) || !files.contains(&(p.first, p.second)));
    out.sort();
    out.dedup();
    Found { pairs: out, crowded }
}

fn by_value<'a, V: Ord>(
    items: &'a [Item],
    kind: Kind,
    value: impl Fn(&'a Item) -> Option<V>,
    out: &mut Vec<Pair>,
) {
    let mut holders: BTreeMap<V, Vec<usize>> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(value) = value(item) {
            holders.entry(value).or_default().push(index);
        }
    }
    let images = matches!(kind, Kind::File | Kind::Pixels | Kind::Instance);
    for holders in holders.into_values().filter(|h| h.len() > 1) {
        let mut first_of_set: BTreeMap<usize, usize> = BTreeMap::new();
        for index in holders {
            let set = items[index].set;
            for (_, &first) in first_of_set.iter().filter(|(other, _)| **other != set || images) {
                let seen = items[first].set != set && first_of_set.contains_key(&set);
                if !seen {
                    out.push(Pair { kind, first, second: index, distance: None });
                }
            }
            first_of_set.entry(set).or_insert(index);
        }
    }
}

/// Ids of different sets that differ in form alone: for each form and pair of sets the first such pair.
fn by_form(items: &[Item], kind: Kind, form: Form, id: impl Fn(&Item) -> &Word, out: &mut Vec<Pair>) {
    // The first case of each id and set.
    let mut first: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        first.entry((id(item), item.set)).or_insert(index);
    }
    let alike = Alike::of(first.keys().map(|(id, _)| *id), form);
    for group in alike.groups() {
        let mut holders: Vec<usize> = Vec::new();
        for id in group {
            holders.extend(first.range((id, 0)..=(id, usize::MAX)).map(|(_, index)| *index));
        }
        let mut told = BTreeSet::new();
        for (nth, one) in holders.iter().enumerate() {
            for other in &holders[nth + 1..] {
                let (a, b) = (items[*one].set, items[*other].set);
                if a != b && id(&items[*one]) != id(&items[*other]) && told.insert((a.min(b), a.max(b))) {
                    out.push(Pair { kind, first: *one.min(other), second: *one.max(other), distance: None });
                }
            }
        }
    }
}

/// Near-duplicates; the number of images that were not compared with all that share a part.
fn near(items: &[Item], most_bits: u32, most_compared: usize, out: &mut Vec<Pair>) -> usize {
    let mut push = |first: usize, second: usize, bits: u32| {
        let (one, other) = (&items[first], &items[second]);
        let equal = one.pixels.is_some() && one.pixels == other.pixels;
        if !equal && one.case_id != other.case_id {
            out.push(Pair { kind: Kind::NearDuplicate, first, second, distance: Some(bits) });
        }
    };
    // Equal hashes: each with the first of each set, which then stands for them.
    let mut equal: BTreeMap<&Hash, BTreeMap<usize, usize>> = BTreeMap::new();
    let mut stand: Vec<(usize, &Hash)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(hash) = &item.hash else { continue };
        let first_of_set = equal.entry(hash).or_default();
        first_of_set.values().for_each(|&first| push(first, index, 0));
        if let btree_map::Entry::Vacant(place) = first_of_set.entry(item.set) {
            place.insert(index);
            stand.push((index, hash));
        }
    }
    let part = |hash: &Hash, chunk: usize| (hash[chunk / 4] >> (16 * (chunk % 4))) as u16;
    let mut crowded = BTreeSet::new();
    for chunk in 0..CHUNKS as usize {
        let mut alike: BTreeMap<u16, Vec<(usize, &Hash)>> = BTreeMap::new();
        for &(index, hash) in &stand {
            let same = alike.entry(part(hash, chunk)).or_default();
            for &(other, theirs) in same.iter() {
                let bits = distance(hash, theirs);
                // A pair is found by the first part that it shares, or again by the next where that one was
                // crowded.
                if bits > 0 && bits <= most_bits {
                    push(other, index, bits);
                }
            }
            if same.len() < most_compared {
                same.push((index, hash));
            } else {
                crowded.insert(index);
            }
        }
    }
    crowded.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(set: usize, case: &str, patient: &str) -> Item {
        Item { set, case_id: case.into(), patient_id: patient.into(), ..Item::default() }
    }

    fn kinds(items: &[Item]) -> Vec<(Kind, usize, usize)> {
        in_common(items, 4, Form::Seen).pairs.iter().map(|p| (p.kind, p.first, p.second)).collect()
    }

    #[test]
    fn ids_that_differ_in_form_alone_are_a_find_of_their_own() {
        let items = [
            item(0, "a", "00000001"),
            item(0, "b", "00000002"),
            item(0, "c", "2"),
            item(1, "A", "1"),
            item(1, "d", "P 7"),
            item(2, "e", "p07"),
            item(2, "f", "1.0"),
            item(0, "g", "M\u{fc}ller"),
            item(1, "h", "Mu\u{308}ller\u{200b}"),
        ];
        let probable = Kind::ProbablePatient;
        assert_eq!(
            kinds(&items),
            [
                (probable, 0, 3),
                (probable, 0, 6),
                (probable, 3, 6),
                (probable, 4, 5),
                (probable, 7, 8),
                (Kind::ProbableCase, 0, 3),
            ]
        );
        // As versions before 1.1 compared them.
        let folded = in_common(&items, 4, Form::Folded).pairs;
        assert!(folded.len() == 5 && folded.iter().all(|pair| pair.first != 7));
        assert!(probable.leaks(false) && !probable.leaks(true) && !Kind::ProbableCase.leaks(false));
    }

    #[test]
    fn a_patient_in_two_sets_is_found_once_and_twice_in_one_is_nothing() {
        let items = [
            item(0, "a", "P1"),
            item(0, "b", "P1"),
            item(1, "c", "P1"),
            item(1, "d", "P1"),
            item(1, "e", "P2"),
        ];
        assert_eq!(kinds(&items), [(Kind::Patient, 0, 2)]);
    }

    #[test]
    fn equal_files_are_found_within_and_between_sets() {
        let file = |set, case: &str, bytes: &[u8]| {
            let digest = Some(Digest::of(bytes));
            Item { file: digest, pixels: digest, ..item(set, case, case) }
        };
        let items = [file(0, "a", b"x"), file(0, "b", b"x"), file(1, "c", b"x"), file(1, "d", b"y")];
        assert_eq!(kinds(&items), [(Kind::File, 0, 1), (Kind::File, 0, 2)]);
    }

    #[test]
    fn a_study_or_image_in_two_sets_is_found_by_its_uid() {
        let dicom = |set, case: &str, study: &str, instance: &str| Item {
            study: Some(study.into()),
            instance: Some(instance.into()),
            ..item(set, case, case)
        };
        let items = [
            dicom(0, "a", "1.1", "1.1.1"),
            dicom(0, "b", "1.1", "1.1.2"),
            dicom(1, "c", "1.1", "1.1.3"),
            dicom(1, "d", "1.2", "1.1.2"),
        ];
        assert_eq!(kinds(&items), [(Kind::Study, 0, 2), (Kind::Instance, 1, 3)]);
    }

    #[test]
    fn images_that_all_look_alike_are_not_compared_pair_by_pair() {
        let count = 3 * MOST_COMPARED;
        let hashed =
            |i: usize, hash| Item { hash: Some(hash), ..item(i % 2, &format!("c{i}"), &format!("p{i}")) };
        // All equal: each with the first of each set.
        let equal: Vec<Item> = (0..count).map(|i| hashed(i, [7, 0, 0, 0])).collect();
        let found = in_common(&equal, 4, Form::Seen);
        assert_eq!((found.pairs.len(), found.crowded), (2 * (count - 2) + 1, 0));
        // One part in common, else far apart: the rest of the crowd is said.
        let mut stream = crate::random::Stream::new(5, 0);
        let mut crowd: Vec<Item> = (0..count)
            .map(|i| {
                hashed(i, std::array::from_fn(|n| stream.below(u64::MAX) << if n == 0 { 16 } else { 0 }))
            })
            .collect();
        let found = in_common(&crowd, 4, Form::Seen);
        assert_eq!((found.pairs.len(), found.crowded), (0, count - MOST_COMPARED));
        // A near-duplicate at the end of the crowd is found by another part.
        let mut hash = crowd[count - 1].hash.expect("hash");
        hash[3] ^= 1;
        crowd.push(hashed(count, hash));
        let found = in_common(&crowd, 4, Form::Seen).pairs;
        assert_eq!(found.iter().map(|p| (p.first, p.second)).collect::<Vec<_>>(), [(count - 1, count)]);
    }

    #[test]
    fn every_pair_within_the_distance_is_found_as_by_comparing_all() {
        let mut stream = crate::random::Stream::new(3, 0);
        let mut items = Vec::new();
        for i in 0..300_usize {
            let base: Hash = std::array::from_fn(|_| stream.below(u64::MAX));
            items.push(Item { hash: Some(base), ..item(i % 2, &format!("a{i}"), &format!("p{i}")) });
            // A copy with some bits changed, up to 20.
            let mut copy = base;
            for _ in 0..i % 21 {
                let bit = stream.below(256) as usize;
                copy[bit / 64] ^= 1 << (bit % 64);
            }
            items.push(Item { hash: Some(copy), ..item(i % 2, &format!("b{i}"), &format!("q{i}")) });
        }
        let mut all = Vec::new();
        for second in 0..items.len() {
            for first in 0..second {
                let bits = distance(&items[first].hash.expect("hash"), &items[second].hash.expect("hash"));
                if bits <= LARGEST_DISTANCE {
                    all.push((first, second, Some(bits)));
                }
            }
        }
        all.sort_unstable();
        let found = in_common(&items, LARGEST_DISTANCE, Form::Seen);
        assert_eq!(found.crowded, 0);
        let found = found.pairs;
        assert!(all.len() > 200);
        assert_eq!(found.iter().map(|p| (p.first, p.second, p.distance)).collect::<Vec<_>>(), all);
    }

    #[test]
    fn a_hash_survives_brightness_and_size_and_tells_mirror_images_apart() {
        let picture = |width: u32, height: u32, shade: fn(f32, f32) -> f32| {
            let pixels = (0..width * height)
                .map(|i| shade((i % width) as f32 / width as f32, (i / width) as f32 / height as f32))
                .collect();
            Radiograph::new(width, height, pixels)
        };
        let wave = |x: f32, y: f32| 0.5 + 0.3 * (7.0 * x + 3.0 * y).sin();
        let one = difference_hash(&picture(340, 320, wave));
        let brighter = difference_hash(&picture(340, 320, |x, y| 0.6 + 0.24 * (7.0 * x + 3.0 * y).sin()));
        let smaller = difference_hash(&picture(170, 160, wave));
        let mirrored =
            difference_hash(&picture(340, 320, |x, y| 0.5 + 0.3 * (7.0 * (1.0 - x) + 3.0 * y).sin()));
        assert_eq!(distance(&one, &brighter), 0);
        assert!(distance(&one, &smaller) <= 8, "{}", distance(&one, &smaller));
        assert!(distance(&one, &mirrored) > 60, "{}", distance(&one, &mirrored));
        // One pixel is an image, too.
        assert_eq!(difference_hash(&Radiograph::new(1, 1, vec![0.5])), [0; 4]);
    }

    #[test]
    fn what_leaks_is_all_but_sites_and_cases_that_are_numbered_alike() {
        for kind in [
            Kind::Case,
            Kind::Patient,
            Kind::Study,
            Kind::Instance,
            Kind::File,
            Kind::Pixels,
            Kind::NearDuplicate,
        ] {
            assert!(kind.leaks(false) && kind.leaks(true), "{kind:?}");
        }
        for kind in [Kind::Site, Kind::ProbableCase] {
            assert!(!kind.leaks(false) && !kind.leaks(true), "{kind:?}");
        }
        assert!(Kind::ProbablePatient.leaks(false) && !Kind::ProbablePatient.leaks(true));
    }

    #[test]
    fn each_bit_says_whether_a_cell_is_brighter_than_its_left_neighbour() {
        // 17 columns of one pixel each: bit c of a row compares column c + 1 with column c.
        let shade = |row: usize, column: usize| match row {
            0 => f64::from(column as u32) / 17.0,
            1 if column == 3 => 1.0,
            15 if column == 16 => 1.0,
            _ => 0.0,
        };
        let pixels = (0..16 * 17).map(|i| shade(i / 17, i % 17) as f32).collect();
        let hash = difference_hash(&Radiograph::new(17, 16, pixels));
        assert_eq!(hash[0] & 0xffff, 0xffff, "brighter all along the first row");
        assert_eq!((hash[0] >> 16) & 0xffff, 1 << 2, "column 3 is brighter than column 2");
        assert_eq!((hash[0] >> 32, hash[1], hash[2]), (0, 0, 0));
        assert_eq!(hash[3], 1 << 63, "the last column of the last row");
        // Twice as large, each cell is the mean of four pixels.
        let pixels = (0..32 * 34)
            .map(|i| shade(i / 34 / 2, i % 34 / 2) as f32 + if i % 2 == 0 { 0.01 } else { -0.01 })
            .collect();
        assert_eq!(difference_hash(&Radiograph::new(34, 32, pixels)), hash);
        assert_eq!(distance(&[0, 0, 0, 0], &hash), 18);
        assert_eq!(distance(&hash, &hash), 0);
    }

    #[test]
    fn a_site_in_common_is_told_and_missing_values_are_not_in_common() {
        let at = |set, case: &str, site: Option<&str>| Item {
            site: site.map(Word::from),
            ..item(set, case, case)
        };
        let items =
            [at(0, "a", Some("north")), at(1, "b", Some("north")), at(0, "c", None), at(1, "d", None)];
        assert_eq!(kinds(&items), [(Kind::Site, 0, 1)]);
    }

    #[test]
    fn one_pair_of_sets_is_told_once_for_each_value_and_images_within_a_set_too() {
        let pixels =
            |set, case: &str, bytes: &[u8]| Item { pixels: Some(Digest::of(bytes)), ..item(set, case, case) };
        let items = [
            pixels(0, "a", b"x"),
            pixels(0, "b", b"x"),
            pixels(1, "c", b"x"),
            pixels(1, "d", b"x"),
            pixels(2, "e", b"x"),
        ];
        let with_first: Vec<_> = kinds(&items).iter().map(|k| (k.1, k.2)).collect();
        assert_eq!(with_first, [(0, 1), (0, 2), (0, 4), (2, 3), (2, 4)]);
        let patients = [item(0, "a", "P"), item(1, "b", "P"), item(2, "c", "P"), item(2, "d", "P")];
        let pairs: Vec<_> = kinds(&patients).iter().map(|k| (k.1, k.2)).collect();
        assert_eq!(pairs, [(0, 1), (0, 2), (1, 2)]);
    }

    #[test]
    fn images_that_look_alike_are_no_find_where_their_pixels_or_their_case_are_the_same() {
        let hashed = |set, case: &str, hash: Hash, pixels: Option<&[u8]>| Item {
            hash: Some(hash),
            pixels: pixels.map(Digest::of),
            ..item(set, case, &format!("{case}-{set}"))
        };
        let far = [!0, 0, 0, 0];
        let near: Hash = [0b111, 0, 0, 0];
        let items = [hashed(0, "a", [0; 4], None), hashed(1, "b", near, None), hashed(1, "c", far, None)];
        let found = in_common(&items, 3, Form::Seen).pairs;
        assert_eq!(
            found.iter().map(|p| (p.first, p.second, p.distance)).collect::<Vec<_>>(),
            [(0, 1, Some(3))]
        );
        assert_eq!(in_common(&items, 2, Form::Seen).pairs, []);
        let same = [hashed(0, "a", [0; 4], Some(b"x")), hashed(1, "b", [0; 4], Some(b"x"))];
        assert_eq!(kinds(&same), [(Kind::Pixels, 0, 1)], "the same pixels are the stronger find");
        let case = [hashed(0, "a", [0; 4], None), hashed(1, "a", near, None)];
        assert_eq!(kinds(&case), [(Kind::Case, 0, 1)]);
    }

    /// Sixteen parts, and at most fifteen bits that differ: one part at least is equal. With sixteen it would
    /// depend on where they stand.
    #[test]
    fn near_duplicates_differ_in_fewer_bits_than_there_are_parts() {
        let hashed = |case: &str, hash: Hash| Item { hash: Some(hash), ..item(0, case, case) };
        let found = |bits: u64, asked: u32| -> Vec<_> {
            let items = [hashed("a", [0; 4]), hashed("b", [bits, 0, 0, 0])];
            in_common(&items, asked, Form::Seen).pairs.iter().map(|p| (p.kind, p.distance)).collect()
        };
        assert_eq!(found(0x7fff, 99), [(Kind::NearDuplicate, Some(15))]);
        assert_eq!(found(0xffff, 99), [], "never more than are always found");
        assert_eq!(found(0b111, 3), [(Kind::NearDuplicate, Some(3))]);
        assert_eq!(found(0b1111, 3), []);
        assert_eq!(found(0, 0), [(Kind::NearDuplicate, Some(0))]);
        assert_eq!(found(1, 0), []);
    }

    /// The bit of a row and column stands where the documentation says: sixteen a row, the first row first.
    #[test]
    fn the_bits_of_a_hash_stand_row_by_row() {
        for (row, column) in [(0, 0), (0, 15), (3, 15), (4, 0), (7, 9), (15, 15)] {
            let mut pixels = vec![0.0; 17 * 16];
            // Brighter than its left neighbour at one place alone, and as bright from there on.
            pixels[row * 17 + column + 1..(row + 1) * 17].fill(1.0);
            let bit = 16 * row + column;
            let mut expected = [0; 4];
            expected[bit / 64] = 1 << (bit % 64);
            assert_eq!(difference_hash(&Radiograph::new(17, 16, pixels)), expected, "{row} {column}");
        }
    }

    #[test]
    fn a_cell_is_the_mean_of_all_its_pixels() {
        // Cells of two by two pixels. The first of the second cell is the brightest, its mean the darker.
        let hash = |second: [f32; 4]| {
            let mut pixels = vec![0.5; 34 * 32];
            for (row, two) in second.chunks(2).enumerate() {
                pixels[row * 34 + 2..row * 34 + 4].copy_from_slice(two);
            }
            difference_hash(&Radiograph::new(34, 32, pixels))
        };
        // The second cell against the first is bit 0, the third against the second bit 1.
        assert_eq!(hash([0.9, 0.3, 0.3, 0.3]), [0b10, 0, 0, 0]);
        assert_eq!(hash([0.1, 0.7, 0.7, 0.7]), [0b01, 0, 0, 0]);
        assert_eq!(hash([0.5, 0.5, 0.5, 0.6]), [0b01, 0, 0, 0]);
        assert_eq!(hash([0.5; 4]), [0; 4]);
    }
}
