//! Places and carriers as people write them in lists, in the words of [`Place`](super::Place).

use super::fold::fold;
use super::known::alpha2;
use super::netkind::{self, NetKind};
use super::region;

/// What carriers are called where everybody knows which country is meant: whole words in Latin script, parts of words in
/// Chinese.
const SHORT: [(&str, &str); 28] = [
    ("电信", TELECOM),
    ("telecom", TELECOM),
    ("ct", TELECOM),
    ("ctcc", TELECOM),
    // Its better backbone.
    ("cn2", TELECOM),
    ("cn2gia", TELECOM),
    ("cn2gt", TELECOM),
    ("联通", UNICOM),
    ("unicom", UNICOM),
    ("cu", UNICOM),
    ("cucc", UNICOM),
    // China Netcom became part of it in 2008.
    ("网通", UNICOM),
    ("cnc", UNICOM),
    ("移动", MOBILE),
    ("铁通", MOBILE),
    ("mobile", MOBILE),
    ("cm", MOBILE),
    ("cmcc", MOBILE),
    ("cmnet", MOBILE),
    ("广电", "China Broadnet"),
    ("cbn", "China Broadnet"),
    ("教育网", "CERNET"),
    ("cernet", "CERNET"),
    ("科技网", "CSTNET"),
    ("cstnet", "CSTNET"),
    ("chinanet", TELECOM),
    ("chinatelecom", TELECOM),
    ("chinaunicom", UNICOM),
];

const TELECOM: &str = "China Telecom";
const UNICOM: &str = "China Unicom";
const MOBILE: &str = "China Mobile";

/// How many lines there are, where which ones goes without saying.
const COUNTED: [(&str, &[&str]); 4] = [
    ("双线", &[TELECOM, UNICOM]),
    ("双网", &[TELECOM, UNICOM]),
    ("三线", &[TELECOM, UNICOM, MOBILE]),
    ("三网", &[TELECOM, UNICOM, MOBILE]),
];

/// Everybody's.
const ALL: [&str; 4] = ["bgp", "多线", "全网", "全线"];

/// What stands beside a carrier and changes nothing.
const FILLERS: [&str; 16] = [
    "中国",
    "集团",
    "公司",
    "分公司",
    "线路",
    "单线",
    "专线",
    "机房",
    "宽带",
    "骨干",
    "网络",
    "出口",
    "网",
    "china",
    "line",
    "gia",
];

/// What a list says of where something is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated<'t> {
    /// `CN-GD`, or a country alone.
    pub region: Option<String>,
    /// What was said and is not understood.
    pub unknown: Vec<&'t str>,
}

/// Whose lines something hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lines {
    /// Everybody's.
    All,
    /// Those of these carriers, each by the name to compare by.
    These(Vec<String>),
}

/// Where a list's region and province say that something is. A name without a country is looked for among China's
/// provinces, whose lists leave it out, then among countries: `SD` is Shandong. Beside a province it is sooner a country.
///
/// ```
/// use bandwho::place::named::stated;
/// let region = |region, province| stated(region, province).region;
/// assert_eq!(region(Some("中国"), Some("广东")).as_deref(), Some("CN-GD"));
/// assert_eq!(region(Some("us-ca"), None).as_deref(), Some("US-CA"));
/// assert_eq!(region(Some("SD"), None).as_deref(), Some("CN-SD"));
/// assert_eq!(stated(Some("south"), None).unknown, ["south"]);
/// ```
pub fn stated<'t>(region: Option<&'t str>, province: Option<&'t str>) -> Stated<'t> {
    let said = |text: Option<&'t str>| text.map(str::trim).filter(|text| !text.is_empty() && !is_dash(text));
    let (region, province) = (said(region), said(province));
    let first = region.and_then(|text| match province {
        Some(_) => country(text).map(Whole::Exact).or_else(|| whole(text)),
        None => whole(text),
    });
    let mut unknown: Vec<&str> =
        region.filter(|_| !matches!(first, Some(Whole::Exact(_)))).into_iter().collect();
    let first = first.map(Whole::code);
    if let Some(name) = province {
        let country = first.as_deref().and_then(|code| alpha2(&code[..2]));
        let exact = || match whole(name) {
            Some(Whole::Exact(code)) => Some(code),
            _ => None,
        };
        if let Some(region) = coded(country.unwrap_or(*b"CN"), name).or_else(exact) {
            // The province says all; a region such as `华南` adds nothing.
            return Stated { region: Some(region), unknown: Vec::new() };
        }
        unknown.push(name);
    }
    Stated { region: first, unknown }
}

