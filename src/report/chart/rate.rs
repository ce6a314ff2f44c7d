//! A rate over time.

use super::{Drawing, Glyphs, number, steps};
use crate::report::human;
use crate::time::{Slot, Timestamp, Zone};

/// Rows of the curve; even, so that half of the scale is the edge of one.
const ROWS: usize = 6;

/// Columns of the rates at the left: `99.5 Gbps` and a blank. What no wire carries may stand out.
const LABEL_WIDTH: usize = 10;

/// A rate over time.
#[derive(Debug, Clone)]
pub struct Rate {
    /// What is drawn.
    pub title: String,
    /// Slots and their rates in bit/s, in order of time. Slots that are left out are drawn as nothing.
    pub samples: Vec<(Slot, u128)>,
    /// A rate to compare with.
    pub line: Option<Line>,
    /// The zone of the times.
    pub zone: Zone,
}

/// A horizontal line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is, such as `billed`.
    pub label: String,
    /// In bit/s.
    pub rate: u128,
}

impl Rate {
    /// The curve over its axis of time. A column has the highest rate of the slots that it touches, so no peak is lost;
    /// the scale ends at the highest rate, or at the line if that is higher.
    pub(super) fn draw(&self, width: usize, glyphs: Glyphs) -> Drawing {
        let ends = self.samples.first().zip(self.samples.last());
        let Some((first, last)) = ends.map(|((first, _), (last, _))| (first.start, last.end)) else {
            let body = vec!["(no samples)".to_owned()];
            return Drawing { title: self.title.clone(), body, legend: Vec::new() };
        };
        let ([axis, corner, dash], dots) = match glyphs {
            Glyphs::Blocks => (['┤', '└', '─'], braille::DOTS),
            Glyphs::Ascii => (['|', '+', '-'], ascii::DOTS),
        };
        let columns = width - LABEL_WIDTH - 2;
        let rates = highest(&self.samples, first, last, columns * dots.across);
        let line = self.line.as_ref().map_or(0, |line| line.rate);
        let top = rates.iter().copied().max().unwrap_or(0).max(line).max(1);
        let high = ROWS * dots.up;
        let curve = Curve {
            levels: rates.iter().map(|&rate| steps(rate, top, high)).collect(),
            line: self.line.as_ref().map(|line| steps(line.rate, top, high).saturating_sub(1)),
        };
        let line_row = curve.line.map(|level| level / dots.up);
        let mut body = Vec::new();
        for row in (0..ROWS).rev() {
            let letters = match glyphs {
                Glyphs::Blocks => braille::row(&curve, row),
                Glyphs::Ascii => ascii::row(&curve, row),
            };
            let label = match row {
                // The scale's own end comes first: the title has the rate of the line as well.
                _ if row == ROWS - 1 => human::bps(number(top)),
                _ if line_row == Some(row) => human::bps(number(line)),
                _ if row == ROWS / 2 - 1 && top > 1 => human::bps(number(top / 2)),
                _ => String::new(),
            };
            body.push(format!("{label:>LABEL_WIDTH$} {axis}{}", letters.trim_end()));
        }
        body.push(format!("{:>LABEL_WIDTH$} {corner}{}", "0 bps", String::from(dash).repeat(columns)));
        body.push(format!("{}{}", " ".repeat(LABEL_WIDTH + 2), self.times(first, last, columns)));
        let legend =
            |line: &Line| format!("  {0}{0} {1} {2}", dots.line, line.label, human::bps(number(line.rate)));
        let title = format!("{}{}", self.title, self.line.as_ref().map(legend).unwrap_or_default());
        Drawing { title, body, legend: Vec::new() }
    }

    /// When the curve begins, is half through and ends.
    fn times(&self, first: i64, last: i64, columns: usize) -> String {
        let label = |second: i64| {
            let civil = self.zone.civil(Timestamp::from_seconds(second));
            format!("{:02}-{:02} {:02}:{:02}", civil.month, civil.day, civil.hour, civil.minute)
        };
        let (begin, end) = (label(first), label(last));
        let middle = label(i64::midpoint(first, last));
        let blanks = columns.saturating_sub(begin.len() + middle.len() + end.len());
        if blanks < 4 {
            let blanks = columns.saturating_sub(begin.len() + end.len()).max(1);
            return format!("{begin}{}{end}", " ".repeat(blanks));
        }
        format!("{begin}{}{middle}{}{end}", " ".repeat(blanks / 2), " ".repeat(blanks - blanks / 2))
    }
}

