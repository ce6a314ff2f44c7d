//! The words of a contract: what each choice is called, in contracts, on the command line and on the bill.

use super::decimal::Decimal;
use super::period::Date;
use super::rank::RankRule;
use crate::aggregate::SEGMENT;
use crate::time::slot_length;

/// The largest n of `nth-peak:n`: no period of interest has more days.
pub const NTH_PEAK_MAX: u32 = 366;

/// The largest overhead factor: ten times what was logged is a typing error.
const FACTOR_MAX: Decimal = Decimal::whole(10);

/// How samples become the quantity that is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// The 95th percentile of the period's samples.
    P95,
    /// The n-th highest of the daily peaks; `nth-peak:1` is the peak of the period.
    NthPeak(u32),
    /// The mean of the daily peaks over the valid days.
    DayPeakAvg,
    /// The mean of each valid day's 95th percentile.
    DayP95Avg,
    /// The mean of the five highest days, where a day counts with its 5th-highest sample.
    Top5Avg,
    /// The port's price, whatever was sent.
    Flat,
    /// Bytes.
    Volume,
}

/// Which direction is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// What the servers sent.
    #[default]
    Out,
    /// What they received.
    In,
    /// The method on each direction, the larger result.
    MaxOfP95,
    /// The larger direction of each sample, then the method.
    MaxPerSample,
    /// Both directions of each sample added, then the method.
    Sum,
}

/// What slots outside the coverage of the logs count as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Missing {
    /// They are no samples.
    #[default]
    Exclude,
    /// They are samples of whatever is known of them, normally nothing.
    Zero,
    /// They make a bill impossible.
    Fail,
}

/// Which days count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ValidDays {
    /// Every day of the period.
    #[default]
    None,
    /// Days with more than 0 bytes; the samples of the others are not ranked.
    Traffic,
    /// Days with a sample above 1000 bit/s; the samples of the others are not ranked.
    Use,
    /// Days from this one on. Only the fee is reduced; every sample is ranked.
    From(Date),
}

/// Several places on one port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Added slot by slot, then billed once (总量).
    #[default]
    SumThenRate,
    /// Billed each by itself (分节点).
    PerPort,
}

/// How a fee follows the valid days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Proration {
    /// It does not.
    #[default]
    None,
    /// Times valid days over days of the period.
    ValidDays,
}

/// From logged bytes to estimated bytes on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overhead {
    /// As logged.
    #[default]
    None,
    /// 1.03: a site's own measurement of headers.
    Talk,
    /// 1.0274: 40 bytes of IPv4 and TCP headers per 1460.
    HeadersV4,
    /// 1.0359: 52 bytes, with TCP timestamps, per 1448.
    HeadersV4Ts,
    /// 1.10: Aliyun bills 1.1 times what its logs say.
    Aliyun,
    /// 1.10: Tencent's monitoring is 110 % of its logs.
    Tencent,
    /// Any other factor.
    Factor(Decimal),
    /// 40 bytes for every `mss` bytes begun, per response. Not derivable from sums: it is added as
    /// records are counted, by views of [`crate::query::Flow::Packets`].
    Packets {
        /// Bytes of a response in one packet.
        mss: u32,
    },
}

/// What a unit of volume is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VolumeUnit {
    /// 1 GB = 1000³ bytes.
    #[default]
    Decimal,
    /// 1024³ bytes, which Huawei Cloud calls a GB and a bill of ours a GiB.
    Binary,
}

/// A bandwidth in bit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub u128);

/// A volume in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Volume(pub u128);

/// `name` and `parse` for a choice without parameters.
macro_rules! words {
    ($choice:ident, $what:literal, $($variant:ident $name:literal),+) => {
        impl $choice {
            /// Every choice, the default first.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in contracts, on the command line and on the bill.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// The choice of that name. The error names the choices.
            pub fn parse(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|choice| choice.name() == text).copied();
                found.ok_or_else(|| unknown($what, text, &[$($name),+]))
            }
        }
    };
}

words!(Direction, "direction",
    Out "out", In "in", MaxOfP95 "max-of-p95", MaxPerSample "max-per-sample", Sum "sum");
