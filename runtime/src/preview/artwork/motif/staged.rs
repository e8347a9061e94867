//! Indoor and abstract motifs: light, shadow and patterns.

use std::f32::consts::TAU;

use super::super::{
    Dice,
    canvas::{Canvas, Ellipse, HEIGHT, Rect, Shade, WIDTH},
};

/// Shards that fly out of one point.
pub(in super::super) fn shards(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let (x, y) = (dice.between(70.0, 170.0), dice.between(130.0, 190.0));
    canvas.circle(x, y, 150.0, Shade::gradient("glow"));
    let n = dice.whole(11, 16);
    for idx in 0..n {
        let angle = TAU * (idx as f32 + dice.between(-0.35, 0.35)) / n as f32;
        let (near, far, half) =
            (dice.between(16.0, 52.0), dice.between(110.0, 280.0), dice.between(0.03, 0.11));
        let at = |turn: f32, reach: f32| (x + (angle + turn).cos() * reach, y + (angle + turn).sin() * reach);
        let shade = match idx % 3 {
            0 => Shade::accent(0.8),
            1 => Shade::black(0.35),
            _ => Shade::light(0.22),
        };
        canvas.path(&[at(0.0, near), at(half, far), at(-half, far)], shade);
    }
    canvas.circle(x, y, dice.between(9.0, 14.0), Shade::light(0.95));
}

/// Glossy bubbles.
pub(in super::super) fn bubbles(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    for idx in 0..dice.whole(9, 13) {
        let (x, y, r) = (dice.between(10.0, 230.0), dice.between(50.0, 260.0), dice.between(12.0, 46.0));
        let shade = match idx % 4 {
            0 => Shade::accent(0.85),
            1 => Shade::light(0.26),
            2 => Shade::bright(0.8),
            _ => Shade::deep(0.4),
        };
        canvas.circle(x, y, r, shade);
        canvas.ellipse(
            Ellipse { x: x - r * 0.36, y: y - r * 0.42, rx: r * 0.22, ry: r * 0.12, degrees: -38.0 },
            Shade::light(0.65),
        );
    }
}

/// Rays behind a round face.
pub(in super::super) fn sunburst(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let (x, y) = (dice.between(90.0, 150.0), dice.between(125.0, 165.0));
    let n = dice.whole(9, 14);
    let start = dice.between(0.0, TAU);
    for idx in 0..n {
        let from = start + TAU * idx as f32 / n as f32;
        let to = from + TAU / n as f32 * 0.5;
        canvas.path(
            &[
                (x, y),
                (x + from.cos() * 400.0, y + from.sin() * 400.0),
                (x + to.cos() * 400.0, y + to.sin() * 400.0),
            ],
            Shade::light(0.2),
        );
    }
    let r = dice.between(38.0, 50.0);
    canvas.circle(x, y, r + 12.0, Shade::light(0.28));
    canvas.circle(x, y, r, Shade::accent(1.0));
    for side in [-1.0, 1.0] {
        canvas.circle(x + side * r * 0.36, y - r * 0.2, r * 0.11, Shade::black(0.75));
    }
    let wide = r * dice.between(0.42, 0.58);
    let d = format!(
        "M{:.1} {:.1}Q{x:.1} {:.1} {:.1} {:.1}",
        x - wide,
        y + r * 0.2,
        y + r * 0.85,
        x + wide,
        y + r * 0.2
    );
    canvas.curve(&d, Shade::black(0.75).line(4.0));
}

/// Light through blinds.
pub(in super::super) fn blinds(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    canvas.rect(Rect::POSTER, Shade::black(0.35));
    let (lean, wide) = (dice.between(16.0, 44.0), dice.between(9.0, 13.0));
    let left = dice.between(20.0, 70.0);
    let right = left + dice.between(110.0, 150.0);
    for slat in 0..12 {
        let y = 48.0 + slat as f32 * 18.0;
        canvas.path(
            &[(left, y), (right, y - lean), (right, y - lean + wide), (left, y + wide)],
            Shade::accent(0.72 - slat as f32 * 0.035),
        );
    }
    let x = (left + right) / 2.0 + dice.between(-18.0, 18.0);
    canvas.circle(x, 150.0, 24.0, Shade::black(0.82));
    canvas.path(
        &[
            (x - 36.0, 138.0),
            (x - 20.0, 134.0),
            (x - 16.0, 112.0),
            (x + 16.0, 112.0),
            (x + 20.0, 134.0),
            (x + 36.0, 138.0),
        ],
        Shade::black(0.88),
    );
    canvas.path(
        &[
            (x - 66.0, 300.0),
            (x - 48.0, 196.0),
            (x - 16.0, 172.0),
            (x + 16.0, 172.0),
            (x + 48.0, 196.0),
            (x + 66.0, 300.0),
        ],
        Shade::black(0.82),
    );
}

