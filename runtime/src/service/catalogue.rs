//! Title metadata of a surface, prepared for pages.

use std::{collections::HashMap, fmt::Write, sync::Arc};

use marquee_artifacts::{Artifact, CatalogueEntry, CatalogueRow, Digest, IdTable};

use super::types::TitleCard;

/// Title metadata of one artifact. The plans that show it share it.
pub struct Catalogue {
    /// Digest of the artifact's manifest.
    pub digest: Digest,
    /// The digest as text, for answers.
    pub artifact_digest: Arc<str>,
    /// Cards, by catalogue row.
    pub cards: Vec<Arc<TitleCard>>,
    /// Number of viewers that watched each title, by catalogue row.
    pub plays: Vec<f32>,
    /// Bytes of the artifact's files.
    pub bytes: u64,
    ids: IdTable,
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
            cards: entries.into_iter().map(|entry| Arc::new(card(entry))).collect(),
            bytes: artifact.bytes,
            ids,
            genres: genres.into_iter().map(|(genre, rows)| (genre, rows.into())).collect(),
        })
    }

    /// The row of a title.
    pub fn row(&self, id: &str) -> Option<CatalogueRow> {
        self.ids.row(id).map(CatalogueRow)
    }

    /// The card of a row.
    pub fn card(&self, row: CatalogueRow) -> Option<&Arc<TitleCard>> {
        self.cards.get(row.idx())
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

fn card(entry: CatalogueEntry) -> TitleCard {
    let year = entry.year.and_then(|year| u16::try_from(year).ok());
    let json = card_json(&entry, year);
    TitleCard { id: entry.id.into(), name: entry.name, year, genres: entry.genres, json }
}

fn card_json(entry: &CatalogueEntry, year: Option<u16>) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let genres: Vec<String> = entry.genres.iter().map(|genre| text(genre)).collect();
    let mut json = format!("\"id\":{},\"name\":{}", text(&entry.id), text(&entry.name));
    if let Some(year) = year {
        // Writing to a String never fails.
        let _ = write!(json, ",\"year\":{year}");
    }
    let _ = write!(json, ",\"genres\":[{}]", genres.join(","));
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_card_is_escaped_once_at_load() {
        let entry = CatalogueEntry {
            id: "5\"0".into(),
            name: "<Léon> \\ \n".into(),
            year: Some(1994),
            genres: vec!["Action".into(), "Film-\"Noir\"".into()],
            plays: 3,
        };
        let read: serde_json::Value =
            serde_json::from_str(&format!("{{{}}}", card(entry.clone()).json)).unwrap();
        let expected =
            serde_json::json!({ "id": entry.id, "name": entry.name, "year": 1994, "genres": entry.genres });
        assert_eq!(read, expected);
        let yearless = card(CatalogueEntry { year: None, ..entry });
        assert!(!yearless.json.contains("year"), "{}", yearless.json);
    }
}
