//! Sets a title's name above the year on its poster: as large as it fits, with line breaks between words.

use super::canvas::{Canvas, HEIGHT, Rect, Shade, TextStyle, WIDTH};
use crate::service::types::TitleCard;

const MARGIN: f32 = 18.0;
const MEASURE: f32 = WIDTH - 2.0 * MARGIN;
/// Font sizes, largest first, each with its maximum number of lines.
const SIZES: [(f32, usize); 8] =
    [(42.0, 2), (36.0, 3), (31.0, 4), (27.0, 4), (23.0, 5), (20.0, 6), (17.5, 7), (15.5, 9)];

/// The typeface for the names of a genre.
#[derive(Clone, Copy, Debug)]
struct Face {
    family: &'static str,
    weight: u32,
    capitals: bool,
    /// Width relative to a plain sans serif.
    width: f32,
}

const SERIF: Face =
    Face { family: "Georgia,'Times New Roman',serif", weight: 700, capitals: false, width: 1.04 };
const POSTER: Face =
    Face { family: "'Helvetica Neue',Arial,sans-serif", weight: 800, capitals: true, width: 1.1 };
const PLAIN: Face = Face {
    family: "'Avenir Next','Segoe UI','Helvetica Neue',Arial,sans-serif",
    weight: 700,
    capitals: false,
    width: 1.07,
};

fn face(genre: &str) -> Face {
    match genre {
        "Drama" | "Romance" | "Mystery" | "Film-Noir" | "Fantasy" | "Documentary" | "Western" => SERIF,
        "Action" | "Thriller" | "Crime" | "Horror" | "Sci-Fi" | "War" | "Adventure" => POSTER,
        _ => PLAIN,
    }
}

/// Draws the genre at the top, and the name and the year at the bottom.
pub(super) fn set(canvas: &mut Canvas<'_>, title: &TitleCard) {
    let genre = title.genres.first().map_or("", String::as_str);
    let face = face(genre);
    let name = if face.capitals { title.name.to_uppercase() } else { title.name.clone() };
    let (size, lines) = fit(&name, face.width);
    let leading = size * 1.08;
    let mut y = HEIGHT - 42.0 - leading * (lines.len().saturating_sub(1)) as f32;
    canvas.rect(Rect { x: MARGIN, y: y - size - 8.0, width: 26.0, height: 3.0 }, Shade::accent(0.95));
    for line in &lines {
        let shade = Shade::light(1.0);
        canvas.text(
            line,
            &TextStyle { x: MARGIN, y, size, weight: face.weight, family: face.family, spacing: -0.3, shade },
        );
        y += leading;
    }
    let small = |y, shade| TextStyle {
        x: MARGIN,
        y,
        size: 11.0,
        weight: 600,
        family: PLAIN.family,
        spacing: 1.4,
        shade,
    };
    if let Some(year) = title.year {
        canvas.text(&year.to_string(), &small(HEIGHT - 20.0, Shade::light(0.78)));
    }
    if !genre.is_empty() {
        canvas.text(&cut(&genre.to_uppercase(), 22), &small(28.0, Shade::light(0.8)));
    }
}

/// The largest size at which `name` fits its lines without breaking a word. At the smallest size, words are broken and
/// excess text is cut.
fn fit(name: &str, face_width: f32) -> (f32, Vec<String>) {
    let words: Vec<&str> = name.split_whitespace().collect();
    for (size, most_lines) in SIZES {
        let measure = MEASURE / (size * face_width);
        let unbroken = words.iter().all(|word| width(word) <= measure);
        let lines = wrap(&words, measure);
        if unbroken && lines.len() <= most_lines {
            return (size, balance(&words, measure, lines));
        }
    }
    let (size, most_lines) = SIZES[SIZES.len() - 1];
    let pieces: Vec<String> =
        words.iter().flat_map(|word| broken(word, MEASURE / (size * face_width))).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let mut lines = wrap(&pieces, MEASURE / (size * face_width));
    if lines.len() > most_lines {
        lines.truncate(most_lines);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}…", cut(last, last.chars().count().saturating_sub(2)));
        }
    }
    (size, lines)
}

