//! ISO 3166: what databases call countries and provinces ⇄ codes.
//!
//! ```text
//! country + name ─ fold ─▶ exact name, old name, code ─▶ row
//!                      └─ without "省", "province", "oblast" … ─▶ row, if only one is left with that name
//! ```
//!
//! A name that two provinces share once such words are gone (Moscow and Moscow Oblast) is found only when written
//! in full. The names lie beside this file, one line a row.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::fold::fold;

/// A subdivision's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    /// In English.
    pub english: &'static str,
    /// In its own country's language, if that is not the English one.
    pub local: Option<&'static str>,
}

/// The ISO 3166-2 code, without the country, of a province or state by any of its names or its code.
pub(super) fn code(country: [u8; 2], name: &str) -> Option<&'static str> {
    let folded = fold(name);
    if folded.is_empty() {
        return None;
    }
    let subdivisions = &*SUBDIVISIONS;
    let row = match subdivisions.exact.get(key(country, &folded).as_str()) {
        Some(row) => *row,
        None => (*subdivisions.core.get(key(country, &core(country, &folded)).as_str())?)?,
    };
    Some(subdivisions.rows[row].code)
}

/// The names of the subdivision with this code.
pub(super) fn name(country: [u8; 2], code: &str) -> Option<Name> {
    let subdivisions = &*SUBDIVISIONS;
    subdivisions.by_code.get(&(country, code)).map(|row| subdivisions.rows[*row].name)
}

/// The ISO 3166-1 code of a country by its Chinese or English name.
pub(super) fn country(name: &str) -> Option<[u8; 2]> {
    COUNTRIES.get(joined(&fold(name)).as_str()).copied()
}

/// True if the letters are the code of a country.
pub(super) fn is_country(code: [u8; 2]) -> bool {
    let [first, second] = code.map(|letter| letter.wrapping_sub(b'A'));
    COUNTRY_CODES.get(usize::from(first)).is_some_and(|seconds| second < 26 && seconds >> second & 1 == 1)
}

/// Chinese databases put 香港, 澳门 and 台湾 under 中国, by name or by code; all others give them a country code of their
/// own. With that code the territory says nothing more as a province: country, code and province as they are then.
pub(super) fn settle<'a>(
    country: Option<[u8; 2]>,
    code: Option<&'a str>,
    province: Option<&'a str>,
) -> (Option<[u8; 2]>, Option<&'a str>, Option<&'a str>) {
    let Some(outer) = country.filter(|country| matches!(country, b"CN" | b"HK" | b"MO" | b"TW")) else {
        return (country, code, province);
    };
    let [by_code, by_province] = [code, province].map(|name| name.and_then(territory));
    match by_code.or(by_province).filter(|inner| outer == *b"CN" || outer == *inner) {
        Some(inner) => {
            // What lies in the territory stays; what it is called, or what lies elsewhere in China, goes.
            let inside = |name: &&str| self::code(*b"CN", bare(name)).is_none();
            (Some(inner), code.filter(inside), province.filter(inside))
        }
        None => (country, code, province),
    }
}

/// The country code of what China's databases have as a province.
fn territory(name: &str) -> Option<[u8; 2]> {
    match code(*b"CN", bare(name))? {
        "HK" => Some(*b"HK"),
        "MO" => Some(*b"MO"),
        "TW" => Some(*b"TW"),
        _ => None,
    }
}

/// `HK` of `CN-HK`, which other countries than China may have been given.
fn bare(name: &str) -> &str {
    name.strip_prefix("CN-").unwrap_or(name)
}

/// By the first letter: a bit for each second letter.
const COUNTRY_CODES: [u32; 26] = country_codes(include_bytes!("region/countries.txt"));

/// The codes that lines begin with.
const fn country_codes(text: &[u8]) -> [u32; 26] {
    let mut codes = [0; 26];
    let (mut at, mut is_start) = (0, true);
    while at + 1 < text.len() {
        if is_start && text[at].is_ascii_uppercase() && text[at + 1].is_ascii_uppercase() {
            codes[(text[at] - b'A') as usize] |= 1 << (text[at + 1] - b'A');
        }
        is_start = text[at] == b'\n';
        at += 1;
    }
    codes
}

