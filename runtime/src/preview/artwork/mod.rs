//! Artwork for titles without images: a poster drawn from name, year and genres. A title always gets the same poster.
//!
//! [`palette`] has a genre's colours, [`motif`] draws its picture, [`typography`] sets the name, [`canvas`] writes the SVG.

mod canvas;
mod motif;
mod palette;
mod typography;

use canvas::{Canvas, Rect, Shade};
use palette::Palette;

use crate::service::types::TitleCard;
use marquee_artifacts::{MIX_STEP, mix64};

/// The poster of a title: a complete SVG document of 240 × 360 units, without scripts or external resources.
pub(super) fn svg(title: &TitleCard) -> String {
    let mut dice = Dice::of(title);
    let palette = Palette::of(&title.genres, &mut dice);
    let genre = motif::genre_of(&title.genres, &mut dice);
    let motif = dice.one_of(motif::of(genre));
    let mut canvas = Canvas::new(&palette);
    canvas.rect(Rect::POSTER, Shade::gradient("sky"));
    if let Some(motif) = motif {
        motif(&mut canvas, &mut dice);
    }
    canvas.rect(Rect::POSTER, Shade::gradient("veil"));
    typography::set(&mut canvas, title);
    canvas.finish(&title.name)
}

/// FNV-1a hash.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Pseudo-random numbers from a hash of a title's id and name, so that a title always gets the same numbers.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn of(title: &TitleCard) -> Self {
        Self(fnv(title.id.as_bytes()) ^ fnv(title.name.as_bytes()).rotate_left(17))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(MIX_STEP);
        mix64(self.0)
    }

    /// A random number in `low..high`.
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / (1u64 << 24) as f32)
    }

    /// A random whole number in `low..=high`.
    fn whole(&mut self, low: u32, high: u32) -> u32 {
        low + (self.next() % u64::from(high - low + 1)) as u32
    }

    /// A random element. `None` if `choices` is empty.
    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get((self.next() % choices.len().max(1) as u64) as usize)
    }

    /// True with probability one half.
    fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

#[cfg(test)]
mod tests;
