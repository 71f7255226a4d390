//! A matrix product without copies: rows of values by weights that lie in panels of a few registers of
//! outputs.

use pulp::{Arch, Simd, WithSimd};

use super::Activation;

/// Inputs that are worked on at once, so that a panel's weights for them stay in the first cache.
const DEPTH: usize = 128;

/// Weights as this processor wants them: `[out / width][in][out % width]`, with zeros for the outputs that
/// fill the last panel.
#[derive(Clone, Debug)]
pub struct Matrix {
    values: Vec<f32>,
    inputs: usize,
    outputs: usize,
    /// Registers in a panel.
    registers: usize,
}

/// Rows of inputs, which may lie in parts.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// All of them.
    pub values: &'a [f32],
    /// From the beginning of a row to that of the next.
    pub pitch: usize,
    /// How many rows.
    pub count: usize,
    /// Values that lie together.
    pub part: usize,
    /// From the beginning of a part to that of the next.
    pub apart: usize,
}

impl<'a> Rows<'a> {
    /// Rows of values that lie together.
    pub fn new(values: &'a [f32], pitch: usize, count: usize, inputs: usize) -> Self {
        Self { values, pitch, count, part: inputs, apart: inputs }
    }
}

struct Registers(usize);

impl WithSimd for Registers {
    type Output = [usize; 2];

    /// How many registers a panel for so many outputs has, and how many values that is.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> [usize; 2] {
        let most = if S::REGISTER_COUNT >= 32 { 4 } else { 2 };
        let wasted = |registers: &usize| self.0.next_multiple_of(registers * S::F32_LANES);
        let registers = [4, 2, 1].into_iter().filter(|count| *count <= most).min_by_key(wasted).unwrap_or(1);
        [registers, registers * S::F32_LANES]
    }
}

impl Matrix {
    /// From weights `[in][out]`.
    pub fn new(arch: Arch, weights: &[f32], outputs: usize) -> Self {
        let [registers, width] = arch.dispatch(Registers(outputs));
        let inputs = weights.len() / outputs;
        let mut values = Vec::with_capacity(inputs * outputs.next_multiple_of(width));
        for panel in (0..outputs).step_by(width) {
            for weights in weights.chunks_exact(outputs) {
                let own = &weights[panel..outputs.min(panel + width)];
                values.extend_from_slice(own);
                values.resize(values.len() + width - own.len(), 0.0);
            }
        }
        Self { values, inputs, outputs, registers }
    }

    /// `y[row][out] = Σ x[row][in] * weights[in][out]`, plus a bias and within limits where they are given.
    pub fn times(&self, arch: Arch, x: Rows<'_>, follow: Option<(&[f32], Activation)>, y: &mut [f32]) {
        arch.dispatch(Product { matrix: self, x, follow, y });
    }
}

struct Product<'a> {
    matrix: &'a Matrix,
    x: Rows<'a>,
    follow: Option<(&'a [f32], Activation)>,
    y: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // Sums that the registers hold beside the weights, enough to hide how long an addition takes.
        match (self.matrix.registers, S::REGISTER_COUNT >= 32) {
            (4, _) => self.panels::<S, 6, 4>(simd),
            (2, true) => self.panels::<S, 8, 2>(simd),
            (2, false) => self.panels::<S, 6, 2>(simd),
            _ => self.panels::<S, 8, 1>(simd),
        }
    }
}

/// What is added up at once: some inputs of some outputs.
struct Part<'a, V> {
    /// Where the inputs lie in a row.
    from: usize,
    weights: &'a [V],
    output: usize,
    first: bool,
    last: bool,
}

