//! The colours of a genre.

use super::Dice;

/// Four colours, dark to light, in CSS notation.
#[derive(Debug, PartialEq)]
pub(super) struct Palette {
    pub(super) deep: String,
    pub(super) mid: String,
    pub(super) bright: String,
    pub(super) accent: String,
}

/// Hue and saturation of a genre's background, and hue of its accent.
#[derive(Clone, Copy, Debug)]
struct Hues {
    ground: f32,
    saturation: f32,
    accent: f32,
}

fn hues(genre: &str) -> Option<Hues> {
    let (ground, saturation, accent) = match genre {
        "Action" => (14.0, 82.0, 42.0),
        "Adventure" => (176.0, 62.0, 38.0),
        "Animation" => (292.0, 66.0, 52.0),
        "Children's" => (198.0, 74.0, 48.0),
        "Comedy" => (38.0, 86.0, 340.0),
        "Crime" => (352.0, 52.0, 30.0),
        "Documentary" => (150.0, 30.0, 56.0),
        "Drama" => (222.0, 50.0, 18.0),
        "Fantasy" => (264.0, 60.0, 168.0),
        "Film-Noir" => (220.0, 10.0, 46.0),
        "Horror" => (356.0, 74.0, 4.0),
        "Musical" => (318.0, 68.0, 48.0),
        "Mystery" => (246.0, 44.0, 190.0),
        "Romance" => (338.0, 66.0, 18.0),
        "Sci-Fi" => (206.0, 78.0, 304.0),
        "Thriller" => (188.0, 56.0, 8.0),
        "War" => (76.0, 28.0, 26.0),
        "Western" => (24.0, 68.0, 48.0),
        _ => return None,
    };
    Some(Hues { ground, saturation, accent })
}

impl Palette {
    /// The first genre sets the background and the second, if any, the accent. Each title varies them slightly.
    pub(super) fn of(genres: &[String], dice: &mut Dice) -> Self {
        let any =
            Hues { ground: dice.between(0.0, 360.0), saturation: 34.0, accent: dice.between(0.0, 360.0) };
        let first = genres.first().and_then(|genre| hues(genre)).unwrap_or(any);
        let accent = genres.get(1).and_then(|genre| hues(genre)).map_or(first.accent, |second| second.ground);
        let ground = first.ground + dice.between(-22.0, 22.0);
        let saturation = (first.saturation + dice.between(-8.0, 8.0)).clamp(4.0, 92.0);
        let lift = dice.between(-5.0, 6.0);
        Self {
            deep: hsl(ground + 18.0, saturation * 0.9, 11.0),
            mid: hsl(ground + 6.0, saturation, 27.0 + lift),
            bright: hsl(ground - 8.0, saturation, 47.0 + lift),
            accent: hsl(accent + dice.between(-8.0, 8.0), 88.0, 66.0),
        }
    }
}

fn hsl(hue: f32, saturation: f32, lightness: f32) -> String {
    format!("hsl({:.0},{saturation:.0}%,{lightness:.0}%)", hue.rem_euclid(360.0))
}
