//! Outdoor motifs: horizons, moons, hills and seas.

use std::fmt::Write;

use super::super::{
    Dice,
    canvas::{Canvas, Ellipse, HEIGHT, Rect, Shade, WIDTH},
};

/// A jagged or rolling line from edge to edge, closed along the bottom.
fn ridge(dice: &mut Dice, base: f32, rise: f32, peaks: u32) -> Vec<(f32, f32)> {
    let step = WIDTH / (peaks * 2) as f32;
    let mut points = vec![(-10.0, HEIGHT), (-10.0, base)];
    for idx in 0..=(peaks * 2) {
        let top = if idx % 2 == 1 { dice.between(rise * 0.55, rise) } else { dice.between(0.0, rise * 0.25) };
        points.push((idx as f32 * step + dice.between(-step * 0.3, step * 0.3), base - top));
    }
    points.extend([(WIDTH + 10.0, base), (WIDTH + 10.0, HEIGHT)]);
    points
}

fn stars(canvas: &mut Canvas<'_>, dice: &mut Dice, n: u32) {
    for _ in 0..n {
        let (x, y) = (dice.between(6.0, WIDTH - 6.0), dice.between(40.0, 230.0));
        canvas.circle(x, y, dice.between(0.5, 1.6), Shade::light(dice.between(0.35, 0.95)));
    }
}

/// A glow around a light of this radius.
fn glow(canvas: &mut Canvas<'_>, x: f32, y: f32, radius: f32) {
    canvas.circle(x, y, radius * 2.4, Shade::gradient("glow"));
}

/// A low sun behind three ranges.
pub(in super::super) fn mountains(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let sun = (dice.between(60.0, 180.0), dice.between(95.0, 130.0));
    glow(canvas, sun.0, sun.1, 46.0);
    canvas.circle(sun.0, sun.1, dice.between(26.0, 38.0), Shade::accent(0.95));
    canvas.path(&ridge(dice, 210.0, 96.0, 3), Shade::mid(0.75));
    canvas.path(&ridge(dice, 248.0, 84.0, 2), Shade::deep(0.7));
    canvas.path(&ridge(dice, 300.0, 70.0, 4), Shade::black(0.45));
}

/// Rolling hills and balloons.
pub(in super::super) fn hills(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    for _ in 0..dice.whole(3, 5) {
        let (x, y, r) = (dice.between(30.0, 210.0), dice.between(60.0, 170.0), dice.between(12.0, 24.0));
        canvas.curve(
            &format!("M{x:.1} {:.1}Q{:.1} {:.1} {x:.1} {:.1}", y + r, x + 8.0, y + r + 22.0, y + r + 46.0),
            Shade::light(0.5).line(1.2),
        );
        let shade = if dice.coin() { Shade::accent(0.95) } else { Shade::light(0.85) };
        canvas.ellipse(Ellipse { x, y, rx: r, ry: r * 1.18, degrees: 0.0 }, shade);
        canvas.ellipse(
            Ellipse { x: x - r * 0.35, y: y - r * 0.4, rx: r * 0.18, ry: r * 0.3, degrees: 30.0 },
            Shade::light(0.6),
        );
    }
    for (base, shade) in [(232.0, Shade::bright(0.9)), (262.0, Shade::mid(0.95)), (300.0, Shade::deep(0.9))] {
        let (x, r) = (dice.between(20.0, 220.0), dice.between(180.0, 240.0));
        canvas.circle(x, base + r, r, shade);
    }
}

/// Contour lines of a map.
pub(in super::super) fn contours(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let (x, y) = (dice.between(70.0, 170.0), dice.between(110.0, 170.0));
    let (lean, squash) = (dice.between(-30.0, 30.0), dice.between(0.55, 0.8));
    for ring in 0..9 {
        let r = 14.0 + ring as f32 * 19.0;
        let (dx, dy) = (dice.between(-3.0, 3.0), dice.between(-3.0, 3.0));
        canvas.ellipse(
            Ellipse { x: x + dx, y: y + dy, rx: r, ry: r * squash, degrees: lean },
            Shade::light(0.5 - ring as f32 * 0.035).line(1.3),
        );
    }
    canvas.circle(x, y, 5.0, Shade::accent(1.0));
}

/// A crescent over a spire, under stars.
pub(in super::super) fn moonrise(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    stars(canvas, dice, 34);
    let (x, y, r) = (dice.between(70.0, 170.0), dice.between(90.0, 130.0), dice.between(34.0, 48.0));
    glow(canvas, x, y, r);
    let d = format!(
        "M{x:.1} {:.1}A{r:.1} {r:.1} 0 1 1 {x:.1} {:.1}A{:.1} {:.1} 0 1 0 {x:.1} {:.1}Z",
        y - r,
        y + r,
        r * 1.25,
        r * 1.25,
        y - r
    );
    canvas.curve(&d, Shade::accent(0.95));
    let mut skyline = vec![(-5.0, HEIGHT), (-5.0, 250.0)];
    let mut at = 0.0;
    while at < WIDTH {
        let (wide, top) = (dice.between(16.0, 34.0), dice.between(196.0, 246.0));
        skyline.extend([
            (at, 252.0),
            (at + wide * 0.3, top + 24.0),
            (at + wide * 0.5, top),
            (at + wide * 0.7, top + 24.0),
            (at + wide, 252.0),
        ]);
        at += wide;
    }
    skyline.extend([(WIDTH + 5.0, 250.0), (WIDTH + 5.0, HEIGHT)]);
    canvas.path(&skyline, Shade::deep(0.92));
}

