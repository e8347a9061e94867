//! Pictures: a few large shapes in the palette's colours, placed a little differently for each title.

mod open;
mod staged;

use super::{Dice, canvas::Canvas};

/// Draws a motif.
pub(super) type Motif = fn(&mut Canvas<'_>, &mut Dice);

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
        "Romance" => &[open::waves, staged::bubbles, open::moonrise],
        "Sci-Fi" => &[open::planet, staged::corridor, staged::shards],
        "Thriller" => &[staged::corridor, staged::blinds, staged::rings, staged::shards],
        "War" => &[staged::chevrons, open::mountains, staged::shards],
        "Western" => &[open::mesas, open::mountains],
        _ => &[staged::tiles, open::contours],
    }
}
