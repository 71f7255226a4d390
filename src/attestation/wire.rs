//! Strings and numbers as the protocol of SSH writes them (RFC 4251, 5).

/// A string as RFC 4251 writes it.
pub(super) fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// The rest of what is read.
pub(super) struct Parts<'a>(pub(super) &'a [u8]);

impl<'a> Parts<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(length as usize)
    }
}

/// A positive whole number as RFC 4251 writes it (mpint), from 32 bytes.
pub(super) fn mpint(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let mut shortest = bytes[first..].to_vec();
    if shortest.first().is_some_and(|byte| *byte >= 0x80) {
        shortest.insert(0, 0);
    }
    string(&shortest)
}

/// 32 bytes of an mpint.
pub(super) fn scalar(bytes: &[u8]) -> Option<[u8; 32]> {
    let digits = bytes.strip_prefix(&[0]).unwrap_or(bytes);
    let mut out = [0_u8; 32];
    out.get_mut(32_usize.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    // Only the shortest form.
    (mpint(&out) == string(bytes)).then_some(out)
}