/// A red moon behind thorns.
pub(in super::super) fn thorns(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    canvas.rect(Rect::POSTER, Shade::black(0.55));
    let moon = (dice.between(80.0, 160.0), dice.between(100.0, 140.0));
    let r = dice.between(48.0, 62.0);
    glow(canvas, moon.0, moon.1, r);
    canvas.circle(moon.0, moon.1, r, Shade::accent(0.9));
    for layer in 0..2 {
        let mut points = vec![(-5.0, HEIGHT)];
        let mut x = -5.0;
        while x < WIDTH + 5.0 {
            let wide = dice.between(12.0, 28.0);
            points.extend([
                (x, 262.0),
                (x + wide * dice.between(0.2, 0.8), dice.between(96.0, 214.0) + layer as f32 * 36.0),
            ]);
            x += wide;
        }
        points.extend([(WIDTH + 5.0, 262.0), (WIDTH + 5.0, HEIGHT)]);
        canvas.path(&points, Shade::black(0.55 + layer as f32 * 0.3));
    }
}

/// Two suns that touch, over a calm sea.
pub(in super::super) fn waves(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let (x, y, r) = (dice.between(98.0, 142.0), dice.between(110.0, 140.0), dice.between(42.0, 56.0));
    let apart = r * dice.between(0.45, 0.65);
    glow(canvas, x, y, r * 1.3);
    canvas.circle(x - apart, y, r, Shade::accent(0.85));
    canvas.circle(x + apart, y, r, Shade::light(0.42));
    for wave in 0..5 {
        let (base, reach) = (206.0 + wave as f32 * 22.0, dice.between(8.0, 15.0));
        let mut d = format!("M-20 {HEIGHT}L-20 {base:.1}");
        for step in 0..5 {
            let from = -20.0 + step as f32 * 60.0;
            let turn = if step % 2 == 0 { -reach } else { reach };
            let _ = write!(d, "Q{:.1} {:.1} {:.1} {base:.1}", from + 30.0, base + turn * 1.8, from + 60.0);
        }
        let _ = write!(d, "L290 {HEIGHT}Z");
        canvas.curve(&d, Shade::deep(0.3));
    }
}

/// A ringed planet, its moons and the stars.
pub(in super::super) fn planet(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    canvas.rect(Rect::POSTER, Shade::deep(0.72));
    stars(canvas, dice, 56);
    let (x, y, r) = (dice.between(84.0, 158.0), dice.between(116.0, 158.0), dice.between(44.0, 64.0));
    let lean = dice.between(-34.0, 34.0);
    glow(canvas, x, y, r * 1.25);
    canvas.circle(x, y, r, Shade::bright(1.0));
    canvas.circle(x + r * 0.22, y + r * 0.18, r * 0.94, Shade::mid(0.55));
    for band in 0..3 {
        canvas.ellipse(
            Ellipse {
                x,
                y,
                rx: r * (1.45 + band as f32 * 0.17),
                ry: r * (0.3 + band as f32 * 0.045),
                degrees: lean,
            },
            Shade::accent(0.85 - band as f32 * 0.22).line(3.2 - band as f32),
        );
    }
    for _ in 0..dice.whole(1, 3) {
        let (mx, my) = (dice.between(24.0, 216.0), dice.between(52.0, 230.0));
        canvas.circle(mx, my, dice.between(3.0, 9.0), Shade::light(0.75));
    }
}

/// Flat-topped rocks against a huge sun.
pub(in super::super) fn mesas(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let sun = (dice.between(70.0, 170.0), dice.between(140.0, 165.0));
    let r = dice.between(58.0, 76.0);
    glow(canvas, sun.0, sun.1, r);
    canvas.circle(sun.0, sun.1, r, Shade::accent(0.95));
    for (base, shade) in [(226.0, Shade::mid(0.9)), (262.0, Shade::deep(0.85))] {
        for _ in 0..2 {
            let (left, wide, top) =
                (dice.between(-30.0, 180.0), dice.between(50.0, 96.0), base - dice.between(34.0, 88.0));
            canvas.path(
                &[
                    (left - 16.0, base + 2.0),
                    (left, top + 20.0),
                    (left + 4.0, top),
                    (left + wide, top),
                    (left + wide + 4.0, top + 20.0),
                    (left + wide + 20.0, base + 2.0),
                ],
                shade,
            );
        }
        canvas.rect(Rect { x: -5.0, y: base, width: WIDTH + 10.0, height: HEIGHT - base }, shade);
    }
}
