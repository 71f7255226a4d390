//! Bits of a scan and their Huffman codes.

use super::Wrong;

const ENDED: Wrong = "the JPEG picture ends before the image is full";

/// Length and value of the code that the next 16 bits begin with; a length of 0 is no code.
pub(super) struct Codes(Vec<(u8, u8)>);

impl Codes {
    /// From the number of codes of each length and their values in order (annex C).
    pub(super) fn new(lengths: &[u8; 16], values: &[u8]) -> Result<Self, Wrong> {
        // A code of length l begins 2^(16 - l) of the 16-bit words, and codes of a length follow one another.
        let mut words = Vec::with_capacity(1 << 16);
        let mut next = values.iter();
        for (length, &number) in (1_u8..).zip(lengths) {
            for &value in next.by_ref().take(usize::from(number)) {
                let filled = words.len() + (1 << (16 - length));
                if filled > 1 << 16 {
                    return Err("a Huffman table of the JPEG picture has more codes than fit");
                }
                words.resize(filled, (length, value));
            }
        }
        words.resize(1 << 16, (0, 0));
        Ok(Self(words))
    }
}

/// A zero is stuffed after a byte of ones (F.1.2.3).
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, from the uppermost down; zeros below.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, held: 0, count: 0 }
    }

    /// Holds more than 32 bits, unless a marker or the end comes first.
    #[inline]
    fn fill(&mut self) {
        if self.count > 32 {
            return;
        }
        let next = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<4>());
        if let Some(next) = next.filter(|next| !next.contains(&0xFF)) {
            self.held |= u64::from(u32::from_be_bytes(*next)) << (32 - self.count);
            self.count += 32;
            self.at += 4;
            return;
        }
        while self.count <= 48 {
            let step = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xFF), Some(0)) => 2,
                (Some(0xFF), _) | (None, _) => return,
                _ => 1,
            };
            self.held |= u64::from(self.bytes[self.at]) << (56 - self.count);
            self.count += 8;
            self.at += step;
        }
    }

    /// At most 16 bits; there are as many after a code.
    #[inline]
    pub(super) fn take(&mut self, count: u8) -> Result<i64, Wrong> {
        let count = u32::from(count);
        self.count = self.count.checked_sub(count).ok_or(ENDED)?;
        // Nothing where no bit is wanted.
        let value = (self.held >> 1) >> (63 - count);
        self.held <<= count;
        Ok(value as i64)
    }

    /// The value of the next code. Afterwards 16 bits more are held, if they are there.
    #[inline]
    pub(super) fn code(&mut self, codes: &Codes) -> Result<u8, Wrong> {
        self.fill();
        let (length, value) = codes.0[(self.held >> 48) as usize];
        if length == 0 {
            return Err("the JPEG picture holds no code of its Huffman table, or is cut");
        }
        self.take(length)?;
        Ok(value)
    }

    /// EXTEND of RECEIVE (F.2.2.1), of at most 15 bits.
    #[inline]
    pub(super) fn signed(&mut self, size: u8) -> Result<i64, Wrong> {
        let value = self.take(size)?;
        Ok(if size > 0 && value >> (size - 1) == 0 { value - (1 << size) + 1 } else { value })
    }

    /// Passes the restart marker before the interval of this number, the first without a marker being 0.
    pub(super) fn restart(&mut self, interval: usize) -> Result<(), Wrong> {
        (self.held, self.count) = (0, 0);
        while self.bytes.get(self.at) == Some(&0xFF) && self.bytes.get(self.at + 1) == Some(&0xFF) {
            self.at += 1;
        }
        if self.bytes.get(self.at..self.at + 2) != Some(&[0xFF, 0xD0 + ((interval + 7) % 8) as u8]) {
            return Err("a restart marker of the JPEG picture is not where it belongs");
        }
        self.at += 2;
        Ok(())
    }
}
