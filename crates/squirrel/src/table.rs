//! Tables of text: columns as wide as they need, cut to the width of a terminal.

use squirrel_model::Untrusted;

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) align: Align,
    /// The least width to which it is cut when the line is too long; 0 for one that is never cut.
    pub(crate) least: usize,
    /// Whether the end of a cell says more than its beginning: of an address the port.
    end: bool,
}

impl Column {
    pub(crate) const fn left(title: &'static str, least: usize) -> Self {
        Self { title, align: Align::Left, least, end: false }
    }

    pub(crate) const fn address(title: &'static str, least: usize) -> Self {
        Self { title, align: Align::Left, least, end: true }
    }

    pub(crate) const fn right(title: &'static str) -> Self {
        Self { title, align: Align::Right, least: 0, end: false }
    }
}

/// The lines of a table. With a `width`, columns that may be cut are, the widest first; what was cut ends in `…`.
/// Cells come from anywhere and are made harmless here.
pub(crate) fn lines(columns: &[Column], rows: &[Vec<String>], width: Option<usize>, heading: bool) -> Vec<String> {
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| Untrusted(cell).to_string()).collect()).collect();
    let mut widths: Vec<usize> = columns.iter().map(|column| if heading { column.title.len() } else { 0 }).collect();
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns_of(cell));
        }
    }
    if let Some(most) = width {
        shrink(columns, &mut widths, most);
    }
    let titles = columns.iter().map(|column| column.title.to_owned()).collect();
    let heading = heading.then_some(titles);
    heading.iter().chain(&cells).map(|row| line(columns, &widths, row)).collect()
}

/// Takes columns away from the widest that may be cut, until the line fits or nothing can be cut any more.
fn shrink(columns: &[Column], widths: &mut [usize], most: usize) {
    loop {
        let total: usize = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        let Some(over) = total.checked_sub(most).filter(|over| *over > 0) else { return };
        let widest = columns
            .iter()
            .zip(widths.iter_mut())
            .filter(|(column, width)| column.least > 0 && **width > column.least)
            .max_by_key(|(_, width)| **width);
        let Some((column, width)) = widest else { return };
        *width = (*width - over.min(*width - column.least).min(1 + over / 2)).max(column.least);
    }
}

fn line(columns: &[Column], widths: &[usize], row: &[String]) -> String {
    let mut text = String::new();
    for (i, ((column, width), cell)) in columns.iter().zip(widths).zip(row).enumerate() {
        if i > 0 {
            text += "  ";
        }
        let cell = if column.end { cut_beginning(cell, *width) } else { cut(cell, *width) };
        let blanks = " ".repeat(width.saturating_sub(columns_of(&cell)));
        match column.align {
            Align::Left => text += &(cell + &blanks),
            Align::Right => text += &(blanks + &cell),
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// The first characters of a text that fit into `width` columns.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns_of(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += wide(c);
        if used > width {
            break;
        }
        out.push(c);
    }
    out + "…"
}

/// The last characters of a text that fit into `width` columns.
fn cut_beginning(text: &str, width: usize) -> String {
    if columns_of(text) <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 1;
    for c in text.chars().rev() {
        used += wide(c);
        if used > width {
            break;
        }
        kept.push(c);
    }
    std::iter::once('…').chain(kept.into_iter().rev()).collect()
}

/// Columns that a terminal needs for a text without control characters.
fn columns_of(text: &str) -> usize {
    text.chars().map(wide).sum()
}

/// Two columns for the wide characters of East Asian scripts and for pictures, none for combining marks. A short form
/// of Unicode's tables (UAX #11): what it does not know stands a column too far left, and no more.
fn wide(c: char) -> usize {
    match c {
        '\u{0300}'..='\u{036F}' | '\u{20D0}'..='\u{20FF}' => 0,
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{303E}'
        | '\u{3041}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F300}'..='\u{1FAFF}'
        | '\u{20000}'..='\u{3FFFD}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [Column::left("NAME", 6), Column::right("BYTES"), Column::left("COMMAND", 8)];

    fn rows(rows: &[[&str; 3]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn columns_line_up_and_hostile_cells_stay_on_their_line() {
        let rows = rows(&[["a", "10 B", "x"], ["evil\x1b[2J\n", "1.00 kB", "日本 y"]]);
        assert_eq!(
            lines(&COLUMNS, &rows, None, true),
            [
                "NAME                  BYTES  COMMAND",
                "a                      10 B  x",
                "evil\\u{1b}[2J\\u{a}  1.00 kB  日本 y",
            ]
        );
    }

    #[test]
    fn a_line_is_cut_to_the_width_where_it_may_be() {
        let rows = rows(&[["a-name-that-is-long", "1.00 kB", "/usr/bin/program --with many --arguments"]]);
        for width in [80, 60, 40, 30] {
            let lines = lines(&COLUMNS, &rows, Some(width), true);
            assert!(lines.iter().all(|line| columns_of(line) <= width), "{width}: {lines:?}");
            assert!(lines[1].contains("1.00 kB"), "numbers are never cut");
        }
        assert_eq!(lines(&COLUMNS, &rows, Some(1), false), ["a-nam…  1.00 kB  /usr/bi…"]);
        assert_eq!(cut("日本語日本語", 6), "日本…");
        assert_eq!(cut_beginning("[2001:db8::7]:443", 8), "…:7]:443");
    }
}