words!(Missing, "rule for missing slots", Exclude "exclude", Zero "zero", Fail "fail");
words!(Scope, "scope", SumThenRate "sum-then-rate", PerPort "per-port");
words!(Proration, "proration", None "none", ValidDays "valid-days");
words!(VolumeUnit, "volume unit", Decimal "decimal", Binary "binary");

impl Method {
    /// Reads `p95`, `nth-peak` (the 4th), `nth-peak:n`, `day-peak-avg`, `day-p95-avg`, `top5-avg`, `flat`, `volume`.
    pub fn parse(text: &str) -> Result<Self, String> {
        const NAMES: [&str; 7] =
            ["p95", "nth-peak:4", "day-peak-avg", "day-p95-avg", "top5-avg", "flat", "volume"];
        Ok(match text {
            "p95" => Self::P95,
            "nth-peak" => Self::NthPeak(4),
            "day-peak-avg" => Self::DayPeakAvg,
            "day-p95-avg" => Self::DayP95Avg,
            "top5-avg" => Self::Top5Avg,
            "flat" => Self::Flat,
            "volume" => Self::Volume,
            other => {
                let n = other.strip_prefix("nth-peak:").ok_or_else(|| unknown("method", other, &NAMES))?;
                Self::NthPeak(
                    count(n, NTH_PEAK_MAX)
                        .map_err(|reason| format!("`{}`: {reason}", other.escape_debug()))?,
                )
            }
        })
    }

    /// Its name in contracts, on the command line and on the bill.
    pub fn name(self) -> String {
        match self {
            Self::P95 => "p95".to_owned(),
            Self::NthPeak(n) => format!("nth-peak:{n}"),
            Self::DayPeakAvg => "day-peak-avg".to_owned(),
            Self::DayP95Avg => "day-p95-avg".to_owned(),
            Self::Top5Avg => "top5-avg".to_owned(),
            Self::Flat => "flat".to_owned(),
            Self::Volume => "volume".to_owned(),
        }
    }
}

/// The rank rule of that name; the error names the rules.
pub fn parse_rank(text: &str) -> Result<RankRule, String> {
    RankRule::parse(text).ok_or_else(|| unknown("rank rule", text, &RankRule::ALL.map(RankRule::name)))
}

/// A commit or the end of a tier: a bandwidth in bit/s, or a volume in bytes under `volume`. The error is the reason.
pub fn parse_commit(text: &str, method: Method, unit: VolumeUnit) -> Result<u128, String> {
    match method {
        Method::Volume => Volume::parse(text, unit).map(|volume| volume.0),
        Method::Flat => Err("a flat port has neither a commit nor tiers".to_owned()),
        _ => Rate::parse(text).map(|rate| rate.0),
    }
}

/// Seconds of a sample that is made of slots of `slot_seconds`: `30m`, `2h`. The error is the reason.
pub fn parse_mean(text: &str, slot_seconds: u32) -> Result<u32, String> {
    let fits = |seconds: &u32| seconds.is_multiple_of(slot_seconds.max(1));
    slot_length(text).ok().filter(fits).ok_or_else(|| {
        let (text, slot) = (text.trim().escape_debug(), length(slot_seconds));
        format!("samples of {text}: must divide a day and be a multiple of the slot of {slot}")
    })
}

impl ValidDays {
    /// Reads `none`, `traffic`, `use` or `from:2026-10-05`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "none" => Self::None,
            "traffic" => Self::Traffic,
            "use" => Self::Use,
            other => {
                let names = ["none", "traffic", "use", "from:2026-10-05"];
                let date = other.strip_prefix("from:");
                Self::From(Date::parse(date.ok_or_else(|| unknown("valid-day rule", other, &names))?)?)
            }
        })
    }

    /// Its name in contracts, on the command line and on the bill.
    pub fn name(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Traffic => "traffic".to_owned(),
            Self::Use => "use".to_owned(),
            Self::From(date) => format!("from:{date}"),
        }
    }
}

