//! A decoded image, whatever file it came from.

/// One grey image: row-major, `width * height` intensities in 0..=1, brighter where more is absorbed
/// (MONOCHROME2 sense; MONOCHROME1 is inverted on reading).
#[derive(Clone, Debug, PartialEq)]
pub struct Radiograph {
    width: u32,
    height: u32,
    pixels: Vec<f32>,
}

impl Radiograph {
    /// # Panics
    /// When the number of pixels is not `width * height`, or either is 0: a decoder's fault, not the file's.
    pub fn new(width: u32, height: u32, pixels: Vec<f32>) -> Self {
        assert!(width > 0 && height > 0, "an image has pixels");
        assert_eq!(pixels.len(), width as usize * height as usize, "row-major pixels");
        Self { width, height, pixels }
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Row-major intensities in 0..=1.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }
}
