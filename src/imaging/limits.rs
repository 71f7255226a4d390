//! How large an image may be.

/// Largest number of rows or columns: four times a detector of 43 cm at 0.1 mm.
pub const LARGEST_SIDE: u32 = 20_000;
/// Largest number of pixels, so that a small file cannot ask for all memory.
pub const MOST_PIXELS: u64 = 100_000_000;