/// The code of a country by its code or name.
pub fn country(text: &str) -> Option<String> {
    let text = text.trim();
    alpha2(text).or_else(|| region::country(text)).map(spelled)
}

/// One name for all names of a carrier, to compare by.
///
/// ```
/// use bandwho::place::named::carrier;
/// assert_eq!(carrier("电信"), carrier("CHINANET-GD"));
/// assert_eq!(carrier("广东电信"), carrier("AS4134"));
/// assert_ne!(carrier("Comcast"), carrier("Cogent"));
/// ```
pub fn carrier(name: &str) -> String {
    match lines(name) {
        Some(Lines::These(mut carriers)) if carriers.len() == 1 => carriers.remove(0),
        _ => fold(name),
    }
}

/// The lines that a list's word means: a carrier by any name, several (`电信联通`), `双线` for China Telecom and China
/// Unicom, `三线` for China Mobile too, `BGP` for all. None if the word is not understood: it may still be a carrier's
/// name.
pub fn lines(text: &str) -> Option<Lines> {
    let folded = fold(text);
    let these = |carriers: &[&str]| Lines::These(carriers.iter().map(|carrier| fold(carrier)).collect());
    if let Some(carrier) = numbered(&folded) {
        return Some(these(&[carrier]));
    }
    let mut spoken = Spoken::default();
    let understood = folded.split(' ').all(|word| spoken.read(word));
    if let (true, Some(counted)) = (spoken.carriers.is_empty(), spoken.counted) {
        // `双线BGP` has two lines, too.
        return Some(these(counted));
    }
    if spoken.all || ALL[..2].iter().any(|word| folded.contains(word)) {
        return Some(Lines::All);
    }
    if understood && !spoken.carriers.is_empty() {
        return Some(these(&spoken.carriers));
    }
    netkind::words::carrier(text).map(|carrier| these(&[carrier]))
}

/// True if the name is that of an access network that is known.
pub fn is_carrier(name: &str) -> bool {
    let kind = netkind::words::kind(name);
    lines(name).is_some() || matches!(kind, Some(NetKind::Carrier | NetKind::Edu))
}

/// True for what stands where nothing is known.
pub fn is_dash(text: &str) -> bool {
    matches!(text, "-" | "--" | "—" | "–")
}

/// The carrier of `AS4134`.
fn numbered(folded: &str) -> Option<&'static str> {
    let digits = folded.strip_prefix("asn").or_else(|| folded.strip_prefix("as"))?.trim_start();
    let digits = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    netkind::carrier(Some(digits.parse().ok()?), None, None)
}

/// What the words of a cell say.
#[derive(Default)]
struct Spoken {
    carriers: Vec<&'static str>,
    counted: Option<&'static [&'static str]>,
    all: bool,
}

impl Spoken {
    /// Reads a word as a row of known ones; false if something else stands there.
    fn read(&mut self, mut word: &str) -> bool {
        while !word.is_empty() {
            let Some(length) = self.step(word) else { return false };
            word = &word[length..];
        }
        true
    }

