//! Title metadata of a surface, prepared for pages.

use std::{collections::HashMap, sync::Arc};

use marquee_artifacts::{Artifact, CatalogueRow, Digest, IdTable};

use super::cards::{Cards, TitleCard};

/// Title metadata of one artifact. The plans that show it share it.
pub struct Catalogue {
    /// Digest of the artifact's manifest.
    pub digest: Digest,
    /// The digest as text, for answers.
    pub artifact_digest: Arc<str>,
    /// Cards, by catalogue row.
    pub cards: Arc<Cards>,
    /// Number of viewers that watched each title, by catalogue row.
    pub plays: Vec<f32>,
    /// Bytes of the artifact's files.
    pub bytes: u64,
    ids: IdTable<CatalogueRow>,
    /// Catalogue rows by genre, ascending.
    genres: HashMap<String, Arc<[CatalogueRow]>>,
    /// All rows.
    all: Arc<[CatalogueRow]>,
}

impl Catalogue {
    /// The catalogue of an artifact. `None` if the artifact has no titles.
    pub fn new(artifact: Artifact) -> Option<Self> {
        let (entries, ids) = (artifact.catalogue?, artifact.titles?);
        let mut genres: HashMap<String, Vec<CatalogueRow>> = HashMap::new();
        for (row, entry) in (0..).map(CatalogueRow).zip(&entries) {
            for genre in &entry.genres {
                let rows = genres.entry(genre.clone()).or_default();
                if rows.last() != Some(&row) {
                    rows.push(row);
                }
            }
        }
        Some(Self {
            digest: artifact.digest,
            artifact_digest: artifact.digest.to_string().into(),
            plays: entries.iter().map(|entry| entry.plays as f32).collect(),
            all: (0..entries.len() as u32).map(CatalogueRow).collect(),
            cards: Arc::new(Cards::new(entries)),
            bytes: artifact.bytes,
            ids: ids.with_rows(),
            genres: genres.into_iter().map(|(genre, rows)| (genre, rows.into())).collect(),
        })
    }

    /// The row of a title.
    pub fn row(&self, id: &str) -> Option<CatalogueRow> {
        self.ids.row(id)
    }

    /// The card of a row.
    pub fn card(&self, row: CatalogueRow) -> Option<&TitleCard> {
        self.cards.card(row)
    }

    /// Rows of a genre, named as in the catalogue.
    pub fn genre(&self, name: &str) -> Option<&Arc<[CatalogueRow]>> {
        self.genres.get(name)
    }

    /// Names of all genres, unordered.
    pub fn genres(&self) -> impl Iterator<Item = &str> {
        self.genres.keys().map(String::as_str)
    }

    /// All rows.
    pub fn all(&self) -> &Arc<[CatalogueRow]> {
        &self.all
    }
}
