//! How many there are of each of a few, as bars.

use super::{Drawing, Glyphs, number, steps};
use crate::report::human;

/// How many there are of each of a few.
#[derive(Debug, Clone)]
pub struct Bars {
    /// What is counted.
    pub title: String,
    /// Label and count, in the order drawn.
    pub bars: Vec<(String, u64)>,
}

/// Columns of the longest bar.
const BAR_MAX: usize = 40;

impl Bars {
    /// Label, count, share of all, bar.
    pub(super) fn draw(&self, width: usize, glyphs: Glyphs) -> Drawing {
        let all: u128 = self.bars.iter().map(|(_, count)| u128::from(*count)).sum();
        let most = self.bars.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let labels = self.bars.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let counts = human::count(most.into()).len();
        let left = labels + counts + "  100.0 %    ".len();
        let longest = width.saturating_sub(left).min(BAR_MAX);
        let line = |(label, count): &(String, u64)| {
            #[allow(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
            let share = if all == 0 { 0.0 } else { *count as f64 / all as f64 };
            let bar = bar(u128::from(*count), u128::from(most), longest, glyphs);
            let count = human::count(number(u128::from(*count)));
            let line = format!("{label:labels$}  {count:>counts$}  {:>7}  {bar}", human::share(share));
            line.trim_end().to_owned()
        };
        Drawing { title: self.title.clone(), body: self.bars.iter().map(line).collect(), legend: Vec::new() }
    }
}

/// A bar of `count`, where that of `most` is the longest; what is not nothing is drawn.
pub(in crate::report) fn bar(count: u128, most: u128, longest: usize, glyphs: Glyphs) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    match glyphs {
        Glyphs::Ascii => "#".repeat(steps(count, most, longest)),
        Glyphs::Blocks => {
            let eighths = steps(count, most, longest * 8);
            format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_drawn_to_one_scale() {
        let bars = [("≤ 1 s", 12_000), ("≤ 2 s", 3_001), ("> 2 s", 1), ("never", 0)];
        let bars = bars.map(|(label, count)| (label.to_owned(), count)).to_vec();
        let bars = Bars { title: "Times".to_owned(), bars };
        let expected = "\
≤ 1 s  12,000   80.0 %  ████████████████████████████████████████
≤ 2 s   3,001   20.0 %  ██████████▏
> 2 s       1   <0.1 %  ▏
never       0    0.0 %";
        assert_eq!(bars.draw(80, Glyphs::Blocks).body.join("\n"), expected);
        let expected = "\
≤ 1 s  12,000   80.0 %  ################
≤ 2 s   3,001   20.0 %  #####
> 2 s       1   <0.1 %  #
never       0    0.0 %";
        assert_eq!(bars.draw(40, Glyphs::Ascii).body.join("\n"), expected);
        let none = Bars { title: String::new(), bars: vec![("none".to_owned(), 0)] };
        assert_eq!(none.draw(80, Glyphs::Blocks).body.join("\n"), "none  0    0.0 %");
    }
}
