//! JPEG (ISO/IEC 10918-1, ITU-T T.81) inside DICOM: one component, Huffman codes; the sequential processes
//! with 8 or 12 bits ([`dct`]) and the lossless one with 2 to 16 ([`lossless`]), each with restart intervals.
//! Written from the recommendation; names in comments are its own. Progressive, hierarchical and arithmetic
//! processes are refused by name: no transfer syntax that is read has them.
//!
//! Why not a library: `jpeg-decoder` 0.3.2 gives wrong samples without a word for the lossless process with
//! restart intervals and with a point transform; `zune-jpeg` 0.5 reads neither the lossless process nor 12
//! bits. `scripts/decoders.sh` compares with GDCM and pydicom over all parameters.
//!
//! One run on one of two shared cores, 16 radiographs of 1024 x 1024, core-milliseconds an image, ours from
//! the file to intensities: lossless, 12 bits: 19.4 (`jpeg-decoder` 25.0, with a different result;
//! libjpeg-turbo 9.4); baseline: 14.1 (`zune-jpeg` 4.3, `jpeg-decoder` 5.2). Ours stays for baseline too,
//! because it rounds the transform exactly, the same on every machine, without unsafe code on foreign bytes.

mod bits;
mod dct;
mod lossless;
mod markers;

use bits::Codes;
use markers::Segments;

/// A decoded picture.
#[derive(Debug)]
pub(super) struct Picture {
    /// P: bits of a sample.
    pub precision: u32,
    /// Row by row, each below 2^P.
    pub samples: Vec<u16>,
}

/// Why a picture is not read.
#[derive(Debug)]
pub(super) enum Refused {
    /// A process that is none of those read.
    Process(String),
    /// More components than one.
    Colour(u8),
    /// It is damaged, or contradicts itself or the header.
    Wrong(String),
}

impl From<&str> for Refused {
    fn from(what: &str) -> Self {
        Self::Wrong(what.to_owned())
    }
}

/// What is wrong with a scan; short, because every sample may bring one.
type Wrong = &'static str;

const CUT: Wrong = "the JPEG picture is cut";

/// The frame header (B.2.2).
#[derive(Clone, Copy, Debug)]
struct Frame {
    lossless: bool,
    precision: u32,
    columns: usize,
    rows: usize,
    /// C and Tq of the only component.
    component: u8,
    quantisation: usize,
}

/// What the scan header (B.2.3) and the segments before it say of the only scan.
struct Scan<'a> {
    frame: Frame,
    /// The entropy-coded segments.
    bytes: &'a [u8],
    /// DC and AC tables.
    codes: [Option<&'a Codes>; 2],
    /// In the order of the zigzag.
    quantisation: Option<&'a [i64; 64]>,
    /// Ri; 0 where there are no restarts.
    restart: usize,
    /// Ss: the predictor of the lossless process.
    predictor: u8,
    /// Al: its point transform.
    point: u8,
}

const SOF0: u8 = 0xC0;
const SOF1: u8 = 0xC1;
const SOF3: u8 = 0xC3;
const DHT: u8 = 0xC4;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;

/// The picture, which has to be as large as the header says.
pub(super) fn decode(bytes: &[u8], columns: u32, rows: u32) -> Result<Picture, Refused> {
    let mut segments = Segments::new(bytes)?;
    let mut quantisation = [const { None }; 4];
    let mut codes: [[Option<Codes>; 4]; 2] = Default::default();
    let mut restart = 0;
    let mut frame = None;
    loop {
        let (marker, body) = segments.next()?;
        match marker {
            SOF0 | SOF1 | SOF3 => {
                if frame.is_some() {
                    return Err("the JPEG picture has two frame headers".into());
                }
                frame = Some(frame_of(marker, body, columns as usize, rows as usize)?);
            }
            0xC2 | 0xC5..=0xC7 | 0xC9..=0xCF => return Err(Refused::Process(process(marker))),
            DQT => markers::quantisation_tables(body, &mut quantisation)?,
            DHT => markers::code_tables(body, &mut codes)?,
            DRI => {
                let &[high, low] = body else { return Err(CUT.into()) };
                restart = usize::from(u16::from_be_bytes([high, low]));
            }
            SOS => {
                let frame: Frame = frame.ok_or("the JPEG picture has no frame header before its scan")?;
                let &[1, selected, tables, predictor, last, shifts] = body else {
                    return Err("the scan header of the JPEG picture is not that of one component".into());
                };
                if selected != frame.component {
                    return Err("the scan of the JPEG picture names another component than its frame".into());
                }
                // Table B.3: Se and Ah are fixed; the sequential processes have neither Ss nor Al.
                let sequential = (predictor, last, shifts) == (0, 63, 0);
                if !(frame.lossless || sequential) {
                    return Err("the scan header of the JPEG picture is not that of a sequential one".into());
                }
                let table = |class: usize, index: u8| codes[class].get(usize::from(index))?.as_ref();
                let scan = Scan {
                    frame,
                    bytes: segments.rest(),
                    codes: [table(0, tables >> 4), table(1, tables & 15)],
                    quantisation: quantisation.get(frame.quantisation).and_then(Option::as_ref),
                    restart,
                    predictor,
                    point: shifts & 15,
                };
                let samples = if frame.lossless { lossless::decode(&scan)? } else { dct::decode(&scan)? };
                return Ok(Picture { precision: frame.precision, samples });
            }
            // Application data, comments, and what may stand there without meaning.
            0xE0..=0xEF | 0xFE => {}
            other => {
                return Err(Refused::Wrong(format!("marker FF{other:02X} of the JPEG picture is not read")));
            }
        }
    }
}

fn frame_of(marker: u8, body: &[u8], columns: usize, rows: usize) -> Result<Frame, Refused> {
    let &[precision, y1, y0, x1, x0, components, ref of_components @ ..] = body else {
        return Err(CUT.into());
    };
    if components != 1 {
        return Err(Refused::Colour(components));
    }
    let &[component, _, quantisation] = of_components else { return Err(CUT.into()) };
    let held = match marker {
        SOF0 => precision == 8,
        SOF1 => matches!(precision, 8 | 12),
        _ => (2..=16).contains(&precision),
    };
    if !held {
        return Err(Refused::Wrong(format!("{precision} bits are not those of the JPEG process")));
    }
    let (height, width) = (u16::from_be_bytes([y1, y0]), u16::from_be_bytes([x1, x0]));
    if (usize::from(width), usize::from(height)) != (columns, rows) {
        return Err(Refused::Wrong(format!(
            "the JPEG picture has {width} x {height} pixels, the header says {columns} x {rows}"
        )));
    }
    Ok(Frame {
        lossless: marker == SOF3,
        precision: precision.into(),
        columns,
        rows,
        component,
        quantisation: quantisation.into(),
    })
}

/// The process of a start of frame (table B.1).
fn process(marker: u8) -> String {
    let process = match marker {
        0xC2 => "progressive DCT",
        0xC5..=0xC7 => "a hierarchical process",
        0xCC => "arithmetic coding",
        0xC9..=0xCB => "an arithmetic process",
        _ => "a hierarchical arithmetic process",
    };
    format!("{process} (marker FF{marker:02X})")
}

#[cfg(test)]
mod tests;
