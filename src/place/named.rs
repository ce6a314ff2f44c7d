//! Places and carriers as people write them in lists, in the words of [`Place`](super::Place).

use super::fold::fold;
use super::known::alpha2;
use super::netkind::words;
use super::region;

/// What carriers are called where everybody knows which country is meant.
const SHORT: [(&str, &str); 13] = [
    ("电信", "China Telecom"),
    ("telecom", "China Telecom"),
    ("ct", "China Telecom"),
    ("联通", "China Unicom"),
    ("unicom", "China Unicom"),
    ("cu", "China Unicom"),
    ("移动", "China Mobile"),
    ("铁通", "China Mobile"),
    ("mobile", "China Mobile"),
    ("cm", "China Mobile"),
    ("cmcc", "China Mobile"),
    ("广电", "China Broadnet"),
    ("教育网", "CERNET"),
];

/// The region that a list's region and province name: `CN-GD`, or a country alone; none if they name neither. A name
/// without a country is looked for in China, which is whose lists leave it out.
///
/// ```
/// use bandwho::place::named::region;
/// assert_eq!(region(Some("中国"), Some("广东")).as_deref(), Some("CN-GD"));
/// assert_eq!(region(Some("us-ca"), None).as_deref(), Some("US-CA"));
/// assert_eq!(region(Some("south"), None), None);
/// ```
pub fn region(region: Option<&str>, province: Option<&str>) -> Option<String> {
    let first = region.and_then(whole);
    let country = first.as_deref().and_then(|code| alpha2(&code[..2]));
    let within = |name: &str| coded(country.unwrap_or(*b"CN"), name).or_else(|| whole(name));
    province.and_then(within).or(first)
}

/// One name for all names of a carrier, to compare by.
///
/// ```
/// use bandwho::place::named::carrier;
/// assert_eq!(carrier("电信"), carrier("CHINANET-GD"));
/// assert_ne!(carrier("Comcast"), carrier("Cogent"));
/// ```
pub fn carrier(name: &str) -> String {
    let folded = fold(name);
    let short = || SHORT.iter().find(|(short, _)| *short == folded).map(|(_, carrier)| *carrier);
    match words::carrier(name).or_else(short) {
        Some(known) => fold(known),
        None => folded,
    }
}

/// A code, a country, or a province of China.
fn whole(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some((country, part)) = text.split_once('-')
        && let Some(country) = alpha2(country)
    {
        return coded(country, part).or_else(|| Some(spelled(country)));
    }
    let country = alpha2(text).or_else(|| region::country(text));
    country.map(spelled).or_else(|| coded(*b"CN", text))
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
            assert_eq!(region(first, province).as_deref(), expected, "{first:?} {province:?}");
        };
        check(Some("CN-GD"), None, Some("CN-GD"));
        check(Some("广东省"), None, Some("CN-GD"));
        check(Some("Guangdong"), None, Some("CN-GD"));
        check(Some("华南"), Some("广东"), Some("CN-GD"));
        check(Some("华南"), None, None);
        check(None, Some("Beijing"), Some("CN-BJ"));
        check(Some("China"), None, Some("CN"));
        check(Some("US"), Some("California"), Some("US-CA"));
        check(Some("US"), Some("Nowhere"), Some("US"));
        check(Some("中国"), Some("香港"), Some("HK"));
        check(Some("CN-HK"), None, Some("HK"));
        check(Some("中"), Some(""), None);
        check(None, None, None);
        check(Some("é-x"), None, None);
    }

    #[test]
    fn carriers_by_any_name() {
        let check = |one: &str, other: &str| assert_eq!(carrier(one), carrier(other));
        check("China Telecom", "中国电信");
        check("联通", "CNCGROUP China169 Backbone");
        check("CMCC", "China Mobile");
        check("Comcast", "COMCAST");
    }
}
