//! `--having`: the same language about the numbers of a row, once all are counted.

use std::fmt;

use super::Bad;
use super::checks::Ranges;
use super::grammar;
use super::tree::{Comparison, Tree, Word};
use super::words::measure;
use crate::query::Metric;
use crate::query::metric::Kind;

/// What is asked of rows.
#[derive(Debug, Clone)]
pub struct Having {
    tree: Tree,
    node: Node,
}

#[derive(Debug, Clone)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test { metric: Metric, ranges: Ranges<i64>, is_negative: bool },
}

/// A number of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// In the metric's smallest unit.
    Whole(u128),
    /// A share.
    Part {
        /// Of the row.
        part: u128,
        /// Of all; not 0.
        whole: u128,
    },
}

/// Steps of a share of one.
const SHARE_STEPS: u128 = 1_000_000_000;

impl Having {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, Bad> {
        let tree = grammar::parse(text)?;
        let node = resolve(&tree, text.len())?;
        Ok(Self { tree, node })
    }

    /// The metrics that are asked about.
    pub fn metrics(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        self.node.visit(&mut |metric| {
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        });
        metrics
    }

    /// True for a row with these numbers. One that a row has not, such as the median of no times, fails both ways.
    pub fn holds(&self, number: impl Fn(Metric) -> Option<Number>) -> bool {
        self.node.holds(&number)
    }
}

impl fmt::Display for Having {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree.fmt(f)
    }
}

impl Node {
    fn visit(&self, visit: &mut impl FnMut(Metric)) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.visit(visit)),
            Self::Not(node) => node.visit(visit),
            Self::Test { metric, .. } => visit(*metric),
        }
    }

    fn holds(&self, number: &impl Fn(Metric) -> Option<Number>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(number)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(number)),
            Self::Not(node) => !node.holds(number),
            Self::Test { metric, ranges, is_negative } => {
                number(*metric).is_some_and(|number| ranges.has(number.doubled()) != *is_negative)
            }
        }
    }
}

impl Number {
    /// Twice the number; one more for a share between two steps, so that none is equal to what it is not.
    fn doubled(self) -> i64 {
        let doubled = match self {
            Self::Whole(number) => number.saturating_mul(2),
            Self::Part { part, whole } => {
                let steps = part.saturating_mul(SHARE_STEPS);
                steps / whole * 2 + u128::from(!steps.is_multiple_of(whole))
            }
        };
        i64::try_from(doubled).unwrap_or(i64::MAX)
    }
}

fn resolve(tree: &Tree, length: usize) -> Result<Node, Bad> {
    let all = |trees: &[Tree]| trees.iter().map(|tree| resolve(tree, length)).collect::<Result<Vec<_>, _>>();
    Ok(match tree {
        Tree::All(trees) => Node::All(all(trees)?),
        Tree::Any(trees) => Node::Any(all(trees)?),
        Tree::Not(tree) => Node::Not(Box::new(resolve(tree, length)?)),
        Tree::Comparison(comparison) => test(comparison, length)?,
    })
}

fn test(comparison: &Comparison, length: usize) -> Result<Node, Bad> {
    let Comparison { field, operator, at, values } = comparison;
    let bad = |word: &Word, message: String| Bad { message, offset: length - word.at.0 };
    let metric = Metric::parse(&field.text).map_err(|message| bad(field, message))?;
    let object = |message: String| Err(Bad { message, offset: length - at.0 });
    if metric.kind() == Kind::Instant {
        return object(format!("{} is a time: rows are not compared by it", metric.name()));
    }
    if operator.is_textual() {
        return object(format!("`{}` compares text, and {} is a number", operator.sign(), metric.name()));
    }
    let range = |word: &Word| {
        let value = measure(&word.text, metric.kind()).map_err(|message| bad(word, message))?;
        Ok(operator.range(value.saturating_mul(2)))
    };
    let ranges = values.iter().map(range).collect::<Result<_, _>>().map(Ranges::new)?;
    Ok(Node::Test { metric, ranges, is_negative: operator.is_negative() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_asked_about_their_numbers() {
        let row = |metric| match metric {
            Metric::Bytes => Some(Number::Whole(10_000_000)),
            Metric::Requests => Some(Number::Whole(21)),
            Metric::P95Bps => Some(Number::Whole(1_500_000)),
            Metric::RtP95 => Some(Number::Whole(800_000)),
            Metric::Share => Some(Number::Part { part: 1, whole: 3 }),
            Metric::Apdex => Some(Number::Part { part: 1, whole: 2 }),
            _ => None,
        };
        let check = |text: &str, expected: bool| {
            let having = Having::parse(text).unwrap_or_else(|bad| panic!("{text}: {}", bad.message));
            assert_eq!(having.holds(row), expected, "{text}");
            assert_eq!(Having::parse(&having.to_string()).expect(text).to_string(), having.to_string());
        };
        check("bytes >= 10MB", true);
        check("bytes > 10MB", false);
        check("bytes = 10000000", true);
        check("requests > 20 and bytes < 1GB", true);
        check("requests in (20, 21)", true);
        check("requests != 21 or requests not in (1, 2)", true);
        check("not (p95_bps > 1.5Mbps)", true);
        check("p95_bps >= 1500000", true);
        check("rt_p95 < 1s", true);
        check("share > 33.3%", true);
        check("share < 33.3333333%", false);
        check("share < 33.3333334%", true);
        check("share = 0.333333333", false);
        check("apdex = 0.5 and apdex >= 50%", true);
        // What a row has not is neither below nor above.
        check("rt_p50 < 1s or rt_p50 >= 1s or rt_p50 != 1s", false);
        check("not rt_p50 < 1s", true);
    }

    #[test]
    fn what_cannot_be_meant_is_shown() {
        let check = |text: &str, offset: usize, message: &str| {
            let bad = Having::parse(text).expect_err(text);
            assert_eq!(
                (bad.offset, bad.message.contains(message)),
                (offset, true),
                "{text}: {}",
                bad.message
            );
        };
        check("byte > 5", 0, "`bytes`");
        check("bytes > 5s", 8, "bytes such as");
        check("bytes ^= 5", 6, "compares text");
        check("peak_at > 5", 8, "is a time");
        check("share > 5", 8, "a share such as");
        check("requests > 1MB", 11, "a whole number");
        check("rt_avg > 5", 9, "a duration");
        check("avg_bps > 5MB", 10, "a rate such as");
        check("bytes > 5 and", 13, "expected");
        check("", 0, "expected");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn shares_compare_as_fractions(part in 0_u64..1_000, more in 1_u64..1_000, steps in 0_u32..1_000_000_000) {
            let (part, whole) = (u128::from(part), u128::from(part + more));
            let share = |_| Some(Number::Part { part, whole });
            let typed = format!("0.{steps:09}");
            let (left, right) = (part * SHARE_STEPS, u128::from(steps) * whole);
            for (sign, expected) in
                [("<", left < right), ("<=", left <= right), ("=", left == right), (">", left > right)]
            {
                let having = Having::parse(&format!("share {sign} {typed}")).expect("it is one");
                prop_assert_eq!(having.holds(share), expected, "{}/{} {} {}", part, whole, sign, typed);
            }
        }
    }
}
