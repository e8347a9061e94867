//! Writes SVG: shapes in the palette's colours, text escaped.

use std::fmt::Write;

use super::palette::Palette;

/// Width of a poster in its own units.
pub(super) const WIDTH: f32 = 240.0;
/// Height of a poster in its own units.
pub(super) const HEIGHT: f32 = 360.0;

/// How a shape is painted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shade {
    paint: Paint,
    opacity: f32,
    /// Stroke width; 0 fills the shape instead.
    stroke: f32,
}

#[derive(Clone, Copy, Debug)]
enum Paint {
    Gradient(&'static str),
    Deep,
    Mid,
    Bright,
    Accent,
    Light,
    Black,
}

impl Shade {
    /// The gradient with this id: `sky` (top to bottom), `glow` (radial, accent to transparent), `veil` (dark at the bottom).
    pub(super) fn gradient(id: &'static str) -> Self {
        Self { paint: Paint::Gradient(id), opacity: 1.0, stroke: 0.0 }
    }

    pub(super) fn deep(opacity: f32) -> Self {
        Self { paint: Paint::Deep, opacity, stroke: 0.0 }
    }

    pub(super) fn mid(opacity: f32) -> Self {
        Self { paint: Paint::Mid, opacity, stroke: 0.0 }
    }

    pub(super) fn bright(opacity: f32) -> Self {
        Self { paint: Paint::Bright, opacity, stroke: 0.0 }
    }

    pub(super) fn accent(opacity: f32) -> Self {
        Self { paint: Paint::Accent, opacity, stroke: 0.0 }
    }

    pub(super) fn light(opacity: f32) -> Self {
        Self { paint: Paint::Light, opacity, stroke: 0.0 }
    }

    pub(super) fn black(opacity: f32) -> Self {
        Self { paint: Paint::Black, opacity, stroke: 0.0 }
    }

    /// A stroke of this width in the same colour.
    pub(super) fn line(self, width: f32) -> Self {
        Self { stroke: width, ..self }
    }
}

/// A rectangle. `x` and `y` are its top left corner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rect {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Rect {
    /// The whole poster.
    pub(super) const POSTER: Self = Self { x: 0.0, y: 0.0, width: WIDTH, height: HEIGHT };
}

/// An ellipse. `x` and `y` are its centre.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ellipse {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) rx: f32,
    pub(super) ry: f32,
    /// Rotation around the centre.
    pub(super) degrees: f32,
}

/// Position and style of a text. `x` and `y` are the start of its baseline.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextStyle {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) weight: u32,
    pub(super) family: &'static str,
    /// Space between letters.
    pub(super) spacing: f32,
    pub(super) shade: Shade,
}

/// An SVG document that is being drawn.
#[derive(Debug)]
pub(super) struct Canvas<'a> {
    palette: &'a Palette,
    body: String,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(palette: &'a Palette) -> Self {
        Self { palette, body: String::with_capacity(4096) }
    }

    pub(super) fn rect(&mut self, rect: Rect, shade: Shade) {
        let Rect { x, y, width, height } = rect;
        self.shape(
            format_args!("rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\""),
            shade,
        );
    }

    pub(super) fn circle(&mut self, x: f32, y: f32, radius: f32, shade: Shade) {
        self.shape(format_args!("circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\""), shade);
    }

    pub(super) fn ellipse(&mut self, ellipse: Ellipse, shade: Shade) {
        let Ellipse { x, y, rx, ry, degrees } = ellipse;
        self.shape(
            format_args!(
                "ellipse cx=\"{x:.1}\" cy=\"{y:.1}\" rx=\"{rx:.1}\" ry=\"{ry:.1}\" \
                 transform=\"rotate({degrees:.1} {x:.1} {y:.1})\""
            ),
            shade,
        );
    }

    /// A closed polygon when filled, an open line when stroked.
    pub(super) fn path(&mut self, points: &[(f32, f32)], shade: Shade) {
        let mut d = String::with_capacity(points.len() * 12);
        for (idx, (x, y)) in points.iter().enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if idx == 0 { 'M' } else { 'L' });
        }
        self.curve(&d, shade);
    }

    /// A path in SVG path syntax.
    pub(super) fn curve(&mut self, d: &str, shade: Shade) {
        self.shape(format_args!("path d=\"{d}\""), shade);
    }

    pub(super) fn text(&mut self, text: &str, style: &TextStyle) {
        let TextStyle { x, y, size, weight, family, spacing, shade } = style;
        let _ = write!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size:.1}\" font-weight=\"{weight}\" \
             font-family=\"{family}\" letter-spacing=\"{spacing:.1}\" fill=\"{}\" fill-opacity=\"{:.2}\">{}</text>",
            self.paint(shade.paint),
            shade.opacity,
            escape(text),
        );
    }

    fn shape(&mut self, element: std::fmt::Arguments<'_>, shade: Shade) {
        let paint = self.paint(shade.paint);
        let opacity = shade.opacity;
        let _ = if shade.stroke > 0.0 {
            let width = shade.stroke;
            write!(
                self.body,
                "<{element} fill=\"none\" stroke=\"{paint}\" stroke-opacity=\"{opacity:.2}\" \
                 stroke-width=\"{width:.1}\" stroke-linecap=\"round\"/>"
            )
        } else {
            write!(self.body, "<{element} fill=\"{paint}\" fill-opacity=\"{opacity:.2}\"/>")
        };
    }

    fn paint(&self, paint: Paint) -> String {
        match paint {
            Paint::Gradient(id) => format!("url(#{id})"),
            Paint::Deep => self.palette.deep.clone(),
            Paint::Mid => self.palette.mid.clone(),
            Paint::Bright => self.palette.bright.clone(),
            Paint::Accent => self.palette.accent.clone(),
            Paint::Light => "#ffffff".into(),
            Paint::Black => "#000000".into(),
        }
    }

    /// Completes the document. `label` is its text for screen readers.
    pub(super) fn finish(self, label: &str) -> String {
        let Palette { deep, mid, bright, accent } = self.palette;
        let label = escape(label);
        let body = self.body;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" role=\"img\"><title>{label}</title><defs>\
             <linearGradient id=\"sky\" x1=\"0\" y1=\"0\" x2=\"0.35\" y2=\"1\"><stop offset=\"0\" stop-color=\"{bright}\"/>\
             <stop offset=\"0.55\" stop-color=\"{mid}\"/><stop offset=\"1\" stop-color=\"{deep}\"/></linearGradient>\
             <radialGradient id=\"glow\"><stop offset=\"0\" stop-color=\"{accent}\"/>\
             <stop offset=\"1\" stop-color=\"{accent}\" stop-opacity=\"0\"/></radialGradient>\
             <linearGradient id=\"veil\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\">\
             <stop offset=\"0.35\" stop-color=\"#05050a\" stop-opacity=\"0\"/>\
             <stop offset=\"0.72\" stop-color=\"#05050a\" stop-opacity=\"0.55\"/>\
             <stop offset=\"1\" stop-color=\"#05050a\" stop-opacity=\"0.86\"/></linearGradient></defs>{body}</svg>"
        )
    }
}

/// Escapes text for XML, and removes characters that XML does not allow.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}