static SUBDIVISIONS: LazyLock<Subdivisions> =
    LazyLock::new(|| Subdivisions::parse(include_str!("region/subdivisions.txt")));

static COUNTRIES: LazyLock<HashMap<String, [u8; 2], RandomState>> =
    LazyLock::new(|| countries(include_str!("region/countries.txt")));

struct Row {
    country: [u8; 2],
    code: &'static str,
    name: Name,
}

#[derive(Default)]
struct Subdivisions {
    rows: Vec<Row>,
    by_code: HashMap<([u8; 2], &'static str), usize, RandomState>,
    /// Every name and code, folded, behind its country.
    exact: HashMap<String, usize, RandomState>,
    /// The same without the words for "province"; `None` if two rows are left with one name.
    core: HashMap<String, Option<usize>, RandomState>,
}

impl Subdivisions {
    /// Lines that are neither `= COUNTRY` nor a row are left out: a test sees that there are none.
    fn parse(text: &'static str) -> Self {
        let mut parsed = Self::default();
        let mut country = *b"??";
        for line in data_lines(text) {
            if let Some(code) = line.strip_prefix("= ") {
                country = code.as_bytes().try_into().unwrap_or(country);
            } else {
                parsed.add(country, line);
            }
        }
        // Codes come last: where a code looks like another row's name, the name is meant.
        for (index, row) in parsed.rows.iter().enumerate() {
            parsed.exact.entry(key(row.country, &fold(row.code))).or_insert(index);
        }
        parsed
    }

