//! A picture of few colours, one octet for each point.

use super::font;

pub(super) const WHITE: u8 = 0;
pub(super) const BLACK: u8 = 1;
pub(super) const GREY: u8 = 2;
pub(super) const LIGHT: u8 = 3;
pub(super) const RED: u8 = 4;
/// Colours of the lines.
pub(super) const LINES: [u8; 5] = [5, 6, 7, 8, 9];

/// Red, green and blue of each colour. Those of lines are told apart by people who do not see all colours too.
pub(super) const PALETTE: [[u8; 3]; 10] = [
    [255, 255, 255],
    [31, 35, 40],
    [89, 99, 110],
    [228, 232, 236],
    [207, 34, 46],
    [0, 114, 178],
    [230, 159, 0],
    [0, 158, 115],
    [204, 121, 167],
    [86, 180, 233],
];

/// Width of a letter, with the gap behind it.
const LETTER: usize = font::WIDTH + 1;

/// The picture; what would be outside is not drawn.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) points: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, points: vec![WHITE; width * height] }
    }

    fn set(&mut self, x: usize, y: usize, colour: u8) {
        if x < self.width && y < self.height {
            self.points[y * self.width + x] = colour;
        }
    }

    /// Bresenham's line.
    fn walk(&mut self, from: (usize, usize), to: (usize, usize), mut mark: impl FnMut(&mut Self, usize, usize)) {
        let (mut x, mut y) = (from.0 as i64, from.1 as i64);
        let (end_x, end_y) = (to.0 as i64, to.1 as i64);
        let (dx, dy) = ((end_x - x).abs(), -(end_y - y).abs());
        let (step_x, step_y) = ((end_x - x).signum(), (end_y - y).signum());
        let mut error = dx + dy;
        loop {
            mark(self, x as usize, y as usize);
            if (x, y) == (end_x, end_y) {
                return;
            }
            let twice = 2 * error;
            if twice >= dy {
                error += dy;
                x += step_x;
            }
            if twice <= dx {
                error += dx;
                y += step_y;
            }
        }
    }

    pub(super) fn line(&mut self, from: (usize, usize), to: (usize, usize), colour: u8) {
        self.walk(from, to, |canvas, x, y| canvas.set(x, y, colour));
    }

    /// Two points wide.
    pub(super) fn thick_line(&mut self, from: (usize, usize), to: (usize, usize), colour: u8) {
        self.walk(from, to, |canvas, x, y| {
            for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
                canvas.set(x, y, colour);
            }
        });
    }

    pub(super) fn dot(&mut self, (x, y): (usize, usize), colour: u8) {
        for dy in 0..4 {
            for dx in 0..4 {
                self.set((x + dx).saturating_sub(1), (y + dy).saturating_sub(1), colour);
            }
        }
    }

    pub(super) fn dashed(&mut self, left: usize, right: usize, y: usize, colour: u8) {
        for x in (left..right).filter(|x| (x - left) % 8 < 5) {
            self.set(x, y, colour);
            self.set(x, y + 1, colour);
        }
    }

    pub(super) fn text(&mut self, left: usize, top: usize, text: &str, colour: u8) {
        for (i, c) in text.chars().enumerate() {
            for (row, bits) in font::glyph(c).into_iter().enumerate() {
                for column in (0..font::WIDTH).filter(|column| bits >> (font::WIDTH - 1 - column) & 1 == 1) {
                    self.set(left + i * LETTER + column, top + row, colour);
                }
            }
        }
    }

    pub(super) fn text_ending_at(&mut self, right: usize, top: usize, text: &str, colour: u8) {
        self.text(right.saturating_sub(text.chars().count() * LETTER), top, text, colour);
    }

    pub(super) fn text_around(&mut self, middle: usize, top: usize, text: &str, colour: u8) {
        let width = text.chars().count() * LETTER;
        let left = middle.saturating_sub(width / 2).min(self.width.saturating_sub(width));
        self.text(left, top, text, colour);
    }
}