/// Wraps words into lines. `measure` is the line width in ems.
fn wrap(words: &[&str], measure: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if width(line) + width(" ") + width(word) <= measure => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push((*word).to_owned()),
        }
    }
    lines
}

/// Wraps to the same number of lines at the narrowest measure, so that no single word stands below a full line.
fn balance(words: &[&str], measure: f32, lines: Vec<String>) -> Vec<String> {
    let mut best = lines;
    let mut narrower = measure * 0.95;
    while narrower > measure * 0.4 {
        let tried = wrap(words, narrower);
        if tried.len() > best.len() {
            break;
        }
        best = tried;
        narrower *= 0.95;
    }
    best
}

/// Breaks a word into pieces that fit `measure`.
fn broken(word: &str, measure: f32) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0.0;
    for c in word.chars() {
        let advance = advance(c);
        if used + advance > measure && used > 0.0 {
            pieces.push(String::new());
            used = 0.0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
        used += advance;
    }
    pieces
}

fn cut(text: &str, n_chars: usize) -> String {
    text.chars().take(n_chars).collect()
}

/// Width of a text in ems, in a plain bold sans serif.
fn width(text: &str) -> f32 {
    text.chars().map(advance).sum()
}

/// Width of a character in ems. It is a slightly generous estimate, because the browser's font is unknown.
fn advance(c: char) -> f32 {
    match c {
        'i' | 'j' | 'l' | 'I' | '\'' | '.' | ',' | ':' | ';' | '!' | '|' | '’' => 0.31,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | ' ' => 0.38,
        'm' | 'M' | 'W' | '@' | '%' | '—' | '…' => 0.92,
        'w' | '&' => 0.8,
        'A'..='Z' => 0.7,
        'a'..='z' | '0'..='9' => 0.58,
        c if c.is_ascii() => 0.58,
        // Combining marks sit on the letter before them.
        '\u{300}'..='\u{36f}' => 0.0,
        'À'..='ɏ' | 'Ͱ'..='ӿ' => 0.7,
        _ => 1.05,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_set_as_large_as_it_fits() {
        #[rustfmt::skip]
        let cases = [
            // why                                   name                                          least  most
            ("one short word is largest",            "Fargo",                                       42.0, 42.0),
            ("two words go on two lines",            "Star Wars",                                   36.0, 42.0),
            ("a long name shrinks",                  "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb", 15.0, 24.0),
            ("a long word shrinks and is not broken","Koyaanisqatsi",                               22.0, 31.0),
        ];
        for (why, name, least, most) in cases {
            let (size, lines) = fit(name, 1.0);
            assert!((least..=most).contains(&size), "{why}: {size}");
            assert_eq!(lines.join(" "), name, "{why}");
            assert!(lines.iter().all(|line| width(line) * size <= MEASURE), "{why}: {lines:?}");
        }
    }

    #[test]
    fn what_cannot_fit_is_broken_and_cut_but_never_overflows() {
        for name in ["x".repeat(2_000), "電影".repeat(300), "wide ".repeat(400)] {
            let (size, lines) = fit(&name, 1.1);
            assert!(
                lines.len() <= 9 && lines.iter().all(|line| width(line) * size * 1.1 <= MEASURE + size),
                "{lines:?}"
            );
            assert!(lines.last().unwrap().ends_with('…'));
        }
    }

    #[test]
    fn lines_are_balanced() {
        let (_, lines) = fit("One Flew Over the Cuckoo's Nest", 1.0);
        let widths: Vec<f32> = lines.iter().map(|line| width(line)).collect();
        let widest = widths.iter().copied().fold(0.0, f32::max);
        assert!(widths.iter().all(|w| *w > widest * 0.35), "{lines:?}");
    }

    #[test]
    fn an_empty_name_has_no_line() {
        assert_eq!(fit("   ", 1.0).1, Vec::<String>::new());
    }
}