    /// The length of the known word that this one begins with; the longer before the shorter.
    fn step(&mut self, word: &str) -> Option<usize> {
        let begins = |known: &str| if known.is_ascii() { word == known } else { word.starts_with(known) };
        if let Some((known, carrier)) = SHORT.iter().find(|(known, _)| begins(known)) {
            if !self.carriers.contains(carrier) {
                self.carriers.push(carrier);
            }
            return Some(known.len());
        }
        if let Some((known, carriers)) = COUNTED.iter().find(|(known, _)| begins(known)) {
            self.counted = Some(carriers);
            return Some(known.len());
        }
        if let Some(known) = ALL.iter().find(|known| begins(known)) {
            self.all = true;
            return Some(known.len());
        }
        let filler = FILLERS.iter().map(|known| known.len()).zip(FILLERS).filter(|(_, known)| begins(known));
        filler.map(|(length, _)| length).max().or_else(|| province(word))
    }
}

/// The length of the Chinese province that a text begins with, its own carriers apart: 香港电信 is another company.
fn province(text: &str) -> Option<usize> {
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let ends: Vec<usize> = ends.take(PROVINCE_LETTERS_MAX).collect();
    ends.into_iter().rev().find(|&end| {
        let code = region::code(*b"CN", &text[..end]);
        !text.is_ascii() && code.is_some_and(|code| !matches!(code, "HK" | "MO" | "TW"))
    })
}

/// Letters of 新疆维吾尔自治区.
const PROVINCE_LETTERS_MAX: usize = 8;

/// What a text names.
enum Whole {
    /// A region.
    Exact(String),
    /// A part that nobody knows of this country.
    CountryOf(String),
}

impl Whole {
    fn code(self) -> String {
        match self {
            Self::Exact(code) | Self::CountryOf(code) => code,
        }
    }
}

/// A code, a province of China, or a country.
fn whole(text: &str) -> Option<Whole> {
    let text = text.trim();
    if let Some((country, part)) = text.split_once('-')
        && let Some(country) = alpha2(country.trim()).or_else(|| region::country(country))
    {
        let part = coded(country, part).map(Whole::Exact);
        return part.or_else(|| Some(Whole::CountryOf(spelled(country))));
    }
    coded(*b"CN", text).or_else(|| country(text)).map(Whole::Exact)
}

/// A province of a country. Hong Kong, Macau and Taiwan have country codes of their own.
fn coded(country: [u8; 2], name: &str) -> Option<String> {
    let code = region::code(country, name)?;
    match (&country, code) {
        (b"CN", "HK" | "MO" | "TW") => Some(code.to_owned()),
        _ => Some(format!("{}-{code}", spelled(country))),
    }
}

