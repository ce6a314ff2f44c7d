//! The answer in one sentence.

use crate::report::{Words, human};

/// Characters of a name at most: the sentence is one.
const NAME_MAX: usize = 60;

/// What the sentence is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Subject {
    pub(super) requests: u128,
    /// None where none are logged.
    pub(super) bytes: Option<u128>,
    /// From the first to the last logged time.
    pub(super) seconds: Option<u64>,
    /// In bit/s; none where it would be the peak.
    pub(super) p95: Option<u128>,
    /// In bit/s, and when.
    pub(super) peak: Option<(u128, String)>,
    /// Who has most.
    pub(super) eater: Option<Eater>,
}

/// Who has most, and the share of the bytes, or of the requests where no bytes are logged.
#[derive(Debug, Clone)]
pub(super) enum Eater {
    /// A network: its number, and whose it is.
    Network { asn: Option<u32>, org: Vec<u8>, share: f64 },
    /// A single client.
    Client { name: Vec<u8>, share: f64 },
}

/// `48.2 TB in 30 d; 95th 1.83 Gbps, peak 3.90 Gbps at 2026-11-20 14:05; top network AS136907 Huawei Cloud, 31.0 %`.
pub(super) fn headline(subject: &Subject) -> Vec<Words> {
    let number = |number: u128| i128::try_from(number).unwrap_or(i128::MAX);
    let requests = || match subject.requests {
        1 => "1 request".to_owned(),
        requests => format!("{} requests", human::count(number(requests))),
    };
    let volume = subject.bytes.map(|bytes| human::bytes(number(bytes)));
    let mut text = match (volume, subject.seconds) {
        _ if subject.requests == 0 => "no requests".to_owned(),
        (Some(volume), Some(seconds)) => format!("{volume} in {}", length(seconds)),
        (Some(volume), None) => format!("{volume} in {}", requests()),
        (None, Some(seconds)) => format!("{} in {}", requests(), length(seconds)),
        (None, None) => requests(),
    };
    let p95 = subject.p95.map(|rate| format!("95th {}", human::bps(number(rate))));
    let peak = subject.peak.as_ref().map(|(rate, at)| format!("peak {} at {at}", human::bps(number(*rate))));
    let rates: Vec<String> = p95.into_iter().chain(peak).collect();
    if !rates.is_empty() {
        text.push_str("; ");
        text.push_str(&rates.join(", "));
    }
    match &subject.eater {
        Some(Eater::Network { asn, org, share }) => {
            let asn = asn.map(|asn| format!(" AS{asn}")).unwrap_or_default();
            text.push_str(&format!("; top network{asn}"));
            named(text, org, *share)
        }
        Some(Eater::Client { name, share }) => named(format!("{text}; top client"), name, *share),
        None => vec![Words::Own(text)],
    }
}

/// The rest of the sentence: a name, if there is one, and a share.
fn named(mut text: String, name: &[u8], share: f64) -> Vec<Words> {
    let share = human::share(share);
    if name.is_empty() {
        return vec![Words::Own(format!("{text} {share}"))];
    }
    text.push(' ');
    vec![Words::Own(text), Words::Log(shortened(name)), Words::Own(format!(" {share}"))]
}

/// The first [`NAME_MAX`] characters; of text that is none, bytes.
fn shortened(name: &[u8]) -> Vec<u8> {
    let cut = match str::from_utf8(name) {
        Ok(text) => text.char_indices().nth(NAME_MAX).map(|(end, _)| end),
        Err(_) => Some(NAME_MAX).filter(|end| *end < name.len()),
    };
    cut.map_or_else(|| name.to_vec(), |end| [&name[..end], "…".as_bytes()].concat())
}

