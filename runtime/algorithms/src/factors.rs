//! A dense table of factors: one row a viewer or a title.

/// `rows` × `dim` numbers, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    dim: usize,
    values: Vec<f32>,
}

impl Factors {
    /// A table of zeros.
    pub fn zeros(rows: usize, dim: usize) -> Self {
        Self { dim, values: vec![0.0; rows * dim] }
    }

    /// A table from its numbers, row after row; `None` when they do not fill whole rows of `dim`.
    pub fn from_values(dim: usize, values: Vec<f32>) -> Option<Self> {
        (dim > 0 && values.len().is_multiple_of(dim)).then_some(Self { dim, values })
    }

    /// Columns: the number of factors.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.values.len() / self.dim
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dim..][..self.dim]
    }

    /// One row, to write.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.dim..][..self.dim]
    }

    /// All numbers, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All numbers, row after row, to write.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// All numbers, row after row, without a copy.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}