impl Product<'_> {
    #[inline(always)]
    fn panels<S: Simd, const ROWS: usize, const REGISTERS: usize>(&mut self, simd: S) {
        let (weights, _) = S::as_simd_f32s(&self.matrix.values);
        let (weights, _) = weights.as_chunks::<REGISTERS>();
        let Rows { count, part, apart, .. } = self.x;
        for (number, weights) in weights.chunks_exact(self.matrix.inputs).enumerate() {
            let output = number * REGISTERS * S::F32_LANES;
            let mut input = 0;
            while input < weights.len() {
                let [done, within] = [input / part, input % part];
                let end = (input + DEPTH).min((done + 1) * part);
                let part = Part {
                    from: done * apart + within,
                    weights: &weights[input..end],
                    output,
                    first: input == 0,
                    last: end == weights.len(),
                };
                let mut row = 0;
                while row + ROWS <= count {
                    self.rows::<S, ROWS, REGISTERS>(simd, row, &part);
                    row += ROWS;
                }
                while row + 4 <= count {
                    self.rows::<S, 4, REGISTERS>(simd, row, &part);
                    row += 4;
                }
                while row < count {
                    self.rows::<S, 1, REGISTERS>(simd, row, &part);
                    row += 1;
                }
                input = end;
            }
        }
    }

    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const REGISTERS: usize>(
        &mut self,
        simd: S,
        row: usize,
        part: &Part<'_, [S::f32s; REGISTERS]>,
    ) {
        let Part { from, weights, output, first, last } = *part;
        let mut x: [&[f32]; ROWS] = [&[]; ROWS];
        for (at, x) in x.iter_mut().enumerate() {
            *x = &self.x.values[(row + at) * self.x.pitch + from..][..weights.len()];
        }
        let outputs = self.matrix.outputs;
        let valid = (outputs - output).min(REGISTERS * S::F32_LANES);
        let mut sums = [[simd.splat_f32s(0.0); REGISTERS]; ROWS];
        if !first {
            for (at, sums) in sums.iter_mut().enumerate() {
                get(simd, sums, &self.y[(row + at) * outputs + output..][..valid]);
            }
        }
        sums = accumulated(simd, x, weights, sums);
        if let Some((bias, activation)) = self.follow
            && last
        {
            let limits = activation.limits().map(|limit| simd.splat_f32s(limit));
            let mut all = [simd.splat_f32s(0.0); REGISTERS];
            get(simd, &mut all, &bias[output..][..valid]);
            for sums in &mut sums {
                for (sum, bias) in sums.iter_mut().zip(all) {
                    *sum = limited(simd, simd.add_f32s(*sum, bias), limits);
                }
            }
        }
        for (at, sums) in sums.iter().enumerate() {
            put(simd, sums, &mut self.y[(row + at) * outputs + output..][..valid]);
        }
    }
}

/// As many values as there are; the rest of the registers stays.
#[inline(always)]
fn get<S: Simd, const REGISTERS: usize>(simd: S, into: &mut [S::f32s; REGISTERS], values: &[f32]) {
    if values.len() == REGISTERS * S::F32_LANES {
        for (register, into) in into.iter_mut().enumerate() {
            *into = load(simd, &values[register * S::F32_LANES..]);
        }
    } else {
        for (into, values) in into.iter_mut().zip(values.chunks(S::F32_LANES)) {
            *into = simd.partial_load_f32s(values);
        }
    }
}

/// As many values as there is room for.
#[inline(always)]
fn put<S: Simd, const REGISTERS: usize>(simd: S, from: &[S::f32s; REGISTERS], values: &mut [f32]) {
    if values.len() == REGISTERS * S::F32_LANES {
        for (register, from) in from.iter().enumerate() {
            store(simd, *from, &mut values[register * S::F32_LANES..]);
        }
    } else {
        for (from, values) in from.iter().zip(values.chunks_mut(S::F32_LANES)) {
            simd.partial_store_f32s(values, *from);
        }
    }
}

#[inline(always)]
fn accumulated<S: Simd, const ROWS: usize, const REGISTERS: usize>(
    simd: S,
    x: [&[f32]; ROWS],
    weights: &[[S::f32s; REGISTERS]],
    mut sums: [[S::f32s; REGISTERS]; ROWS],
) -> [[S::f32s; REGISTERS]; ROWS] {
    for (k, weights) in weights.iter().enumerate() {
        for row in 0..ROWS {
            let x = simd.splat_f32s(x[row][k]);
            for register in 0..REGISTERS {
                sums[row][register] = simd.mul_add_e_f32s(weights[register], x, sums[row][register]);
            }
        }
    }
    sums
}

/// The first values, as many as a register holds.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    match S::as_simd_f32s(&values[..S::F32_LANES]).0 {
        [one] => *one,
        _ => simd.splat_f32s(0.0),
    }
}

/// Over the first values.
#[inline(always)]
pub(super) fn store<S: Simd>(_simd: S, value: S::f32s, values: &mut [f32]) {
    if let [one] = S::as_mut_simd_f32s(&mut values[..S::F32_LANES]).0 {
        *one = value;
    }
}

/// Within the limits; what is not a number stays so.
#[inline(always)]
pub(super) fn limited<S: Simd>(simd: S, value: S::f32s, [low, high]: [S::f32s; 2]) -> S::f32s {
    let value = simd.select_f32s(simd.less_than_f32s(value, low), low, value);
    simd.select_f32s(simd.greater_than_f32s(value, high), high, value)
}
