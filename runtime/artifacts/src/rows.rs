//! Rows of tables as types, so that a row of one table cannot be taken for a row of another.

use std::fmt;

/// Row of one table.
pub trait TableRow: Copy + Ord {
    /// The row with this number.
    fn from_number(number: u32) -> Self;

    /// Its number; the first row is 0.
    fn number(self) -> u32;
}

macro_rules! table_rows {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable,
        )]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
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

        impl TableRow for $name {
            #[inline]
            fn from_number(number: u32) -> Self {
                Self(number)
            }

            #[inline]
            fn number(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

table_rows! {
    /// Row of a model's title table.
    TitleRow,
    /// Row of a model's viewer table.
    ViewerRow,
    /// Row of a catalogue's title table.
    CatalogueRow,
}

impl TitleRow {
    /// The row of the same title in a catalogue that has the titles of the model in the same rows.
    #[inline]
    pub fn in_same_catalogue(self) -> CatalogueRow {
        CatalogueRow(self.0)
    }
}

impl CatalogueRow {
    /// The row of the same title in a model that has the titles of the catalogue in the same rows.
    #[inline]
    pub fn in_same_model(self) -> TitleRow {
        TitleRow(self.0)
    }
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