    fn add(&mut self, country: [u8; 2], line: &'static str) {
        let mut cells = line.split('|');
        let (Some(code), Some(english)) = (cells.next(), cells.next()) else { return };
        let local = cells.clone().next().filter(|local| !local.is_empty());
        let index = self.rows.len();
        self.rows.push(Row { country, code, name: Name { english, local } });
        self.by_code.insert((country, code), index);
        for name in std::iter::once(english).chain(cells).filter(|name| !name.is_empty()) {
            let folded = fold(name);
            self.exact.entry(key(country, &folded)).or_insert(index);
            let rest = core(country, &folded);
            if rest.is_empty() {
                continue;
            }
            match self.core.entry(key(country, &rest)) {
                Entry::Occupied(mut taken) if *taken.get() != Some(index) => {
                    taken.insert(None);
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => {
                    free.insert(Some(index));
                }
            }
        }
    }
}

fn countries(text: &'static str) -> HashMap<String, [u8; 2], RandomState> {
    let mut found = HashMap::default();
    for line in data_lines(text) {
        let mut cells = line.split('|');
        let code = cells.next().and_then(|code| code.as_bytes().try_into().ok());
        let Some(code) = code else { continue };
        for name in cells {
            found.entry(joined(&fold(name))).or_insert(code);
        }
    }
    found
}

fn data_lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The country, then the folded name.
fn key(country: [u8; 2], folded: &str) -> String {
    let mut key = String::with_capacity(2 + folded.len());
    key.extend(country.map(char::from));
    key.extend(folded.split(' '));
    key
}

/// Some write `Phang Nga`, some `Phangnga`: spaces are not compared.
fn joined(folded: &str) -> String {
    folded.replace(' ', "")
}

/// The name without the words for "province"; empty if nothing else is left.
fn core(country: [u8; 2], folded: &str) -> String {
    let words = folded.split(' ').filter(|word| GENERIC.binary_search(word).is_err());
    let mut core: String = words.collect();
    let suffixes = if country == *b"CN" { SUFFIXES_CHINA.as_slice() } else { &SUFFIXES };
    // What is left of one letter is too little to go by.
    let rest = suffixes.iter().find_map(|suffix| core.strip_suffix(suffix));
    if let Some(length) = rest.filter(|rest| rest.chars().nth(1).is_some()).map(str::len) {
        core.truncate(length);
    }
    core
}

/// What the first-level divisions of the world are called, and the small words around it; sorted.
const GENERIC: [&str; 60] = [
    "administrative",
    "and",
    "autonoma",
    "autonomnyy",
    "autonomous",
    "capital",
    "changwat",
    "city",
    "comunidad",
    "county",
    "da",
    "de",
    "del",
    "departamento",
    "department",
    "di",
    "district",
    "do",
    "emirate",
    "federal",
    "fu",
    "governorate",
    "gwangyeoksi",
    "ken",
    "krai",
    "kraj",
    "kray",
    "metropolitan",
    "municipality",
    "obl",
    "oblast",
    "of",
    "okrug",
    "prefecture",
    "province",
    "provincia",
    "provinsi",
    "region",
    "regione",
    "republic",
    "respublika",
    "sheng",
    "shi",
    "special",
    "state",
    "territory",
    "teukbyeolsi",
    "the",
    "tinh",
    "to",
    "union",
    "voivodeship",
    "wilayah",
    "wojewodztwo",
    "zizhiqu",
    "автономный",
    "край",
    "область",
    "округ",
    "республика",
];

/// The same in Chinese, the longer before its own end.
const SUFFIXES: [&str; 20] = [
    "特别自治道",
    "特别自治市",
    "自治区",
    "共和国",
    "边疆区",
    "广域市",
    "大区",
    "特区",
    "地区",
    "州",
    "邦",
    "省",
    "府",
    "都",
    "道",
    "県",
    "县",
    "縣",
    "市",
    "郡",
];

/// In China a 州 or 县 is no province: 海南州 lies in Qinghai.
const SUFFIXES_CHINA: [&str; 3] = ["自治区", "省", "市"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn check(country: &str, name: &str, expected: Option<&str>) {
        let country = country.as_bytes().try_into().unwrap();
        assert_eq!(code(country, name), expected, "{name}");
    }

    /// Each cell holds names of one subdivision.
    fn check_all(country: &str, table: &[(&str, &str)]) {
        for (code, names) in table {
            names.split(',').for_each(|name| check(country, name.trim(), Some(code)));
        }
    }

    #[test]
    fn chinese_provinces_have_many_names() {
        check_all(
            "CN",
            &[
                ("GD", "GD, gd, 44, Guangdong, GUANGDONG SHENG, Guangdong Province, 广东, 广东省, 廣東省"),
                ("BJ", "Beijing, 北京, 北京市, 11, Beijing Shi, Beijing Municipality"),
                (
                    "NM",
                    "Inner Mongolia, Nei Mongol, Nei Mongol Zizhiqu, 内蒙古, 内蒙古自治区, Inner Mongolia Autonomous Region",
                ),
                ("GX", "广西, 广西壮族自治区, Guangxi, Guangxi Zhuangzu Zizhiqu"),
                ("XJ", "新疆, 新疆维吾尔自治区, Xinjiang, Xinjiang Uygur Zizhiqu"),
                ("XZ", "西藏, 西藏自治区, Tibet, Xizang, 54"),
                ("NX", "宁夏, 宁夏回族自治区, Ningxia Hui Autonomous Region"),
                ("SN", "Shaanxi, 陕西, 陕西省, 61"),
                ("SX", "Shanxi, 山西, 14, Shānxī"),
                ("HK", "香港, 香港特别行政区, Hong Kong, 91"),
                ("MO", "澳门, Macao, Macau"),
                ("TW", "台湾, 台湾省, Taiwan"),
            ],
        );
        for none in ["", "0", "省", "海南州", "湖北武汉大学", "北京海淀", "00", "\u{0}", "Chinatown"]
        {
            check("CN", none, None);
        }
        check("US", "广东", None);
    }

    #[test]
    fn provinces_elsewhere_too() {
        check_all(
            "US",
            &[("CA", "California, State of California, 加利福尼亚州, 加州"), ("NY", "New York, 纽约州")],
        );
        check_all(
            "US",
            &[
                ("DC", "District of Columbia, Washington D.C., 华盛顿特区"),
                ("WA", "Washington, Washington State"),
            ],
        );
        check_all("BR", &[("SP", "São Paulo, SAO PAULO, Sa\u{303}o-Paulo"), ("DF", "Federal District")]);
        check_all(
            "JP",
            &[
                ("13", "Tokyo, Tōkyō, 東京都, 东京都, 東京, Tokyo-to"),
                ("26", "Kyoto, 京都府, 京都"),
                ("01", "北海道"),
            ],
        );
        check_all(
            "RU",
            &[("MOW", "Moscow, Москва, 莫斯科"), ("MOS", "Moscow Oblast, Moskovskaya Oblast', 莫斯科州")],
        );
        check_all(
            "RU",
            &[("SVE", "Sverdlovsk, Sverdlovskaya, Sverdlovskaya Oblast'"), ("AL", "Altai Republic")],
        );
        check_all("TW", &[("HSZ", "Hsinchu, 新竹市"), ("HSQ", "Hsinchu County, 新竹縣, 新竹县")]);
        check_all(
            "MX",
            &[("CMX", "Ciudad de México, Mexico City, DIF"), ("MEX", "México, Estado de Mexico")],
        );
        check_all(
            "DE",
            &[("BW", "Baden-Württemberg, Baden-Wurttemberg, Baden-Wuerttemberg, 巴登－符腾堡州")],
        );
        check_all(
            "IT",
            &[
                ("25", "Lombardy, Lombardia, Regione Lombardia"),
                ("23", "Valle d'Aosta, Valle d\u{2019}Aosta"),
            ],
        );
        check_all("IN", &[("OD", "Odisha, Orissa, OR"), ("JK", "Jammu and Kashmir, Jammu & Kashmir")]);
        // The core of these names belongs to two subdivisions.
        check("RU", "Moscow Region", None);
        check("RU", "Altai", None);
        check("TW", "新竹", None);
        check("UA", "Kyiv Region", None);
        check("ZZ", "Anything", None);
    }

    #[test]
    fn codes_lead_back_to_names() {
        assert_eq!(name(*b"CN", "GD"), Some(Name { english: "Guangdong", local: Some("广东") }));
        assert_eq!(name(*b"US", "CA"), Some(Name { english: "California", local: None }));
        assert_eq!(name(*b"US", "XX"), None);
        assert_eq!(name(*b"CN", "44"), None);
        for row in &SUBDIVISIONS.rows {
            let Name { english, local } = name(row.country, row.code).unwrap();
            assert_eq!(code(row.country, english), Some(row.code));
            assert_eq!(code(row.country, row.code), Some(row.code), "{english}");
            assert_eq!(local.and_then(|local| code(row.country, local)), local.map(|_| row.code));
        }
    }

    #[test]
    fn countries_by_name() {
        let check = |name: &str, expected: Option<&str>| {
            let found = country(name).map(|code| String::from_utf8(code.to_vec()).unwrap());
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        for (code, names) in [
            ("CN", "中国, China, 中国大陆, People's Republic of China"),
            ("US", "美国, United States, USA, United States of America"),
            ("GB", "英国, United Kingdom, UK"),
            ("RU", "俄罗斯, Russia, Russian Federation"),
            ("KR", "韩国, South Korea, Korea (Republic of)"),
            ("CZ", "捷克, Czechia, Czech Republic"),
            ("CD", "刚果金, 刚果（金）, 刚果民主共和国"),
            ("CG", "刚果布, 刚果（布）"),
            ("DO", "多米尼加, 多米尼加共和国"),
            ("DM", "多米尼克, Dominica"),
            ("CI", "科特迪瓦, Cote d'Ivoire, CÔTE D’IVOIRE, Ivory Coast"),
            ("AX", "Aland Islands, Åland Islands"),
            ("SH", "阿森松岛, Saint Helena"),
            ("HK", "香港, 中国香港"),
        ] {
            for part in names.split(',') {
                check(part.trim(), Some(code));
            }
        }
        for none in ["", "0", "欧洲", "亚太地区", "局域网", "安的列斯", "CN", "Anycast"] {
            check(none, None);
        }
    }

    #[test]
    fn territories_come_out_from_under_china() {
        // Country, code, province; empty for what is not known.
        let check = |given: [&str; 3], expected: [&str; 3]| {
            let known = |text| Some(text).filter(|text: &&str| !text.is_empty());
            let bytes = |code| known(code).map(|code| code.as_bytes().try_into().unwrap());
            let [country, code, province] = given;
            let settled = settle(bytes(country), known(code), known(province));
            let [country, code, province] = expected;
            assert_eq!(settled, (bytes(country), known(code), known(province)), "{given:?}");
        };
        for name in ["香港", "香港特别行政区", "Hong Kong", "HK", "91", "CN-HK"] {
            check(["CN", "", name], ["HK", "", ""]);
            check(["CN", name, ""], ["HK", "", ""]);
            check(["CN", name, "香港"], ["HK", "", ""]);
            check(["HK", name, name], ["HK", "", ""]);
        }
        check(["CN", "", "澳门"], ["MO", "", ""]);
        check(["CN", "MO", "澳门"], ["MO", "", ""]);
        check(["CN", "", "台湾省"], ["TW", "", ""]);
        check(["CN", "71", ""], ["TW", "", ""]);
        check(["TW", "", "台湾"], ["TW", "", ""]);
        check(["TW", "", "Taipei"], ["TW", "", "Taipei"]);
        check(["CN", "TW", "Taipei"], ["TW", "", "Taipei"]);
        check(["CN", "TPE", "台湾"], ["TW", "TPE", ""]);
        check(["CN", "GD", "香港"], ["HK", "", ""]);
        check(["CN", "GD", "广东"], ["CN", "GD", "广东"]);
        check(["US", "HK", "Hong Kong"], ["US", "HK", "Hong Kong"]);
        check(["TW", "HK", ""], ["TW", "HK", ""]);
        check(["", "HK", "香港"], ["", "HK", "香港"]);
        check(["CN", "", ""], ["CN", "", ""]);
    }

    #[test]
    fn codes_of_countries_are_those_of_the_table() {
        let text = include_str!("region/countries.txt");
        let listed: BTreeSet<&[u8]> = data_lines(text).map(|line| &line.as_bytes()[..2]).collect();
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                assert_eq!(is_country([first, second]), listed.contains(&[first, second][..]));
            }
        }
    }