/// What is drawn, in dots from below.
struct Curve {
    /// How many dots are under the curve, from left to right.
    levels: Vec<usize>,
    /// The dot of the line.
    line: Option<usize>,
}

/// How many dots a letter has.
struct Dots {
    across: usize,
    up: usize,
    /// The line's own letter.
    line: char,
}

/// Letters of two by four dots. A line stands out on both sides: dots on the ground, a gap within the curve.
mod braille {
    use super::{Curve, Dots};

    pub(super) const DOTS: Dots = Dots { across: 2, up: 4, line: '⠒' };

    /// The dots of a letter by their bits, each column from below.
    const BITS: [[u8; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];

    pub(super) fn row(curve: &Curve, row: usize) -> String {
        curve.levels.chunks(DOTS.across).map(|levels| letter(curve, levels, row * DOTS.up)).collect()
    }

    fn letter(curve: &Curve, levels: &[usize], from: usize) -> char {
        let mut bits = 0;
        for (&level, column) in levels.iter().zip(BITS) {
            for (dot, bit) in (from..).zip(column) {
                // A gap never takes the last dot: what is on the line or below is drawn as it is.
                let lit = if curve.line == Some(dot) { level <= dot + 1 } else { dot < level };
                bits |= if lit { bit } else { 0 };
            }
        }
        if bits == 0 { ' ' } else { char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ') }
    }
}

/// Letters that look like a part of a column.
mod ascii {
    use super::{Curve, Dots};

    pub(super) const DOTS: Dots = Dots { across: 1, up: 8, line: '-' };

    /// From an eighth to a whole.
    const PARTS: [char; 8] = ['_', '_', '.', '.', ':', ':', '|', '#'];

    pub(super) fn row(curve: &Curve, row: usize) -> String {
        let ground = if curve.line.is_some_and(|line| line / DOTS.up == row) { DOTS.line } else { ' ' };
        let letter = |level: &usize| match level.saturating_sub(row * DOTS.up) {
            0 => ground,
            part => PARTS[part.min(DOTS.up) - 1],
        };
        curve.levels.iter().map(letter).collect()
    }
}

/// For each column the highest rate of the samples that it touches.
fn highest(samples: &[(Slot, u128)], first: i64, last: i64, columns: usize) -> Vec<u128> {
    let mut highest = vec![0; columns];
    let (length, all) = ((i128::from(last) - i128::from(first)).max(1), columns as i128);
    let clamped = |column: i128| usize::try_from(column.max(0)).unwrap_or(columns).min(columns);
    for (slot, rate) in samples {
        let [start, end] = [slot.start, slot.end].map(|edge| (i128::from(edge) - i128::from(first)) * all);
        let touched = clamped(start / length)..clamped((end + length - 1) / length);
        for column in highest.get_mut(touched).unwrap_or_default() {
            *column = (*rate).max(*column);
        }
    }
    highest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-23 00:00 UTC.
    const START: i64 = 1_795_392_000;

    fn rate(samples: &[(i64, u128)], line: Option<u128>) -> Rate {
        let sample =
            |&(at, rate): &(i64, u128)| (Slot { start: START + at * 300, end: START + at * 300 + 300 }, rate);
        Rate {
            title: "Rate".to_owned(),
            samples: samples.iter().map(sample).collect(),
            line: line.map(|rate| Line { label: "billed".to_owned(), rate }),
            zone: Zone::utc(),
        }
    }

    fn check(rate: &Rate, width: usize, glyphs: Glyphs, expected: &str) {
        let drawing = rate.draw(width, glyphs);
        let title = vec![drawing.title];
        assert_eq!(format!("\n{}", [title, drawing.body].concat().join("\n")), expected);
    }

    #[test]
    fn curves_have_axes_and_a_line() {
        let samples: Vec<(i64, u128)> =
            (0..7_u32).map(|at| (at.into(), 1_000_000 * u128::from(at))).collect();
        check(
            &rate(&samples, Some(4_000_000)),
            60,
            Glyphs::Blocks,
            "
Rate  ⠒⠒ billed 4.00 Mbps
 6.00 Mbps ┤                                         ⣿⣿⣿⣿⣿⣿⣿
           ┤                                  ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
 4.00 Mbps ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⣿⣿⣿⣿⣿⣿⣿⣶⣶⣶⣶⣶⣶⣶⣶⣶⣶⣶⣶⣶⣶
 3.00 Mbps ┤                    ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
           ┤             ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
           ┤      ⢸⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
     0 bps └────────────────────────────────────────────────
            11-23 00:00       11-23 00:17        11-23 00:35",
        );
    }

    #[test]
    fn a_line_in_the_top_row_leaves_the_scale_its_end() {
        let samples: Vec<(i64, u128)> =
            (0..9_u32).map(|at| (at.into(), 1_000_000 * u128::from(at))).collect();
        check(
            &rate(&samples, Some(7_050_000)),
            39,
            Glyphs::Blocks,
            "
Rate  ⠒⠒ billed 7.05 Mbps
 8.00 Mbps ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⣤⣤⣤⣛⣛⣛
           ┤                  ⣤⣤⣤⣿⣿⣿⣿⣿⣿
           ┤               ⣶⣶⣶⣿⣿⣿⣿⣿⣿⣿⣿⣿
 4.00 Mbps ┤         ⣀⣀⣀⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
           ┤      ⣤⣤⣤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
           ┤   ⣶⣶⣶⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
     0 bps └───────────────────────────
            11-23 00:00     11-23 00:45",
        );
    }

    #[test]
    fn few_samples_and_none() {
        check(&rate(&[], None), 60, Glyphs::Blocks, "\nRate\n(no samples)");
        check(
            &rate(&[(0, 0)], None),
            40,
            Glyphs::Ascii,
            "
Rate
     1 bps |
           |
           |
           |
           |
           |
     0 bps +----------------------------
            11-23 00:00      11-23 00:05",
        );
        check(
            &rate(&[(0, 999_000_000_000), (287, 1)], Some(5)),
            60,
            Glyphs::Ascii,
            "
Rate  -- billed 5 bps
  999 Gbps |#
           |#
           |#
  500 Gbps |#
           |#
     5 bps |#----------------------------------------------_
     0 bps +------------------------------------------------
            11-23 00:00       11-23 12:00        11-24 00:00",
        );
    }

    /// The dots of a drawn column, from below, by the names that Unicode gives them.
    fn dots(rows: &[Vec<char>], column: usize) -> Vec<bool> {
        let names = if column.is_multiple_of(2) { [7, 3, 2, 1] } else { [8, 6, 5, 4] };
        let letters = rows.iter().map(|row| row.get(column / 2).copied().unwrap_or(' '));
        let bits = letters.map(|letter| if letter == ' ' { 0 } else { u32::from(letter) - 0x2800 });
        bits.flat_map(|bits| names.map(|name| bits >> (name - 1) & 1 == 1)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn a_column_has_its_dots_and_shows_the_line(
            levels in prop::collection::vec(0..=ROWS * 4, 1..9),
            line in prop::option::of(0..ROWS * 4),
        ) {
            let curve = Curve { levels: levels.clone(), line };
            let rows: Vec<Vec<char>> =
                (0..ROWS).map(|row| braille::row(&curve, row).chars().collect()).collect();
            for (column, &level) in levels.iter().enumerate() {
                let mut drawn = dots(&rows, column);
                prop_assert!(level == 0 || drawn[level - 1], "what is not nothing has its highest dot");
                if let Some(line) = line {
                    // Neither the ground below nor the curve around the line looks like the line.
                    prop_assert!(level == line + 1 || drawn[line] == (level <= line));
                    drawn[line] = line < level;
                }
                let expected: Vec<bool> = (0..ROWS * 4).map(|dot| dot < level).collect();
                prop_assert_eq!(drawn, expected);
            }
        }
    }
}
