//! Rows of an artifact's tables, as types: a title row cannot be taken for a viewer row.

use std::fmt;

/// Row of the title table.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable,
)]
#[repr(transparent)]
pub struct TitleRow(pub u32);

/// Row of the viewer table.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable,
)]
#[repr(transparent)]
pub struct ViewerRow(pub u32);

impl TitleRow {
    /// As an index.
    pub fn idx(self) -> usize {
        self.0 as usize
    }

    /// Numbers as rows, without a copy.
    pub fn from_numbers(numbers: &[u32]) -> &[Self] {
        bytemuck::cast_slice(numbers)
    }

    /// Rows as numbers, without a copy.
    pub fn numbers(rows: &[Self]) -> &[u32] {
        bytemuck::cast_slice(rows)
    }
}

impl ViewerRow {
    /// As an index.
    pub fn idx(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for TitleRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ViewerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A title and its score; larger is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Row of the title table.
    pub title: TitleRow,
    /// Finite.
    pub score: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_cast_without_a_copy() {
        let numbers = [3, 1, 2];
        let rows = TitleRow::from_numbers(&numbers);
        assert_eq!(rows, [TitleRow(3), TitleRow(1), TitleRow(2)]);
        assert_eq!(TitleRow::numbers(rows).as_ptr(), numbers.as_ptr());
    }
}