impl Overhead {
    /// Reads the name of a preset, `packets`, `packets:1448`, or a factor such as `1.07`.
    pub fn parse(text: &str) -> Result<Self, String> {
        const NAMES: [&str; 8] =
            ["none", "talk", "headers-v4", "headers-v4-ts", "aliyun", "tencent", "packets", "a factor"];
        Ok(match text {
            "none" => Self::None,
            "talk" => Self::Talk,
            "headers-v4" => Self::HeadersV4,
            "headers-v4-ts" => Self::HeadersV4Ts,
            "aliyun" => Self::Aliyun,
            "tencent" => Self::Tencent,
            "packets" => Self::Packets { mss: SEGMENT },
            other => {
                if let Some(mss) = other.strip_prefix("packets:") {
                    let mss = count(mss, u32::from(u16::MAX));
                    return Ok(Self::Packets {
                        mss: mss.map_err(|reason| format!("`{}`: {reason}", other.escape_debug()))?,
                    });
                }
                if !other.starts_with(|letter: char| letter.is_ascii_digit()) {
                    return Err(unknown("overhead", other, &NAMES));
                }
                let factor = Decimal::parse(other)
                    .map_err(|reason| format!("`{}`: {reason}", other.escape_debug()))?;
                if !(Decimal::ONE..=FACTOR_MAX).contains(&factor) {
                    return Err(format!("an overhead of {other} times; expected 1 to {FACTOR_MAX}"));
                }
                Self::Factor(factor)
            }
        })
    }

    /// Its name in contracts, on the command line and on the bill.
    pub fn name(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Talk => "talk".to_owned(),
            Self::HeadersV4 => "headers-v4".to_owned(),
            Self::HeadersV4Ts => "headers-v4-ts".to_owned(),
            Self::Aliyun => "aliyun".to_owned(),
            Self::Tencent => "tencent".to_owned(),
            Self::Factor(factor) => factor.to_string(),
            Self::Packets { mss } => format!("packets:{mss}"),
        }
    }

    /// What sums of bytes are multiplied by, exactly; 1 for `packets`, which is applied to each response.
    pub const fn factor(self) -> Decimal {
        match self {
            Self::None | Self::Packets { .. } => Decimal::ONE,
            Self::Talk => Decimal::new(103, 2),
            Self::HeadersV4 => Decimal::new(10_274, 4),
            Self::HeadersV4Ts => Decimal::new(10_359, 4),
            Self::Aliyun | Self::Tencent => Decimal::new(110, 2),
            Self::Factor(factor) => factor,
        }
    }
}

impl Rate {
    /// Reads `2Gbps`, `500 Mbps`, `1.5gbps`, `64kbps`, `800000bps`; prefixes are powers of 1000. The error is the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        const UNITS: [(&str, u128); 5] = [
            ("kbps", 1000),
            ("mbps", 1_000_000),
            ("gbps", 1_000_000_000),
            ("tbps", 1_000_000_000_000),
            ("bps", 1),
        ];
        with_unit(text, &UNITS, "bandwidth", "2Gbps or 500Mbps").map(Self)
    }
}

impl Volume {
    /// Reads `2TB`, `500 GB`, `10MB`, in the given unit, or `2TiB`, which is always binary. The error is the reason.
    pub fn parse(text: &str, unit: VolumeUnit) -> Result<Self, String> {
        let k = unit.kilo();
        let units = [
            ("kib", 1 << 10),
            ("mib", 1 << 20),
            ("gib", 1 << 30),
            ("tib", 1 << 40),
            ("kb", k),
            ("mb", k.pow(2)),
            ("gb", k.pow(3)),
            ("tb", k.pow(4)),
            ("pb", k.pow(5)),
        ];
        with_unit(text, &units, "volume", "2TB or 500GB").map(Self)
    }
}

impl VolumeUnit {
    /// Bytes in what a price is per.
    pub const fn gigabyte(self) -> u128 {
        self.kilo().pow(3)
    }

