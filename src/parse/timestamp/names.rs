//! Names of months and zones.

use nom::IResult;
use nom::error::{Error, ErrorKind};

/// What `strftime` writes for `%b` and `%B` in English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish,
/// Danish, Norwegian, Finnish, Polish, Czech, Russian, Ukrainian, Turkish, Greek, Hungarian and Romanian. Languages
/// whose names collide with another's (Croatian `listopad` is Polish November) are left out: a wrong month is worse
/// than a reject.
const MONTHS: [&str; 12] = [
    "jan january januar jän jänner janv janvier ene enero gen gennaio janeiro januari tammi tammikuu tammikuuta sty \
     styczeń stycznia led leden ledna янв январь января січ січень січня oca ocak ιαν ιανουαρίου ιανουάριος január ian \
     ianuarie",
    "feb february februar févr fév février febrero febbraio fev fevereiro februari helmi helmikuu helmikuuta lut luty \
     lutego úno únor února фев февр февраль февраля лют лютий лютого şub şubat φεβ φεβρουαρίου φεβρουάριος febr február \
     februarie",
    "mar march mär mrz märz mars marzo março mrt maart marts maalis maaliskuu maaliskuuta marzec marca bře březen \
     března мар март марта бер березень березня mart μαρ μάρ μαρτίου μάρτιος márc március martie",
    "apr april avr avril abr abril aprile huhti huhtikuu huhtikuuta kwi kwiecień kwietnia dub duben dubna апр апрель \
     апреля кві квітень квітня nis nisan απρ απριλίου απρίλιος ápr április aprilie",
    "may mai mayo mag maggio maio mei maj touko toukokuu toukokuuta maja kvě květen května май мая тра травень травня \
     mayıs μαΐ μάι μαϊ μαΐου μάιος máj május",
    "jun june juni juin junio giu giugno junho kesä kesäkuu kesäkuuta cze czerwiec czerwca čer čen červen června июн \
     июнь июня чер червень червня haz haziran ιουν ιούν ιουνίου ιούνιος jún június iun iunie",
    "jul july juli juil juillet julio lug luglio julho heinä heinäkuu heinäkuuta lip lipiec lipca čvc čec červenec \
     července июл июль июля лип липень липня tem temmuz ιουλ ιούλ ιουλίου ιούλιος júl július iul iulie",
    "aug august aoû août ago agosto augustus augusti elo elokuu elokuuta sie sierpień sierpnia srp srpen srpna авг \
     август августа сер серпень серпня ağu ağustos αυγ αύγ αυγούστου αύγουστος augusztus",
    "sep sept september septembre septiembre set settembre setembro syys syyskuu syyskuuta wrz wrzesień września zář \
     září сен сент сентябрь сентября вер вересень вересня eyl eylül σεπ σεπτεμβρίου σεπτέμβριος szept szeptember \
     septembrie",
    "oct october okt oktober octobre octubre ott ottobre out outubro loka lokakuu lokakuuta paź październik \
     października říj říjen října окт октябрь октября жов жовтень жовтня eki ekim οκτ οκτωβρίου οκτώβριος október \
     octombrie",
    "nov november novembre noviembre novembro marras marraskuu marraskuuta lis listopad listopada listopadu ноя нояб \
     ноябрь ноября листопад листопада kas kasım νοε νοεμβρίου νοέμβριος noiembrie",
    "dec december dez dezember déc décembre dic diciembre dicembre dezembro des desember joulu joulukuu joulukuuta gru \
     grudzień grudnia pro prosinec prosince дек декабрь декабря гру грудень грудня ara aralık δεκ δεκεμβρίου \
     δεκέμβριος decembrie",
];

