//! Pictures: a few large shapes in the palette's colours, with a slightly different layout for each title.

mod open;
mod staged;

use super::{Dice, canvas::Canvas};

/// Draws a motif.
pub(super) type Motif = fn(&mut Canvas<'_>, &mut Dice);

/// Genres with a picture that viewers recognise at once. They take precedence over a title's other genres.
const DISTINCTIVE: [&str; 9] =
    ["Western", "Sci-Fi", "War", "Horror", "Musical", "Film-Noir", "Animation", "Fantasy", "Children's"];

/// The genre that chooses a title's picture: the most distinctive one, or else randomly the first or the second.
pub(super) fn genre_of<'a>(genres: &'a [String], dice: &mut Dice) -> &'a str {
    let distinctive = DISTINCTIVE.iter().find_map(|known| genres.iter().find(|genre| genre == known));
    let any = dice.one_of(&genres[..genres.len().min(2)]);
    distinctive.or(any).map_or("", String::as_str)
}

/// The motifs of a genre, never empty. Most genres have several, so that posters in a genre row differ.
pub(super) fn of(genre: &str) -> &'static [Motif] {
    match genre {
        "Action" => &[staged::shards, staged::chevrons, staged::corridor],
        "Adventure" => &[open::mountains, open::waves, open::contours],
        "Animation" => &[staged::bubbles, open::hills, staged::tiles],
        "Children's" => &[open::hills, staged::bubbles, open::moonrise],
        "Comedy" => &[staged::sunburst, staged::bubbles, staged::tiles, staged::equaliser],
        "Crime" => &[staged::blinds, staged::doorway, staged::corridor],
        "Documentary" => &[open::contours, staged::tiles],
        "Drama" => &[staged::spotlights, open::waves, staged::doorway, staged::rings, open::mountains],
        "Fantasy" => &[open::moonrise, open::mountains, open::planet],
        "Film-Noir" => &[staged::doorway, staged::blinds],
        "Horror" => &[open::thorns, staged::corridor, open::moonrise],
        "Musical" => &[staged::equaliser, staged::spotlights],
        "Mystery" => &[staged::rings, staged::doorway, open::thorns],
        "Romance" => &[open::waves, open::moonrise, staged::spotlights],
        "Sci-Fi" => &[open::planet, staged::corridor, staged::shards],
        "Thriller" => &[staged::corridor, staged::blinds, staged::rings, staged::shards],
        "War" => &[staged::chevrons, open::mountains, staged::shards],
        "Western" => &[open::mesas, open::mountains],
        _ => &[staged::tiles, open::contours],
    }
}
