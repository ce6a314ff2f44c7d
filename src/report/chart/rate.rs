//! A rate over time.

use super::{Drawing, Glyphs, number, steps};
use crate::report::human;
use crate::time::{Slot, Timestamp, Zone};

/// Rows of the curve.
const ROWS: usize = 8;

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

struct Letters {
    /// From an eighth to a whole.
    parts: [char; 8],
    line: char,
    axis: [char; 3],
}

impl Letters {
    fn of(glyphs: Glyphs) -> Self {
        match glyphs {
            Glyphs::Blocks => {
                Self {
                    parts: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'], line: '╌', axis: ['┤', '└', '─']
                }
            }
            Glyphs::Ascii => {
                Self { parts: ['_', '_', '.', '.', ':', ':', '|', '#'], line: '-', axis: ['|', '+', '-'] }
            }
        }
    }
}

impl Rate {
    /// The curve over its axis of time. A column has the highest rate of the slots that it touches, so no peak is lost;
    /// the scale ends at the highest rate, or at the line if that is higher.
    pub(super) fn draw(&self, width: usize, glyphs: Glyphs) -> Drawing {
        let letters = Letters::of(glyphs);
        let ends = self.samples.first().zip(self.samples.last());
        let Some((first, last)) = ends.map(|((first, _), (last, _))| (first.start, last.end)) else {
            let body = vec!["(no samples)".to_owned()];
            return Drawing { title: self.title.clone(), body, legend: Vec::new() };
        };
        let columns = width - LABEL_WIDTH - 2;
        let rates = highest(&self.samples, first, last, columns);
        let line = self.line.as_ref().map_or(0, |line| line.rate);
        let top = rates.iter().copied().max().unwrap_or(0).max(line).max(1);
        let line_row = self.line.as_ref().map(|line| steps(line.rate, top, ROWS).saturating_sub(1));
        let levels: Vec<usize> = rates.iter().map(|&rate| steps(rate, top, ROWS * 8)).collect();
        let mut body = Vec::new();
        for row in (0..ROWS).rev() {
            let blank = if line_row == Some(row) { letters.line } else { ' ' };
            let letter = |level: &usize| match level.saturating_sub(row * 8) {
                0 => blank,
                part => letters.parts[part.min(8) - 1],
            };
            let curve: String = levels.iter().map(letter).collect();
            let label = match row {
                // The scale's own end comes first: the legend has the rate of the line as well.
                7 => human::bps(number(top)),
                _ if line_row == Some(row) => human::bps(number(line)),
                3 if top > 1 => human::bps(number(top / 2)),
                _ => String::new(),
            };
            body.push(format!("{label:>LABEL_WIDTH$} {}{}", letters.axis[0], curve.trim_end()));
        }
        let [_, corner, dash] = letters.axis;
        body.push(format!("{:>LABEL_WIDTH$} {corner}{}", "0 bps", String::from(dash).repeat(columns)));
        body.push(format!("{}{}", " ".repeat(LABEL_WIDTH + 2), self.times(first, last, columns)));
        let legend = self
            .line
            .iter()
            .map(|line| format!("{0}{0} {1} {2}", letters.line, line.label, human::bps(number(line.rate))));
        Drawing { title: self.title.clone(), body, legend: legend.collect() }
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
        assert_eq!(format!("\n{}", [drawing.body, drawing.legend].concat().join("\n")), expected);
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
 6.00 Mbps ┤                                         ███████
           ┤                                  ▆▆▆▆▆▆▆███████
 4.00 Mbps ┤╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▃▃▃▃▃▃▃██████████████
           ┤                           █████████████████████
 3.00 Mbps ┤                    ████████████████████████████
           ┤             ▆▆▆▆▆▆▆████████████████████████████
           ┤      ▃▃▃▃▃▃▃███████████████████████████████████
           ┤      ██████████████████████████████████████████
     0 bps └────────────────────────────────────────────────
            11-23 00:00       11-23 00:17        11-23 00:35
╌╌ billed 4.00 Mbps",
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
 8.00 Mbps ┤╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌███
           ┤                     ██████
           ┤                  █████████
           ┤               ████████████
 4.00 Mbps ┤            ███████████████
           ┤         ██████████████████
           ┤      █████████████████████
           ┤   ████████████████████████
     0 bps └───────────────────────────
            11-23 00:00     11-23 00:45
╌╌ billed 7.05 Mbps",
        );
    }

    #[test]
    fn few_samples_and_none() {
        check(&rate(&[], None), 60, Glyphs::Blocks, "\n(no samples)");
        check(
            &rate(&[(0, 0)], None),
            40,
            Glyphs::Ascii,
            "
     1 bps |
           |
           |
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
  999 Gbps |#
           |#
           |#
           |#
  500 Gbps |#
           |#
           |#
     5 bps |#----------------------------------------------_
     0 bps +------------------------------------------------
            11-23 00:00       11-23 12:00        11-24 00:00
-- billed 5 bps",
        );
    }
}