    /// What a price is per, as an invoice has it: `GB`, or `GiB` for 1024³ bytes.
    pub const fn gigabyte_name(self) -> &'static str {
        match self {
            Self::Decimal => "GB",
            Self::Binary => "GiB",
        }
    }

    const fn kilo(self) -> u128 {
        match self {
            Self::Decimal => 1000,
            Self::Binary => 1024,
        }
    }
}

/// A decimal number and a unit in any case. It must come out whole.
fn with_unit(text: &str, units: &[(&str, u128)], what: &str, example: &str) -> Result<u128, String> {
    let expected = || format!("`{}` is no {what}; expected one such as {example}", text.escape_debug());
    let lower = text.to_ascii_lowercase();
    let found = units.iter().find_map(|(name, size)| Some((lower.strip_suffix(name)?, *size)));
    let (number, size) = found.ok_or_else(expected)?;
    let number = Decimal::parse(number.trim_end()).map_err(|_| expected())?;
    let exact = number.ratio().times(super::ratio::Ratio::whole(size))?;
    if exact.denominator() != 1 {
        return Err(format!("`{text}` is not a whole number of the smallest unit"));
    }
    Ok(exact.numerator())
}

/// `5m`: the largest unit that needs no fraction.
fn length(seconds: u32) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let found = units.iter().find(|(size, _)| seconds > 0 && seconds.is_multiple_of(*size));
    let (size, unit) = found.unwrap_or(&(1, "s"));
    format!("{}{unit}", seconds / size)
}

fn count(text: &str, most: u32) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && (1..=most).contains(number));
    number.ok_or_else(|| format!("expected a number from 1 to {most}"))
}

