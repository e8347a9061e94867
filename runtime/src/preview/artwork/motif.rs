//! Pictures: a few large shapes in the palette's colours, placed a little differently for each title.

mod open;
mod staged;

use super::{Dice, canvas::Canvas};

/// Draws a motif.
pub(super) type Motif = fn(&mut Canvas<'_>, &mut Dice);

/// Genres that a picture tells at once. A title that has one of them is drawn by it, whatever else it is.
const TELLING: [&str; 9] =
    ["Western", "Sci-Fi", "War", "Horror", "Musical", "Film-Noir", "Animation", "Fantasy", "Children's"];

/// The genre by which a title is drawn: the most telling, else the first or the second, as the dice fall.
pub(super) fn genre_of<'a>(genres: &'a [String], dice: &mut Dice) -> &'a str {
    let telling = TELLING.iter().find_map(|telling| genres.iter().find(|genre| genre == telling));
    let any = dice.one_of(&genres[..genres.len().min(2)]);
    telling.or(any).map_or("", String::as_str)
}

/// The motifs of a genre; never empty. Several, so that a row of one genre is no wallpaper.
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