/// Two overlapping spotlights, each with a figure.
pub(in super::super) fn spotlights(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let floor = dice.between(226.0, 244.0);
    let apart = dice.between(34.0, 58.0);
    for side in [-1.0, 1.0] {
        let x = WIDTH / 2.0 + side * apart;
        let from = WIDTH / 2.0 - side * dice.between(60.0, 110.0);
        canvas.path(
            &[(from - 7.0, -10.0), (from + 7.0, -10.0), (x + 60.0, floor), (x - 60.0, floor)],
            Shade::light(0.13),
        );
        canvas.ellipse(Ellipse { x, y: floor, rx: 60.0, ry: 15.0, degrees: 0.0 }, Shade::accent(0.62));
    }
    for side in [-1.0, 1.0] {
        let (x, tall) = (WIDTH / 2.0 + side * apart * dice.between(0.75, 1.0), dice.between(64.0, 84.0));
        let head = floor - tall;
        canvas.circle(x, head, 9.5, Shade::black(0.78));
        canvas.path(
            &[
                (x - 7.0, head + 11.0),
                (x + 7.0, head + 11.0),
                (x + 14.0, floor + 2.0),
                (x - 14.0, floor + 2.0),
            ],
            Shade::black(0.78),
        );
    }
}

/// A lit doorway at the end of a dark street.
pub(in super::super) fn doorway(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    canvas.rect(Rect::POSTER, Shade::black(0.55));
    let (x, wide, top) = (dice.between(80.0, 150.0), dice.between(36.0, 52.0), dice.between(84.0, 104.0));
    let floor = 216.0;
    canvas.circle(x + wide / 2.0, (top + floor) / 2.0, 130.0, Shade::gradient("glow"));
    canvas.rect(Rect { x, y: top, width: wide, height: floor - top }, Shade::accent(0.95));
    let slant = dice.between(-70.0, 70.0);
    canvas.path(
        &[(x, floor), (x + wide, floor), (x + wide + slant + 40.0, HEIGHT), (x + slant - 40.0, HEIGHT)],
        Shade::accent(0.3),
    );
    let at = x + wide * dice.between(0.35, 0.65);
    canvas.circle(at, top + 44.0, 8.5, Shade::black(0.9));
    canvas.path(
        &[(at - 14.0, top + 39.0), (at - 7.0, top + 31.0), (at + 7.0, top + 31.0), (at + 14.0, top + 39.0)],
        Shade::black(0.9),
    );
    canvas.path(
        &[(at - 9.0, top + 54.0), (at + 9.0, top + 54.0), (at + 13.0, floor + 4.0), (at - 13.0, floor + 4.0)],
        Shade::black(0.9),
    );
}

/// Bars of an audio equaliser.
pub(in super::super) fn equaliser(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let (middle, n) = (dice.between(140.0, 165.0), dice.whole(13, 19));
    let pitch = (WIDTH - 24.0) / n as f32;
    let phase = dice.between(0.0, TAU);
    canvas.circle(WIDTH / 2.0, middle, 130.0, Shade::gradient("glow"));
    for idx in 0..n {
        let wave = ((idx as f32 * 0.62 + phase).sin() * 0.5 + 0.5) * 70.0 + dice.between(12.0, 44.0);
        let x = 12.0 + idx as f32 * pitch;
        canvas.rect(Rect { x, y: middle - wave, width: pitch * 0.58, height: wave }, Shade::light(0.85));
        canvas
            .rect(Rect { x, y: middle + 3.0, width: pitch * 0.58, height: wave * 0.6 }, Shade::accent(0.55));
    }
}

