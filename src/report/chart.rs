//! Drawings for people, where a curve says more than a number.
//!
//! [`draw`] makes plain lines, the same for the same numbers everywhere; the table's writer makes labels harmless and
//! adds attributes. Rates are compared as integers, and what is not nothing is never drawn as nothing.

mod bars;
mod hours;
mod rate;

pub use self::bars::Bars;
pub(super) use self::bars::bar;
pub use self::hours::{Day, Hours};
pub use self::rate::{Line, Rate};

/// Columns of a drawing where the output has no width.
const WIDTH: usize = 80;

/// A drawing of fewer columns shows nothing: a narrower terminal has to wrap it.
const WIDTH_MIN: usize = 40;

/// Wider drawings are no clearer.
const WIDTH_MAX: usize = 160;

/// Something to draw.
#[derive(Debug, Clone)]
pub enum Chart {
    /// A rate over time.
    Rate(Rate),
    /// Mean rates by day and hour.
    Hours(Hours),
    /// How many there are of each of a few.
    Bars(Bars),
}

/// The letters of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// Braille, block elements and box drawing.
    Blocks,
    /// ASCII only.
    Ascii,
}

/// A drawing in lines without line ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawing {
    /// What it shows.
    pub title: String,
    /// The drawing and its axes.
    pub body: Vec<String>,
    /// What its letters mean.
    pub legend: Vec<String>,
}

/// Draws in so many columns; `usize::MAX` is a file or pipe and gets a terminal's usual width.
pub fn draw(chart: &Chart, width: usize, glyphs: Glyphs) -> Drawing {
    let width = if width == usize::MAX { WIDTH } else { width.clamp(WIDTH_MIN, WIDTH_MAX) };
    match chart {
        Chart::Rate(rate) => rate.draw(width, glyphs),
        Chart::Hours(hours) => hours.draw(glyphs),
        Chart::Bars(bars) => bars.draw(width, glyphs),
    }
}

/// `value` on a scale from 0 to `top` of so many steps, rounded up; all of them for what is beyond.
fn steps(value: u128, top: u128, steps: usize) -> usize {
    let all = steps as u128;
    if value >= top {
        return if value == 0 { 0 } else { steps };
    }
    // What is too large to be multiplied is divided first, which may be one step off.
    let step = match value.checked_mul(all) {
        Some(product) => product.div_ceil(top),
        None => value.div_ceil(top / all),
    };
    usize::try_from(step).unwrap_or(steps).min(steps)
}

/// A number for [`human`](crate::report::human), which has no larger ones.
fn number(value: u128) -> i128 {
    i128::try_from(value).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_rounded_up() {
        let check = |value, top, all, expected| assert_eq!(steps(value, top, all), expected, "{value}/{top}");
        check(0, 0, 8, 0);
        check(0, 100, 8, 0);
        check(1, 100, 8, 1);
        check(50, 100, 8, 4);
        check(51, 100, 8, 5);
        check(100, 100, 8, 8);
        check(101, 100, 8, 8);
        check(1, 0, 8, 8);
        check(u128::MAX / 2, u128::MAX, 64, 33);
        check(u128::MAX - 1, u128::MAX, 64, 64);
        check(1, u128::MAX, 64, 1);
    }
}
