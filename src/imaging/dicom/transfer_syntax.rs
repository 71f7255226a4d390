//! The transfer syntaxes: which are known, how their data set is encoded, and how their pixels are decoded.

use crate::diagnostic::{Code, Diagnostic};

/// How the data set after the file meta information is encoded (PS3.5, 7.1 and annex A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) explicit: bool,
    pub(super) big_endian: bool,
}

pub(super) const EXPLICIT_LITTLE: Encoding = Encoding { explicit: true, big_endian: false };
pub(super) const IMPLICIT_LITTLE: Encoding = Encoding { explicit: false, big_endian: false };

/// Deflated Explicit VR Little Endian.
pub(super) const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// How pixels are encoded in a transfer syntax that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Native,
    EncapsulatedNative,
    Jpeg,
    JpegLs,
    Jpeg2000,
    Rle,
}

/// Transfer syntaxes (PS3.6, annex A): UID, name, encoding of the data set, and how pixels are decoded.
pub(super) const SYNTAXES: [(&str, &str, Encoding, Option<Codec>); 27] = [
    ("1.2.840.10008.1.2", "Implicit VR Little Endian", IMPLICIT_LITTLE, Some(Codec::Native)),
    ("1.2.840.10008.1.2.1", "Explicit VR Little Endian", EXPLICIT_LITTLE, Some(Codec::Native)),
    (
        "1.2.840.10008.1.2.2",
        "Explicit VR Big Endian",
        Encoding { explicit: true, big_endian: true },
        Some(Codec::Native),
    ),
    (
        "1.2.840.10008.1.2.1.98",
        "Encapsulated Uncompressed Explicit VR Little Endian",
        EXPLICIT_LITTLE,
        Some(Codec::EncapsulatedNative),
    ),
    (DEFLATED, "Deflated Explicit VR Little Endian", EXPLICIT_LITTLE, Some(Codec::Native)),
    ("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", EXPLICIT_LITTLE, Some(Codec::Jpeg)),
    ("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4)", EXPLICIT_LITTLE, Some(Codec::Jpeg)),
    ("1.2.840.10008.1.2.4.57", "JPEG Lossless (Process 14)", EXPLICIT_LITTLE, Some(Codec::Jpeg)),
    (
        "1.2.840.10008.1.2.4.70",
        "JPEG Lossless (Process 14, Selection Value 1)",
        EXPLICIT_LITTLE,
        Some(Codec::Jpeg),
    ),
    ("1.2.840.10008.1.2.5", "RLE Lossless", EXPLICIT_LITTLE, Some(Codec::Rle)),
    ("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", EXPLICIT_LITTLE, Some(Codec::JpegLs)),
    ("1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", EXPLICIT_LITTLE, Some(Codec::JpegLs)),
    ("1.2.840.10008.1.2.4.90", "JPEG 2000 (Lossless Only)", EXPLICIT_LITTLE, Some(Codec::Jpeg2000)),
    ("1.2.840.10008.1.2.4.91", "JPEG 2000", EXPLICIT_LITTLE, Some(Codec::Jpeg2000)),
    ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 (Lossless Only)", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.112", "JPEG XL", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 (Lossless Only)", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL (Lossless Only)", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", EXPLICIT_LITTLE, None),
];

/// A transfer syntax that is known, with whether and how its pixels are decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    pub uid: &'static str,
    pub name: &'static str,
    pub encoding: Encoding,
    pub codec: Option<Codec>,
}

/// The transfer syntax of this UID.
///
/// # Errors
/// `dicom-transfer-syntax` when it is not known.
pub(super) fn syntax(uid: &str) -> Result<Syntax, Diagnostic> {
    let known = SYNTAXES.iter().find(|(known, ..)| *known == uid);
    let &(uid, name, encoding, codec) = known.ok_or_else(|| {
        let uid: String = uid.chars().take(64).collect::<String>().escape_default().to_string();
        refused_syntax(&uid)
    })?;
    Ok(Syntax { uid, name, encoding, codec })
}

/// What is said of a transfer syntax that is not read.
pub(super) fn refused_syntax(name: &str) -> Diagnostic {
    Diagnostic::error(Code::DicomTransferSyntax, format!("the transfer syntax {name} is not read")).hint(
        "convert the file to Explicit VR Little Endian, for example with `gdcmconv --raw` or `dcmdjpeg`",
    )
}