/// Rings around a keyhole.
pub(in super::super) fn rings(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    canvas.rect(Rect::POSTER, Shade::deep(0.4));
    let (x, y) = (dice.between(95.0, 145.0), dice.between(120.0, 155.0));
    for ring in (1..9).rev() {
        let r = 24.0 + ring as f32 * 17.0 + dice.between(-3.0, 3.0);
        canvas.circle(x, y, r, if ring % 2 == 0 { Shade::bright(0.32) } else { Shade::deep(0.42) });
    }
    canvas.circle(x, y, 62.0, Shade::gradient("glow"));
    canvas.circle(x, y - 8.0, 17.0, Shade::black(0.88));
    canvas
        .path(&[(x - 7.0, y), (x + 7.0, y), (x + 15.0, y + 40.0), (x - 15.0, y + 40.0)], Shade::black(0.88));
}

/// Frames that lead to one lit rectangle.
pub(in super::super) fn corridor(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let end = (dice.between(80.0, 160.0), dice.between(130.0, 170.0));
    let turn = dice.between(-0.1, 0.1);
    let frames = 9;
    for frame in 0..frames {
        let near = 1.0 - frame as f32 / frames as f32;
        let (x, y) = (end.0 + (WIDTH / 2.0 - end.0) * near, end.1 + (HEIGHT / 2.0 - end.1) * near);
        let (half_x, half_y, angle) =
            (14.0 + 136.0 * near * near, 22.0 + 200.0 * near * near, turn * frame as f32);
        let corner = |sx: f32, sy: f32| {
            let (dx, dy) = (sx * half_x, sy * half_y);
            (x + dx * angle.cos() - dy * angle.sin(), y + dx * angle.sin() + dy * angle.cos())
        };
        let points = [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)];
        canvas.path(&points, if frame == frames - 1 { Shade::accent(1.0) } else { Shade::black(0.17) });
    }
    canvas.circle(end.0, end.1, 74.0, Shade::gradient("glow"));
    canvas.circle(end.0, end.1 - 10.0, 5.0, Shade::black(0.9));
    canvas.path(
        &[
            (end.0 - 4.0, end.1 - 3.0),
            (end.0 + 4.0, end.1 - 3.0),
            (end.0 + 6.0, end.1 + 20.0),
            (end.0 - 6.0, end.1 + 20.0),
        ],
        Shade::black(0.9),
    );
}

/// Ranks of chevrons under one star.
pub(in super::super) fn chevrons(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let (x, wide, deep) = (dice.between(100.0, 140.0), dice.between(74.0, 104.0), dice.between(34.0, 54.0));
    for rank in 0..5 {
        let y = 138.0 + rank as f32 * 34.0;
        canvas.path(
            &[
                (x - wide, y),
                (x, y + deep),
                (x + wide, y),
                (x + wide, y + 17.0),
                (x, y + deep + 17.0),
                (x - wide, y + 17.0),
            ],
            if rank % 2 == 0 { Shade::accent(0.62 - rank as f32 * 0.07) } else { Shade::black(0.34) },
        );
    }
    let star: Vec<(f32, f32)> = (0..10)
        .map(|point| {
            let (angle, r) =
                (TAU * point as f32 / 10.0 - TAU / 4.0, if point % 2 == 0 { 34.0 } else { 14.0 });
            (x + angle.cos() * r, 98.0 + angle.sin() * r)
        })
        .collect();
    canvas.path(&star, Shade::light(0.85));
}

/// Quarter-circle tiles, for other genres and titles without a genre.
pub(in super::super) fn tiles(canvas: &mut Canvas<'_>, dice: &mut Dice) {
    let side = WIDTH / 4.0;
    for idx in 0..20 {
        let (x, y) = ((idx % 4) as f32 * side, (idx / 4) as f32 * side);
        let shade = match dice.whole(0, 4) {
            0 => Shade::accent(0.7),
            1 => Shade::light(0.2),
            2 => Shade::deep(0.5),
            3 => Shade::bright(0.6),
            _ => continue,
        };
        let (cx, cy) = (if dice.coin() { x } else { x + side }, if dice.coin() { y } else { y + side });
        let (dx, dy) = (if cx > x { -side } else { side }, if cy > y { -side } else { side });
        let sweep = u8::from((dx > 0.0) == (dy > 0.0));
        canvas.curve(
            &format!(
                "M{cx:.1} {cy:.1}L{:.1} {cy:.1}A{side:.1} {side:.1} 0 0 {sweep} {cx:.1} {:.1}Z",
                cx + dx,
                cy + dy
            ),
            shade,
        );
    }
}