fn spelled(country: [u8; 2]) -> String {
    country.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_in_the_words_of_lists() {
        let check = |first: Option<&str>, province: Option<&str>, expected: Option<&str>| {
            let found = stated(first, province);
            assert_eq!(found.region.as_deref(), expected, "{first:?} {province:?}");
            assert_eq!(found.unknown, [""; 0], "{first:?} {province:?}");
        };
        check(Some("CN-GD"), None, Some("CN-GD"));
        check(Some("广东省"), None, Some("CN-GD"));
        check(Some("Guangdong"), None, Some("CN-GD"));
        check(Some("华南"), Some("广东"), Some("CN-GD"));
        check(None, Some("Beijing"), Some("CN-BJ"));
        check(Some("China"), None, Some("CN"));
        check(Some("中国-广东"), None, Some("CN-GD"));
        check(Some("US"), Some("California"), Some("US-CA"));
        check(Some("中国"), Some("香港"), Some("HK"));
        check(Some("CN-HK"), None, Some("HK"));
        check(Some("HK"), None, Some("HK"));
        check(None, None, None);
        check(Some(" - "), Some(""), None);
    }

    /// Each is a province of China and a country: Grenada, Benin, Saint Helena, Sudan, ...
    #[test]
    fn two_letters_are_a_province_before_a_country() {
        for code in ["GD", "BJ", "SH", "SD", "SC", "SN", "SX", "TJ", "HN", "GS", "FJ"] {
            let expected = Some(format!("CN-{code}"));
            assert_eq!(stated(Some(code), None).region, expected);
            assert_eq!(stated(None, Some(code)).region, expected);
            assert_eq!(stated(Some("CN"), Some(&code.to_lowercase())).region, expected);
            assert_eq!(country(code).as_deref(), Some(code));
        }
        // What is no province's code is a country.
        for code in ["CN", "US", "SG", "JP", "CA", "IN"] {
            assert_eq!(stated(Some(code), None).region.as_deref(), Some(code));
        }
        let region = |region, province| stated(Some(region), Some(province)).region;
        assert_eq!(region("SN", "Nowhere").as_deref(), Some("SN"));
        assert_eq!(region("GD", "广东").as_deref(), Some("CN-GD"));
        assert_eq!(stated(Some("Fiji"), None).region.as_deref(), Some("FJ"));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let check =
            |first: Option<&str>, province: Option<&str>, expected: Option<&str>, unknown: &[&str]| {
                let found = stated(first, province);
                assert_eq!((found.region.as_deref(), &*found.unknown), (expected, unknown));
            };
        check(Some("华南"), None, None, &["华南"]);
        check(Some("US"), Some("Nowhere"), Some("US"), &["Nowhere"]);
        check(Some("CN-XX"), None, Some("CN"), &["CN-XX"]);
        check(Some("中"), Some(""), None, &["中"]);
        check(Some("é-x"), Some("x"), None, &["é-x", "x"]);
    }

    #[test]
    fn carriers_by_any_name() {
        let check = |names: &str, expected: &str| {
            for name in names.split(", ") {
                assert_eq!(carrier(name), fold(expected), "{name}");
                assert!(is_carrier(name), "{name}");
            }
        };
        check(
            "China Telecom, 中国电信, 电信, CN2, 电信CN2, CN2 GIA, CTCC, 广东电信, 北京市电信, AS4134, asn4809",
            TELECOM,
        );
        check("China Telecommunications Corporation, CHINANET-GD, 电信单线, 上海电信机房, As 4134", TELECOM);
        check("联通, CNCGROUP China169 Backbone, CUCC, 河北联通, AS4837, 网通", UNICOM);
        check("CMCC, China Mobile, 移动, 铁通, AS9808", MOBILE);
        check("Comcast, COMCAST, AS7922", "Comcast");
        // Other companies of the same name.
        for name in
            ["香港电信", "中华电信", "韩国电信", "T-Mobile", "Telecom Italia", "Nobody", "AS64500", "AS"]
        {
            assert!(![TELECOM, UNICOM, MOBILE].map(fold).contains(&carrier(name)), "{name}");
        }
        assert!(!is_carrier("Nobody") && !is_carrier("AS64500") && !is_carrier("?"));
    }

    #[test]
    fn several_lines_in_a_word() {
        let check = |words: &str, expected: &[&str]| {
            let expected = Lines::These(expected.iter().map(|carrier| fold(carrier)).collect());
            for word in words.split(", ") {
                assert_eq!(lines(word), Some(expected.clone()), "{word}");
            }
        };
        check("双线, 双线机房, 双线BGP, BGP双线", &[TELECOM, UNICOM]);
        check("三线, 三网, 三线BGP", &[TELECOM, UNICOM, MOBILE]);
        check("电信联通, 电信联通双线, 广东电信联通, 电信 联通", &[TELECOM, UNICOM]);
        check("电信移动双线", &[TELECOM, MOBILE]);
        for word in ["BGP", "bgp", "BGP多线", "多线", "全网", "Anycast BGP", "深圳BGP"] {
            assert_eq!(lines(word), Some(Lines::All), "{word}");
        }
        assert_eq!(lines("Nobody"), None);
        assert_eq!(lines(""), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_only_a_name(text in "(.|[电信联通移动双三线广东省 ]){0,40}") {
            carrier(&text);
            is_carrier(&text);
            stated(Some(&text), Some(&text));
        }
    }
}
