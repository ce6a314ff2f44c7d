//! `top --net auto`: networks as large as it takes.

use bandwho::error::Error;
use bandwho::query::Dimension;
use bandwho::report::answer::top::nets::{SHARE_MIN, WHOLE};
use clap::ValueEnum;

/// The share that stands if none is typed.
const SHARE: u64 = WHOLE / 100;

/// Digits behind the point of a percentage.
const DECIMALS: usize = 4;

#[derive(Debug, clap::Args)]
pub(crate) struct Nets {
    /// How large the networks of --by net are: fixed, /24 and /48; auto: joined with their neighbours, up to /16 and
    /// /32, until each has --min-share of the traffic
    #[arg(long, value_enum, value_name = "HOW", default_value_t = NetChoice::Fixed)]
    pub(crate) net: NetChoice,
    /// The least share of a network with --net auto [default: 1%]
    #[arg(long, value_name = "SHARE")]
    pub(crate) min_share: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NetChoice {
    Fixed,
    Auto,
}

impl Nets {
    /// The share that networks are joined for, in parts of [`WHOLE`]; none if they are not.
    pub(crate) fn share(&self, by: &[Dimension]) -> Result<Option<u64>, Error> {
        match (self.net, &self.min_share) {
            (NetChoice::Fixed, None) => Ok(None),
            (NetChoice::Fixed, Some(_)) => {
                Err(Error::Usage("--min-share: only networks of --net auto have one".to_owned()))
            }
            (NetChoice::Auto, _) if !matches!(by, [Dimension::Net]) => {
                Err(Error::Usage("--net auto: rows must be networks alone, --by net".to_owned()))
            }
            (NetChoice::Auto, None) => Ok(Some(SHARE)),
            (NetChoice::Auto, Some(typed)) => {
                percentage(typed).filter(|share| (SHARE_MIN..=WHOLE).contains(share)).map(Some).ok_or_else(
                    || Error::Usage(format!("--min-share {typed}: expected 0.01% to 100%, such as 1%")),
                )
            }
        }
    }
}

/// A percentage, with its sign or without, in parts of [`WHOLE`].
fn percentage(typed: &str) -> Option<u64> {
    let number = typed.trim().trim_end_matches('%').trim_end();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 3
        || decimals.len() > DECIMALS
        || !is_number(whole)
        || !is_number(decimals)
    {
        return None;
    }
    let parts: u64 = format!("{whole}{decimals:0<DECIMALS$}").parse().ok()?;
    Some(parts * (WHOLE / 100 / 10_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_exact() {
        let check = |typed, expected| assert_eq!(percentage(typed), expected, "{typed}");
        check("1%", Some(1_000_000));
        check("0.5 %", Some(500_000));
        check("0.01", Some(10_000));
        check("100%", Some(WHOLE));
        check("33.3333%", Some(33_333_300));
        for wrong in ["", "%", "-1%", "1e2", ".5", "1.23456", "1000%", "+1", "1,5%"] {
            check(wrong, None);
        }
    }
}