/// A length of time in its largest unit of which there are two: `90 s`, `12 min`, `47 h`, `30 d`.
fn length(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];
    match UNITS.into_iter().find(|(unit, _)| seconds >= unit * 2) {
        Some((unit, name)) => {
            format!("{} {name}", human::count((seconds.saturating_add(unit / 2) / unit).into()))
        }
        None => format!("{} s", seconds.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::escape;

    fn shown(subject: &Subject) -> String {
        let piece = |words: &Words| match words {
            Words::Own(own) => own.clone(),
            Words::Log(bytes) => format!("<{}>", escape::terminal(bytes)),
        };
        headline(subject).iter().map(piece).collect()
    }

    #[test]
    fn words_depend_on_what_the_log_has() {
        fn check(subject: &Subject, expected: &str) {
            assert_eq!(shown(subject), expected);
        }
        let network =
            |asn, org: &str| Some(Eater::Network { asn, org: org.as_bytes().to_vec(), share: 0.31 });
        let mut subject = Subject {
            requests: 3_784_917,
            bytes: Some(48_200_000_000_000),
            seconds: Some(30 * 86_400 - 1),
            p95: Some(1_830_000_000),
            peak: Some((3_900_000_000, "2026-11-20 14:05".to_owned())),
            eater: network(Some(136_907), "Huawei Cloud"),
        };
        let rates = "95th 1.83 Gbps, peak 3.90 Gbps at 2026-11-20 14:05";
        check(&subject, &format!("48.2 TB in 30 d; {rates}; top network AS136907 <Huawei Cloud> 31.0 %"));
        subject.eater = network(Some(136_907), "");
        check(&subject, &format!("48.2 TB in 30 d; {rates}; top network AS136907 31.0 %"));
        subject.eater = network(None, "Huawei Cloud");
        check(&subject, &format!("48.2 TB in 30 d; {rates}; top network <Huawei Cloud> 31.0 %"));
        subject.eater = Some(Eater::Client { name: b"192.0.2.7".to_vec(), share: 0.0001 });
        check(&subject, &format!("48.2 TB in 30 d; {rates}; top client <192.0.2.7> <0.1 %"));
        subject.eater = None;
        check(&subject, &format!("48.2 TB in 30 d; {rates}"));
        subject.p95 = None;
        check(&subject, "48.2 TB in 30 d; peak 3.90 Gbps at 2026-11-20 14:05");
        subject.peak = None;
        check(&subject, "48.2 TB in 30 d");
        subject.seconds = None;
        check(&subject, "48.2 TB in 3,784,917 requests");
        subject.bytes = None;
        check(&subject, "3,784,917 requests");
        subject.seconds = Some(0);
        check(&subject, "3,784,917 requests in 1 s");
        subject.requests = 1;
        check(&subject, "1 request in 1 s");
        check(&Subject::default(), "no requests");
        check(&Subject { bytes: Some(0), seconds: Some(9), ..Subject::default() }, "no requests");
        let largest =
            Subject { requests: 2, bytes: Some(u128::MAX), seconds: Some(u64::MAX), ..Subject::default() };
        check(&largest, "170,141,183 QB in 213,503,982,334,601 d");
    }

    #[test]
    fn hostile_names_are_short_and_apart_from_our_words() {
        fn check(name: &[u8], expected: &str) {
            let eater = Eater::Client { name: name.to_vec(), share: 1.0 };
            let subject = Subject { requests: 2, eater: Some(eater), ..Subject::default() };
            assert_eq!(shown(&subject), format!("2 requests; top client <{expected}> 100.0 %"));
        }
        check(b"\x1b[2J", "\\x1b[2J");
        check(b"a\nb\0\xff", "a\\x0ab\\x00\\xff");
        check("é".repeat(61).as_bytes(), &format!("{}…", "é".repeat(60)));
        check(&[0xff; 61], &format!("{}…", "\\xff".repeat(60)));
        check(&[0xff; 60], &"\\xff".repeat(60));
    }

    #[test]
    fn lengths_are_in_one_unit() {
        fn check(seconds: u64, expected: &str) {
            assert_eq!(length(seconds), expected);
        }
        check(0, "1 s");
        check(119, "119 s");
        check(120, "2 min");
        check(7_199, "120 min");
        check(7_200, "2 h");
        check(172_799, "48 h");
        check(172_800, "2 d");
        check(30 * 86_400 - 1, "30 d");
        check(u64::MAX, "213,503,982,334,601 d");
    }
}
