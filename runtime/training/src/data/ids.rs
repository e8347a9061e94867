//! Ids and their rows, numbered by first appearance.

use std::{collections::HashMap, sync::Arc};

/// A table of ids: row n is the n-th id that was seen.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    rows: HashMap<Arc<str>, u32>,
    ids: Vec<Arc<str>>,
}

impl Ids {
    /// The row of `id`, a new one for a new id; `None` when there is no row number left.
    pub fn intern(&mut self, id: &str) -> Option<u32> {
        if let Some(row) = self.rows.get(id) {
            return Some(*row);
        }
        let row = u32::try_from(self.ids.len()).ok().filter(|row| *row < u32::MAX)?;
        let id: Arc<str> = Arc::from(id);
        self.rows.insert(Arc::clone(&id), row);
        self.ids.push(id);
        Some(row)
    }

    /// The row of `id`.
    pub fn row(&self, id: &str) -> Option<u32> {
        self.rows.get(id).copied()
    }

    /// The id of `row`; empty for a row outside the table.
    pub fn id(&self, row: u32) -> &str {
        self.ids.get(row as usize).map_or("", |id| id)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// All, by row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.ids.iter().map(|id| &**id)
    }
}
