//! Which column holds what: names as exports and people write them.

use super::{Choice, Unit};

/// Columns of a file that are looked at.
pub(super) const COLUMNS_MAX: usize = 1000;

/// Columns that a message lists.
const LISTED_MAX: usize = 20;

/// What a column's name says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A time whose end of the interval is not told.
    Time,
    Date,
    Start,
    End,
    /// How many seconds the sample is long.
    Period,
    /// Never a value: `bill_id`, `port`.
    Other,
    Value,
}

/// The role of a column by its name.
pub(super) fn role(name: &str) -> Role {
    let name = name.trim().to_lowercase();
    // `Time (UTC)`, `timestamp[s]`
    let bare = name.split(['(', '[']).next().unwrap_or("").trim().replace([' ', '-'], "_");
    match bare.as_str() {
        "date" | "day" | "日期" => Role::Date,
        "time" | "timestamp" | "datetime" | "date_time" | "date/time" | "epoch" | "ts" | "unix"
        | "unixtime" | "unix_time" | "clock" | "sample_time" | "poll_time" | "时间" | "時間" | "时间点"
        | "采集时间" => Role::Time,
        "start" | "start_time" | "starttime" | "begin" | "begin_time" | "from" | "time_start"
        | "slot_start" | "开始时间" => Role::Start,
        "end" | "end_time" | "endtime" | "to" | "until" | "time_end" | "slot_end" | "结束时间" => {
            Role::End
        }
        "period" => Role::Period,
        "row" | "id" | "bill_id" | "port_id" | "port" | "host" | "device" | "interface" | "name" => {
            Role::Other
        }
        _ => Role::Value,
    }
}

/// The column that was asked for, else the only one, else the only one whose name says that it goes out, which is
/// what access logs count. `candidates` are numbers of columns.
pub(super) fn choose(names: &[String], candidates: &[usize], choice: &Choice) -> Result<usize, String> {
    let listed = || {
        let mut listed: Vec<&str> =
            candidates.iter().take(LISTED_MAX).map(|&at| names[at].as_str()).collect();
        if candidates.len() > LISTED_MAX {
            listed.push("…");
        }
        listed.join(", ")
    };
    if let Some(asked) = &choice.column {
        let same = |&at: &usize| names[at].trim() == asked.trim();
        let alike = |&at: &usize| names[at].trim().to_lowercase() == asked.trim().to_lowercase();
        let number = || asked.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < names.len());
        let all = || 0..names.len();
        let found = all().find(same).or_else(|| all().find(alike)).or_else(number);
        return found.ok_or_else(|| format!("no column `{asked}`; there are {}", listed()));
    }
    let one = |found: &mut dyn Iterator<Item = usize>| found.next().filter(|_| found.next().is_none());
    one(&mut candidates.iter().copied())
        .or_else(|| one(&mut candidates.iter().copied().filter(|&at| goes_out(&names[at]))))
        .ok_or_else(|| match candidates {
            [] => "no column of values".to_owned(),
            _ => format!("which column is it? Choose one of {} with --port-column", listed()),
        })
}

/// True for `out_bps`, `ifHCOutOctets`, `Outbound`, `tx`, `traffic_out`, `出带宽`.
fn goes_out(name: &str) -> bool {
    let name = name.to_lowercase();
    let words = || name.split(|letter: char| !letter.is_alphanumeric());
    words()
        .any(|word| matches!(word, "out" | "tx" | "egress" | "outbound" | "outgoing" | "transmit" | "sent"))
        || ["outoctets", "outbits", "outbytes", "bitsout", "bytesout", "octetsout"]
            .iter()
            .any(|part| name.contains(part))
        || name.contains('出')
}

/// The unit in a name: `out_bps`, `Out (Mbps)`, `bytes_out`, `Traffic out [bits per second]`.
pub(super) fn unit(name: &str) -> Option<Unit> {
    let name = name.trim();
    if let Some((_, inside)) = name.split_once(['(', '['])
        && let Some(unit) = Unit::parse(inside.trim_end_matches([')', ']']))
    {
        return Some(unit);
    }
    let is_edge = |letter: char| letter.is_whitespace() || "_-.:,".contains(letter);
    let edges = name.char_indices().filter(|&(_, letter)| is_edge(letter));
    let tails = std::iter::once(name).chain(edges.map(|(at, letter)| &name[at + letter.len_utf8()..]));
    let words = name.split(|letter: char| is_edge(letter) || "()[]".contains(letter));
    // A single letter is a name more often than a unit.
    tails.chain(words).filter(|text| text.len() > 1).find_map(Unit::parse)
}

/// True if the name is one of a counter's: `ifHCInOctets`, `out_octets`, `counter`.
pub(super) fn is_counter(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("octets") || name.contains("counter")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_choice(names: &[&str], asked: Option<&str>, expected: Result<usize, &str>) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let candidates: Vec<usize> = (0..names.len()).filter(|&at| role(&names[at]) == Role::Value).collect();
        let choice = Choice { column: asked.map(str::to_owned), unit: None };
        assert_eq!(choose(&names, &candidates, &choice), expected.map_err(str::to_owned), "{names:?}");
    }

    #[test]
    fn columns_are_chosen_by_name() {
        check_choice(&["time", "bps"], None, Ok(1));
        check_choice(&["time", "in_bps", "out_bps"], None, Ok(2));
        check_choice(&["timestamp", "ifHCInOctets", "ifHCOutOctets"], None, Ok(2));
        check_choice(&["bill_id", "timestamp", "period", "delta", "in_delta", "out_delta"], None, Ok(5));
        check_choice(&["Date", "Inbound", "Outbound"], None, Ok(2));
        check_choice(&["时间", "入带宽(Mbps)", "出带宽(Mbps)"], None, Ok(2));
        check_choice(
            &["time", "a", "b"],
            None,
            Err("which column is it? Choose one of a, b with --port-column"),
        );
        check_choice(
            &["time", "out avg", "out max"],
            None,
            Err("which column is it? Choose one of out avg, out max with --port-column"),
        );
        check_choice(&["time", "a", "b"], Some("b"), Ok(2));
        check_choice(&["time", "A", "b"], Some("a"), Ok(1));
        check_choice(&["time", "a", "b"], Some("2"), Ok(1));
        check_choice(&["time", "a", "b"], Some("c"), Err("no column `c`; there are a, b"));
        check_choice(&["time"], None, Err("no column of values"));
    }

    fn check_unit(name: &str, expected: Option<&str>) {
        assert_eq!(unit(name).map(Unit::name).as_deref(), expected, "{name}");
    }

    #[test]
    fn units_are_in_names() {
        check_unit("out_bps", Some("bit/s"));
        check_unit("Out (Mbps)", Some("Mbit/s"));
        check_unit("out[kB/s]", Some("kB/s"));
        check_unit("Mbps out", Some("Mbit/s"));
        check_unit("out-gbps", Some("Gbit/s"));
        check_unit("bytes_out", Some("bytes"));
        check_unit("Traffic out bits per second", Some("bit/s"));
        check_unit("in and out bits", Some("bit/s"));
        check_unit("Outbound", None);
        check_unit("出带宽(Mbps)", Some("Mbit/s"));
        check_unit("column B", None);
    }
}