    #[test]
    fn the_tables_contradict_themselves_nowhere() {
        let subdivisions = &*SUBDIVISIONS;
        let lines = data_lines(include_str!("region/subdivisions.txt"));
        let (heads, rows): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("= "));
        assert_eq!(rows.len(), subdivisions.rows.len());
        assert_eq!(rows.len(), subdivisions.by_code.len(), "a code twice");
        assert_eq!(heads.len(), heads.iter().collect::<BTreeSet<_>>().len());
        for row in &subdivisions.rows {
            let length = (1..=3).contains(&row.code.len());
            assert!(
                length && row.code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            );
        }
        let mut country = *b"??";
        let mut index = 0;
        for line in data_lines(include_str!("region/subdivisions.txt")) {
            if let Some(head) = line.strip_prefix("= ") {
                country = head.as_bytes().try_into().unwrap();
                continue;
            }
            for name in line.split('|').filter(|name| !name.is_empty()) {
                let folded = fold(name);
                assert_eq!(subdivisions.exact.get(&key(country, &folded)), Some(&index), "{line}: {name}");
            }
            index += 1;
        }
        for line in data_lines(include_str!("region/countries.txt")) {
            let code: [u8; 2] = line.as_bytes()[..2].try_into().unwrap();
            for name in line.split('|').skip(1) {
                assert_eq!(COUNTRIES.get(&joined(&fold(name))), Some(&code), "{line}: {name}");
            }
        }
        assert_eq!(data_lines(include_str!("region/countries.txt")).count(), 250);
        assert!(GENERIC.is_sorted());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_only_a_name(text in ".{0,300}") {
            for country in [*b"CN", *b"US", [0, 255]] {
                let found = code(country, &text);
                proptest::prop_assert!(found.is_none_or(|code| name(country, code).is_some()));
            }
            country(&text);
            settle(Some(*b"CN"), Some(&text), Some(&text));
        }
    }
}
