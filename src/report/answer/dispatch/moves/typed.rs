//! A what-if as it is typed: `region=CN-GD,carrier="A, Inc.":"bj:1"->gz`.

use crate::place::named::{self, Lines};
use crate::servers::fit::Whereabouts;

/// Stands for each byte between quotes where separators are looked for.
const QUOTED: &str = "\u{1}";

/// Who is moved, from where, to where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) clients: Whereabouts,
    pub(super) from: String,
    pub(super) to: String,
}

impl Typed {
    /// The error is the reason.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form = || "expected a form such as region=CN-GD:bj->gz".to_owned();
        let mask = mask(text)?;
        let arrow = mask.find("->").ok_or_else(form)?;
        let colon = mask[..arrow].rfind(':').ok_or_else(form)?;
        let (from, to) = (value(&text[colon + 1..arrow]), value(&text[arrow + 2..]));
        let mut said: [Option<String>; KEYS.len()] = [const { None }; KEYS.len()];
        let mut at = 0;
        for part in mask[..colon].split(',') {
            let (part, start) = (&text[at..at + part.len()], at);
            at += part.len() + 1;
            let equals = mask[start..start + part.len()].find('=');
            if mask[start..start + part.len()].contains([':', '>']) {
                return Err("a name with `:`, `,` or `->` in it stands between double quotes".to_owned());
            }
            let (key, words) =
                equals.map(|at| (part[..at].trim(), value(&part[at + 1..]))).ok_or_else(form)?;
            let Some(key) = KEYS.iter().position(|known| *known == key) else {
                return Err(format!("`{key}` is none of region, province, country and carrier"));
            };
            if words.is_empty() {
                return Err(form());
            }
            if said[key].replace(words).is_some() {
                return Err(format!("{} stands there twice; give --move once for each", KEYS[key]));
            }
        }
        let [region, province, country, carrier] = said.each_ref().map(Option::as_deref);
        let region = place(region, province, country)?;
        if let Some(words) = carrier {
            match named::lines(words) {
                Some(Lines::These(these)) if these.len() == 1 => {}
                None => {}
                _ => return Err(format!("`{words}` is more than one carrier; give --move once for each")),
            }
        }
        Ok(Self { clients: Whereabouts::new(region.as_deref(), carrier), from, to })
    }
}

const KEYS: [&str; 4] = ["region", "province", "country", "carrier"];

/// The region that conditions on places name together; each must hold.
fn place(
    region: Option<&str>,
    province: Option<&str>,
    country: Option<&str>,
) -> Result<Option<String>, String> {
    let unknown = |words: &str| format!("`{words}` is no region that is known");
    let mut places = Vec::new();
    if let Some(words) = country {
        places.push(named::country(words).ok_or_else(|| format!("`{words}` is no country that is known"))?);
    }
    for words in [region, province].into_iter().flatten() {
        // Within the country that is already said.
        let around = places.first().map(|place| place[..2].to_owned());
        let found = match &around {
            Some(around) => named::stated(Some(around), Some(words)),
            None => named::stated(Some(words), None),
        };
        match found.region {
            Some(place) if found.unknown.is_empty() => places.push(place),
            // A part that nobody knows must not stand for the whole country.
            Some(place) if around.is_none() => {
                return Err(format!("{}; the country is `{place}`", unknown(words)));
            }
            _ => return Err(unknown(words)),
        }
    }
    let mut places = places.into_iter();
    let Some(mut finest) = places.next() else { return Ok(None) };
    for place in places {
        let is_inside = |inner: &str, outer: &str| inner == outer || inner.split('-').next() == Some(outer);
        if is_inside(&place, &finest) {
            finest = place;
        } else if !is_inside(&finest, &place) {
            return Err(format!("nobody is both in {finest} and in {place}"));
        }
    }
    Ok(Some(finest))
}

/// The text with everything between quotes blotted out, byte by byte. A quote opens where a name begins; two of them
/// within are one.
fn mask(text: &str) -> Result<String, String> {
    let (mut mask, mut open, mut before) = (String::new(), false, ':');
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '"' && open && letters.peek() == Some(&'"') {
            letters.next();
            mask.push_str(&QUOTED.repeat(2));
        } else if letter == '"' && (open || "=:,>".contains(before)) {
            open = !open;
            mask.push_str(QUOTED);
            before = letter;
        } else if open {
            mask.push_str(&QUOTED.repeat(letter.len_utf8()));
        } else {
            mask.push(letter);
            before = if letter.is_whitespace() { before } else { letter };
        }
    }
    if open { Err("a quote is not closed".to_owned()) } else { Ok(mask) }
}

/// What stands there, without its quotes.
fn value(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, region: Option<&str>, carrier: Option<&str>, [from, to]: [&str; 2]) {
        let typed = Typed::parse(text).unwrap();
        assert_eq!(typed.clients, Whereabouts::new(region, carrier), "{text}");
        assert_eq!((typed.from.as_str(), typed.to.as_str()), (from, to), "{text}");
    }

    fn check_error(text: &str, expected: &str) {
        assert_eq!(Typed::parse(text).unwrap_err(), expected, "{text}");
    }

    #[test]
    fn clients_and_data_centres() {
        let ends = ["bj", "gz"];
        check("region=CN-GD:bj->gz", Some("CN-GD"), None, ends);
        check("region=GD : bj -> gz", Some("CN-GD"), None, ends);
        check("country=GD:bj->gz", Some("GD"), None, ends);
        check("country=CN,province=广东:bj->gz", Some("CN-GD"), None, ends);
        check("province=SD,country=中国,carrier=电信:bj->gz", Some("CN-SD"), Some("China Telecom"), ends);
        check("country=US,region=CA:bj->gz", Some("US-CA"), None, ends);
        check("region=US,province=California:bj->gz", Some("US-CA"), None, ends);
        check("country=CN,region=CN-GD,province=广东:bj->gz", Some("CN-GD"), None, ends);
        check(
            "carrier=\"A, \"\"B\"\":x->y\":\"bj:1\"->\"gz->2\"",
            None,
            Some("A, \"B\":x->y"),
            ["bj:1", "gz->2"],
        );
        check("carrier=12\" net:b\"j->gz", None, Some("12\" net"), ["b\"j", "gz"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let form = "expected a form such as region=CN-GD:bj->gz";
        for text in
            ["", "bj->gz", "region=CN-GD:bj", "CN-GD:bj->gz", "region=:bj->gz", ":bj->gz", "carrier=:bj->gz"]
        {
            check_error(text, form);
        }
        check_error(
            "region=CN-GD:dc:1->gz",
            "a name with `:`, `,` or `->` in it stands between double quotes",
        );
        check_error("region=\"CN-GD:bj->gz", "a quote is not closed");
        check_error("region=GD,region=BJ:bj->gz", "region stands there twice; give --move once for each");
        check_error("region=GD,province=BJ:bj->gz", "nobody is both in CN-GD and in CN-BJ");
        check_error("country=US,region=CN-GD:bj->gz", "nobody is both in US and in CN-GD");
        check_error("country=CN-GD:bj->gz", "`CN-GD` is no country that is known");
        check_error("country=CN,province=Nowhere:bj->gz", "`Nowhere` is no region that is known");
        check_error("carrier=双线:bj->gz", "`双线` is more than one carrier; give --move once for each");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(region|carrier|[=:,>\\-\" a机]|->){0,20}") {
            let _ = Typed::parse(&text);
        }
    }
}
