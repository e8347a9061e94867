//! Tests that artwork is deterministic and well-formed XML for every name.

use super::{canvas::escape, svg};
use crate::service::types::TitleCard;

fn title(name: &str, genres: &[&str]) -> TitleCard {
    TitleCard {
        id: "50".into(),
        name: name.into(),
        year: Some(1977),
        genres: genres.iter().map(|genre| (*genre).to_owned()).collect(),
    }
}

const GENRES: [&str; 20] = [
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
    "unknown",
    "",
];

#[test]
fn a_title_always_looks_the_same_and_no_two_genres_alike() {
    let drawn: Vec<String> = GENRES.iter().map(|genre| svg(&title("Star Wars", &[genre]))).collect();
    for (genre, poster) in GENRES.iter().zip(&drawn) {
        assert_eq!(*poster, svg(&title("Star Wars", &[genre])), "{genre}");
        assert!(poster.len() < 12_000, "{genre} takes {} bytes", poster.len());
        assert!(!poster.contains("NaN") && !poster.contains("inf\""), "{genre}");
    }
    let mut different = drawn.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), drawn.len());
}

#[test]
fn a_name_is_text_and_never_markup() {
    let poster = svg(&title("<img src=x onerror=alert(1)> & \"Friends\"", &["Comedy<script>"]));
    assert!(!poster.contains("<img") && !poster.contains("<script"));
    assert!(poster.contains("&lt;img"), "the name is escaped text");
    assert!(poster.contains("&amp;"));
}

#[test]
fn every_element_that_opens_closes() {
    for genre in GENRES {
        let poster = svg(&title("Tag <a> & \u{0}\u{b} control", &[genre]));
        let opened =
            poster.matches('<').count() - poster.matches("</").count() - poster.matches("/>").count();
        assert_eq!(opened, poster.matches("</").count(), "{genre}");
    }
}

#[test]
fn what_xml_does_not_have_is_left_out() {
    assert_eq!(escape("a\u{0}b\u{1f}c\nd\u{ffff}"), "abc d");
}