/// Abbreviations that mean one offset wherever they are used, in minutes. `CST`, `IST`, `BST`, `AST`, `PST` and others
/// have several meanings and are not here.
const ZONES: [(&str, i32); 34] = [
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("UT", 0),
    ("WET", 0),
    ("WEST", 60),
    ("CET", 60),
    ("MEZ", 60),
    ("CEST", 120),
    ("MESZ", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("CAT", 120),
    ("SAST", 120),
    ("EAT", 180),
    ("PKT", 300),
    ("WIB", 420),
    ("WITA", 480),
    ("HKT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("EST", -300),
    ("EDT", -240),
    ("MST", -420),
    ("MDT", -360),
    ("PDT", -420),
];

/// A month's name at the start of `input`, in any case, in UTF-8 or Latin-1; also `11月` and `11월`.
pub(super) fn month(input: &[u8]) -> IResult<&[u8], u32> {
    let found = match input.first() {
        Some(byte) if byte.is_ascii_digit() || *byte == b' ' => counted(input),
        _ => {
            let (rest, name) = word(input)?;
            named(name).map(|number| (rest, number))
        }
    };
    found.ok_or(nom::Err::Error(Error::new(input, ErrorKind::MapOpt)))
}

/// A run of letters of any language.
pub(super) fn word(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let length = input.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
    if length == 0 {
        return Err(nom::Err::Error(Error::new(input, ErrorKind::Alpha)));
    }
    let (word, rest) = input.split_at(length);
    Ok((rest, word))
}

/// The offset of a zone's name in seconds, if it has only one.
pub(super) fn zone(name: &[u8]) -> Option<i32> {
    ZONES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, minutes)| minutes * 60)
}

/// Chinese, Japanese and Korean locales count the months; one digit may be padded with a blank.
fn counted(input: &[u8]) -> Option<(&[u8], u32)> {
    let input = input.strip_prefix(b" ").unwrap_or(input);
    let length = input.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = input.split_at(length);
    let rest = rest.strip_prefix("月".as_bytes()).or_else(|| rest.strip_prefix("월".as_bytes()))?;
    let number = digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    (length > 0).then_some((rest, number))
}

fn named(name: &[u8]) -> Option<u32> {
    let is = |known: &str| match std::str::from_utf8(name) {
        Ok(name) => name.chars().flat_map(char::to_lowercase).eq(known.chars()),
        // One byte a letter: Latin-1.
        Err(_) => name.iter().map(|&byte| char::from(byte)).flat_map(char::to_lowercase).eq(known.chars()),
    };
    (1..).zip(MONTHS).find(|(_, names)| names.split(' ').any(is)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_in_many_languages() {
        let check = |text: &[u8], expected: Option<(u32, &[u8])>| {
            let found = month(text).ok().map(|(rest, number)| (number, rest));
            assert_eq!(found, expected, "{}", text.escape_ascii());
        };
        check(b"Nov/2026", Some((11, b"/2026")));
        check(b"NOVEMBER", Some((11, b"")));
        check("Mär/".as_bytes(), Some((3, b"/")));
        check(b"M\xe4rz ", Some((3, b" ")));
        check("MÄRZ".as_bytes(), Some((3, b"")));
        check("févr.".as_bytes(), Some((2, b".")));
        check("окт/".as_bytes(), Some((10, b"/")));
        check("Νοε".as_bytes(), Some((11, b"")));
        check("Şub".as_bytes(), Some((2, b"")));
        check("11月/".as_bytes(), Some((11, b"/")));
        check(" 1月".as_bytes(), Some((1, b"")));
        check("2월".as_bytes(), Some((2, b"")));
        for text in [&b"Nove"[..], b"Sma", b"N", b"", b"11", b"/", b"\xff\xfe"] {
            check(text, None);
        }
    }

    #[test]
    fn no_name_means_two_months_or_two_zones() {
        let names: Vec<&str> = MONTHS.iter().flat_map(|names| names.split(' ')).collect();
        let mut distinct = names.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), names.len());
        assert!(names.iter().all(|name| !name.is_empty() && name.to_lowercase() == *name));
        assert!(ZONES.iter().all(|(name, minutes)| zone(name.as_bytes()) == Some(minutes * 60)));
        assert_eq!((zone(b"CST"), zone(b"utc")), (None, None));
    }
}