/// `unknown method `x`; expected a, b or c`, with the nearest name if one is near.
pub(super) fn unknown(what: &str, word: &str, names: &[&str]) -> String {
    let near = crate::query::dimension::nearest(word, names);
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    format!("unknown {what} `{}`{near}; expected {} or {last}", word.escape_debug(), others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: std::fmt::Debug>(
        result: Result<T, String>,
        name: impl Fn(T) -> String,
        expected: Result<&str, &str>,
    ) {
        assert_eq!(result.map(name).as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn names_are_read_back() {
        for text in
            ["p95", "nth-peak:1", "nth-peak:366", "day-peak-avg", "day-p95-avg", "top5-avg", "flat", "volume"]
        {
            check(Method::parse(text), Method::name, Ok(text));
        }
        check(Method::parse("nth-peak"), Method::name, Ok("nth-peak:4"));
        for text in ["none", "traffic", "use", "from:2026-10-05"] {
            check(ValidDays::parse(text), ValidDays::name, Ok(text));
        }
        for text in
            ["none", "talk", "headers-v4", "headers-v4-ts", "aliyun", "tencent", "1.07", "10", "packets:1448"]
        {
            check(Overhead::parse(text), Overhead::name, Ok(text));
        }
        check(Overhead::parse("packets"), Overhead::name, Ok("packets:1460"));
        assert!(Direction::ALL.iter().all(|choice| Direction::parse(choice.name()) == Ok(*choice)));
        assert!(Missing::ALL.iter().all(|choice| Missing::parse(choice.name()) == Ok(*choice)));
        assert!(Scope::ALL.iter().all(|choice| Scope::parse(choice.name()) == Ok(*choice)));
        assert!(RankRule::ALL.into_iter().all(|rule| parse_rank(rule.name()) == Ok(rule)));
    }

    #[test]
    fn words_that_are_wrong() {
        let methods = "expected p95, nth-peak:4, day-peak-avg, day-p95-avg, top5-avg, flat or volume";
        check(
            Method::parse("p96"),
            Method::name,
            Err(&format!("unknown method `p96` (did you mean `p95`?); {methods}")),
        );
        check(
            Method::parse("\x1b[31m"),
            Method::name,
            Err(&format!("unknown method `\\u{{1b}}[31m`; {methods}")),
        );
        check(
            Method::parse("nth-peak:0"),
            Method::name,
            Err("`nth-peak:0`: expected a number from 1 to 366"),
        );
        check(
            Method::parse("nth-peak:+4"),
            Method::name,
            Err("`nth-peak:+4`: expected a number from 1 to 366"),
        );
        check(
            Method::parse("nth-peak:99999999999"),
            Method::name,
            Err("`nth-peak:99999999999`: expected a number from 1 to 366"),
        );
        check(
            ValidDays::parse("from:soon"),
            ValidDays::name,
            Err("`soon` is no date; expected one such as 2026-10-05"),
        );
        check(Overhead::parse("0.9"), Overhead::name, Err("an overhead of 0.9 times; expected 1 to 10"));
        check(
            Overhead::parse("1.2.3"),
            Overhead::name,
            Err("`1.2.3`: expected a number such as 900 or 14.3"),
        );
        check(
            Overhead::parse("packets:0"),
            Overhead::name,
            Err("`packets:0`: expected a number from 1 to 65535"),
        );
        check(
            Direction::parse("uot"),
            |direction| direction.name().to_owned(),
            Err(
                "unknown direction `uot` (did you mean `out`?); expected out, in, max-of-p95, max-per-sample or sum",
            ),
        );
    }

    #[test]
    fn sample_lengths() {
        assert_eq!(parse_mean("30m", 300), Ok(1800));
        assert_eq!(parse_mean(" 2h ", 300), Ok(7200));
        assert_eq!(parse_mean("300", 300), Ok(300));
        assert_eq!(parse_mean("1d", 3600), Ok(86_400));
        let bad = |text, slot, shown: &str| {
            let expected = format!("samples of {shown}: must divide a day and be a multiple of the slot of ");
            let error = parse_mean(text, slot).unwrap_err();
            error.strip_prefix(&expected).unwrap_or_else(|| panic!("{error}")).to_owned()
        };
        assert_eq!(bad("7m", 300, "7m"), "5m");
        assert_eq!(bad("1m", 300, "1m"), "5m");
        assert_eq!(bad("1h", 86_400, "1h"), "1d");
        assert_eq!(bad("45m", 1800, "45m"), "30m");
        assert_eq!(bad("5m", 7200, "5m"), "2h");
        assert_eq!(bad("1m", 45, "1m"), "45s");
        assert_eq!(bad("soon\u{1b}", 1, "soon\\u{1b}"), "1s");
        // As `Frame` reads it: no slot has no length.
        assert_eq!(parse_mean("1s", 0), Ok(1));
    }

    #[test]
    fn quantities() {
        let rate = |text| Rate::parse(text).map(|rate| rate.0);
        assert_eq!(rate("2Gbps"), Ok(2_000_000_000));
        assert_eq!(rate("500 Mbps"), Ok(500_000_000));
        assert_eq!(rate("1.5gbps"), Ok(1_500_000_000));
        assert_eq!(rate("800000bps"), Ok(800_000));
        assert_eq!(rate("64KBPS"), Ok(64_000));
        assert_eq!(rate("1Tbps"), Ok(1_000_000_000_000));
        assert_eq!(rate("0.5bps"), Err("`0.5bps` is not a whole number of the smallest unit".to_owned()));
        for text in ["", "2", "Gbps", "2GB", "-1Mbps", "1e3Mbps", "é", "2 G bps"] {
            assert_eq!(
                rate(text),
                Err(format!("`{text}` is no bandwidth; expected one such as 2Gbps or 500Mbps"))
            );
        }
        let volume = |text, unit| Volume::parse(text, unit).map(|volume| volume.0);
        assert_eq!(volume("2TB", VolumeUnit::Decimal), Ok(2_000_000_000_000));
        assert_eq!(volume("2TB", VolumeUnit::Binary), Ok(2 << 40));
        assert_eq!(volume("2TiB", VolumeUnit::Decimal), Ok(2 << 40));
        assert_eq!(volume("0.5 KB", VolumeUnit::Binary), Ok(512));
        assert_eq!(
            volume("2", VolumeUnit::Decimal),
            Err("`2` is no volume; expected one such as 2TB or 500GB".to_owned())
        );
        assert_eq!(
            volume("999999999999999999999999999999PB", VolumeUnit::Decimal),
            Err(super::super::ratio::TOO_LARGE.to_owned())
        );
    }
}
