//! A unit as its operations are put one after the other, each counted as a layer.

use super::{Joined, Operation, Padding, Unit};

/// The operations of a unit so far.
pub(super) struct Builder {
    first: usize,
    layer: usize,
    operations: Vec<Operation>,
    family: Family,
}

/// What all convolutions and normalisations of a network have in common.
#[derive(Clone, Copy)]
pub(super) struct Family {
    /// Zeros at the borders, for the side of a kernel.
    pub padding: fn(usize) -> Padding,
    /// Added to variances before the root.
    pub epsilon: f64,
}

impl Builder {
    /// After the units so far.
    pub fn after(units: &[Unit], family: Family) -> Self {
        let first = units.last().map_or(0, |unit| unit.end_layer);
        Self { first, layer: first, operations: Vec::new(), family }
    }

    /// An operation that is one layer.
    pub fn push(&mut self, operation: Operation) -> &mut Self {
        self.operations.push(operation);
        self.skip(1)
    }

    /// Layers that do nothing here, such as paddings that the convolution has.
    pub fn skip(&mut self, layers: usize) -> &mut Self {
        self.layer += layers;
        self
    }

    /// An operation that is no layer of its own where the network comes from.
    pub fn uncounted(&mut self, operation: Operation) -> &mut Self {
        self.operations.push(operation);
        self
    }

    pub fn convolution(&mut self, name: &str, shape: [usize; 4], stride: usize, groups: usize) -> &mut Self {
        let (name, layer, padding) = (name.to_owned(), self.layer, (self.family.padding)(shape[2]));
        self.push(Operation::Convolution { name, shape, stride, groups, padding, layer })
    }

    pub fn normalisation(&mut self, name: &str, channels: usize) -> &mut Self {
        let (name, layer, epsilon) = (name.to_owned(), self.layer, self.family.epsilon);
        self.push(Operation::Normalisation { name, channels, epsilon, layer })
    }

    pub fn squeeze_excitation(&mut self, name: &str, channels: usize, squeezed: usize) -> &mut Self {
        let (name, layer) = (name.to_owned(), self.layer);
        self.push(Operation::SqueezeExcitation { name, channels, squeezed, layer })
    }

    /// The unit goes behind the others; an addition is a layer too.
    pub fn finish(self, name: String, joined: Joined, channels: usize, units: &mut Vec<Unit>) {
        let end_layer = self.layer + usize::from(joined == Joined::Added);
        let (first_layer, operations) = (self.first, self.operations);
        units.push(Unit { name, operations, joined, first_layer, end_layer, channels });
    }
}
