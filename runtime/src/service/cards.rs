//! Cards of titles, with their JSON in one piece of memory: a page of hundreds of titles reads it title by title.

use std::{fmt::Write, sync::Arc};

use marquee_artifacts::{CatalogueEntry, CatalogueRow};
use marquee_pages::ChosenTitle;

/// A title on a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PageTitle<'a> {
    /// Card from the catalogue.
    pub title: &'a TitleCard,
    /// Score that orders the row.
    pub score: f32,
}

/// Metadata of a title.
#[derive(Clone, Debug, PartialEq)]
pub struct TitleCard {
    /// Title id.
    pub id: Arc<str>,
    /// Display name.
    pub name: String,
    /// Year of release.
    pub year: Option<u16>,
    /// Genres, as written in the catalogue.
    pub genres: Vec<String>,
}

/// The cards of a catalogue, by its rows.
#[derive(Debug, Default)]
pub struct Cards {
    cards: Vec<TitleCard>,
    /// Of each card `{"id":…,"name":…,"year":…,"genres":[…],"score":` in turn, escaped: encoders copy it and write the score.
    json: String,
    /// Where the JSON of each card ends.
    json_ends: Vec<usize>,
}

impl Cards {
    /// Cards of these titles.
    pub fn new(entries: Vec<CatalogueEntry>) -> Self {
        let mut cards = Self::default();
        for entry in entries {
            let year = entry.year.and_then(|year| u16::try_from(year).ok());
            write_json(&mut cards.json, &entry, year);
            cards.json_ends.push(cards.json.len());
            let CatalogueEntry { id, name, genres, .. } = entry;
            cards.cards.push(TitleCard { id: id.into(), name, year, genres });
        }
        cards.json.shrink_to_fit();
        cards
    }

    /// Number of cards.
    pub fn len(&self) -> usize {
        self.cards.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    /// The card of a row.
    pub fn card(&self, row: CatalogueRow) -> Option<&TitleCard> {
        self.cards.get(row.idx())
    }

    /// The JSON of a card up to its score, without the brace at its end. Empty for a row without a card.
    pub fn json(&self, row: CatalogueRow) -> &str {
        let start = row.idx().checked_sub(1).map_or(Some(0), |before| self.json_ends.get(before).copied());
        let end = self.json_ends.get(row.idx()).copied();
        start.zip(end).and_then(|(start, end)| self.json.get(start..end)).unwrap_or_default()
    }

    /// Average bytes of a card's JSON.
    pub fn mean_json_bytes(&self) -> usize {
        self.json.len() / self.len().max(1)
    }
}

/// The titles of a row, left to right. They share the cards of their catalogue.
#[derive(Clone)]
pub struct PageTitles {
    cards: Arc<Cards>,
    chosen: Vec<ChosenTitle>,
}

impl PageTitles {
    /// These titles of a catalogue. A title without a card is left out.
    pub fn new(cards: Arc<Cards>, mut chosen: Vec<ChosenTitle>) -> Self {
        chosen.retain(|title| title.catalogue.idx() < cards.len());
        Self { cards, chosen }
    }

    /// Number of titles.
    pub fn len(&self) -> usize {
        self.chosen.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// Cards and scores.
    pub fn iter(&self) -> impl Iterator<Item = PageTitle<'_>> {
        let title = |chosen: &ChosenTitle| {
            Some(PageTitle { title: self.cards.card(chosen.catalogue)?, score: chosen.score })
        };
        self.chosen.iter().filter_map(title)
    }

    /// The JSON of each title up to its score, and the score.
    pub fn json(&self) -> impl Iterator<Item = (&str, f32)> {
        self.chosen.iter().map(|chosen| (self.cards.json(chosen.catalogue), chosen.score))
    }

    /// Estimated bytes of their JSON with this number of bytes for what stands around a card.
    pub fn json_bytes(&self, around: usize) -> usize {
        self.len() * (self.cards.mean_json_bytes() + around)
    }
}

impl std::fmt::Debug for PageTitles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Equal cards and scores, whatever their rows.
impl PartialEq for PageTitles {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

fn write_json(json: &mut String, entry: &CatalogueEntry, year: Option<u16>) {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let genres: Vec<String> = entry.genres.iter().map(|genre| text(genre)).collect();
    // Writing to a String never fails.
    let _ = write!(json, "{{\"id\":{},\"name\":{}", text(&entry.id), text(&entry.name));
    if let Some(year) = year {
        let _ = write!(json, ",\"year\":{year}");
    }
    let _ = write!(json, ",\"genres\":[{}],\"score\":", genres.join(","));
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
        let cards = Cards::new(vec![entry.clone(), CatalogueEntry { year: None, ..entry.clone() }]);
        let json = |row| cards.json(CatalogueRow(row));
        let read: serde_json::Value = serde_json::from_str(&format!("{}2.5}}", json(0))).unwrap();
        let expected = serde_json::json!({
            "id": entry.id, "name": entry.name, "year": 1994, "genres": entry.genres, "score": 2.5
        });
        assert_eq!(read, expected);
        assert!(json(1).starts_with("{\"id\"") && !json(1).contains("year"), "{}", json(1));
        assert_eq!(json(2), "", "no such row");
    }
}
