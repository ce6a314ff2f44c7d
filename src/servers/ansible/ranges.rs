//! `web[01:20:2].example.com` → the names it stands for.

use std::borrow::Cow;

use super::super::NAME_BYTES_MAX;
use super::super::list::without_port;

/// Names that the patterns of one inventory may stand for.
const NAMES_MAX: usize = 1_000_000;

/// Bytes that the patterns of one inventory may become, with the variables that each name takes along.
const BYTES_MAX: usize = 256 << 20;

/// What a variable takes beside its text.
const VARIABLE_BYTES: usize = 64;

/// Expands patterns until they have become too many names.
#[derive(Debug)]
pub(super) struct Expansion {
    left: usize,
    bytes_left: usize,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { left: NAMES_MAX, bytes_left: BYTES_MAX }
    }
}

impl Expansion {
    /// The names of a pattern, which may end with a port.
    pub(super) fn expand<'p>(&mut self, pattern: &'p str) -> Result<Vec<Cow<'p, str>>, String> {
        let pattern = without_range_port(pattern);
        let names = if range(pattern).is_none() {
            vec![Cow::Borrowed(pattern)]
        } else {
            self.product(pattern)?.into_iter().map(Cow::Owned).collect()
        };
        self.left = self
            .left
            .checked_sub(names.len())
            .ok_or_else(|| format!("{pattern}: more than {NAMES_MAX} hosts in all"))?;
        Ok(names)
    }

    /// Every item of a range with every item of the next.
    fn product(&mut self, pattern: &str) -> Result<Vec<String>, String> {
        let mut names = vec![String::new()];
        let mut rest = pattern;
        let mut length = 0;
        // Bracketed addresses are no ranges.
        while let Some((head, inside, tail)) = range(rest) {
            let items = items(inside).map_err(|message| format!("{pattern}: {message}"))?;
            let many = names.len().checked_mul(items.len()).filter(|&many| many <= self.left);
            let Some(many) = many else {
                return Err(format!("{pattern}: ranges that stand for more than {NAMES_MAX} hosts in all"));
            };
            let item = items.iter().map(String::len).max().unwrap_or(0);
            length += head.len() + item;
            self.spend(many, length)?;
            names = names
                .iter()
                .flat_map(|name| items.iter().map(move |item| [name, head, item].concat()))
                .collect();
            rest = tail;
        }
        self.spend(names.len(), length + rest.len())?;
        for name in &mut names {
            name.push_str(rest);
        }
        Ok(names)
    }

    /// Counts the variables that each of `names` takes along, before they are copied.
    pub(super) fn copy(&mut self, names: usize, lengths: impl Iterator<Item = usize>) -> Result<(), String> {
        let bytes = lengths.map(|length| length + VARIABLE_BYTES).sum();
        // What is written once is as long as the file allows.
        self.take(names.saturating_sub(1), bytes)
    }

    /// Counts names before they are made; `length` is that of the longest.
    fn spend(&mut self, names: usize, length: usize) -> Result<(), String> {
        if length > NAME_BYTES_MAX {
            return Err(format!("a hostname of {length} bytes: at most {NAME_BYTES_MAX}"));
        }
        self.take(names, length)
    }

    fn take(&mut self, count: usize, bytes: usize) -> Result<(), String> {
        let left = count.checked_mul(bytes).and_then(|bytes| self.bytes_left.checked_sub(bytes));
        self.bytes_left =
            left.ok_or_else(|| format!("ranges that stand for more than {} MiB in all", BYTES_MAX >> 20))?;
        Ok(())
    }
}

/// Without the port, where the only colon outside of brackets is the port's.
fn without_range_port(pattern: &str) -> &str {
    if memchr::memchr2(b'[', b':', pattern.as_bytes()).is_none() {
        return pattern;
    }
    let mut depth = 0_usize;
    let mut colons = 0;
    for byte in pattern.bytes() {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => colons += 1,
            _ => {}
        }
    }
    if range(pattern).is_none() {
        return without_port(pattern);
    }
    let port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    pattern.rsplit_once(':').filter(|(_, last)| colons == 1 && port(last)).map_or(pattern, |(host, _)| host)
}

/// What stands before, in and after the first brackets with a colon.
fn range(text: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = text.split_once('[')?;
    let (inside, tail) = rest.split_once(']')?;
    (inside.contains(':') && inside.parse::<std::net::Ipv6Addr>().is_err()).then_some((head, inside, tail))
}

/// The items of `first:last` or `first:last:step`, of equally long numbers if they begin with zero, or of letters.
fn items(inside: &str) -> Result<Vec<String>, String> {
    let mut parts = inside.split(':');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let step = parts.next().map_or(Ok(1), str::parse).ok().filter(|step: &usize| *step > 0);
    let (Some(step), None) = (step, parts.next()) else {
        return Err(format!("[{inside}] is not a range: [first:last] or [first:last:step] is"));
    };
    let first = if first.is_empty() { "0" } else { first };
    let letter = |text: &str| {
        let mut letters = text.chars();
        letters.next().filter(|letter| letter.is_ascii_alphabetic() && letters.next().is_none())
    };
    if let (Some(first), Some(last)) = (letter(first), letter(last)) {
        // Small letters come before capitals, as in Ansible.
        let alphabet: Vec<char> = ('a'..='z').chain('A'..='Z').collect();
        let at = |letter: char| alphabet.iter().position(|other| *other == letter).unwrap_or(0);
        let range = alphabet.get(at(first)..=at(last)).unwrap_or_default();
        if !range.is_empty() {
            return Ok(range.iter().step_by(step).map(char::to_string).collect());
        }
    }
    let number = |text: &str| text.parse::<usize>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let (Some(low), Some(high)) = (number(first), number(last)) else {
        return Err(format!("[{inside}] is a range neither of numbers nor of letters"));
    };
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    if width > 0 && width != last.len() {
        return Err(format!("[{inside}]: with leading zeros both ends must be equally long"));
    }
    if low > high {
        return Err(format!("[{inside}] ends before it begins"));
    }
    let many = (high - low) / step;
    if many >= NAMES_MAX || many.saturating_mul(width) > BYTES_MAX / 2 || width > NAME_BYTES_MAX {
        return Err(format!("[{inside}] stands for more than {NAMES_MAX} hosts"));
    }
    Ok((low..=high).step_by(step).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: &str) {
        let found = match Expansion::default().expand(pattern) {
            Ok(names) => names.join(" "),
            Err(message) => message,
        };
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn patterns_stand_for_names() {
        check("web1", "web1");
        check("web1:22", "web1");
        check("10.0.0.1:22", "10.0.0.1");
        check("[2001:db8::1]:22", "2001:db8::1");
        check("2001:db8::1", "2001:db8::1");
        check("web[1:3]", "web1 web2 web3");
        check("web[01:03].x:2222", "web01.x web02.x web03.x");
        check("web[08:12:2]", "web08 web10 web12");
        check("[a:c]1", "a1 b1 c1");
        check("db-[y:B]", "db-y db-z db-A db-B");
        check("r[1:2]n[a:b]", "r1na r1nb r2na r2nb");
        check("web[:2]", "web0 web1 web2");
        check("10.0.0.[9:11]", "10.0.0.9 10.0.0.10 10.0.0.11");
        check("web[1]", "web[1]");
    }

    #[test]
    fn what_is_wrong_with_a_range_is_said() {
        check("web[3:1]", "web[3:1]: [3:1] ends before it begins");
        check("web[01:100]", "web[01:100]: [01:100]: with leading zeros both ends must be equally long");
        check("web[1:x]", "web[1:x]: [1:x] is a range neither of numbers nor of letters");
        check("web[1:]", "web[1:]: [1:] is a range neither of numbers nor of letters");
        check("w[1:2:0]", "w[1:2:0]: [1:2:0] is not a range: [first:last] or [first:last:step] is");
        check("w[1:99999999999]", "w[1:99999999999]: [1:99999999999] stands for more than 1000000 hosts");
        check("w[1:9999][1:9999]", "w[1:9999][1:9999]: ranges that stand for more than 1000000 hosts in all");
        check(&format!("{}[0:999999]", "a".repeat(100_000)), "a hostname of 100006 bytes: at most 255");
        check(
            &format!("a[0:999999]{}", "[1:1]".repeat(200)),
            "ranges that stand for more than 256 MiB in all",
        );
        let mut expansion = Expansion::default();
        assert!(expansion.copy(1, [1 << 30].into_iter()).is_ok());
        let message = expansion.copy(1_000_000, [1_000_000].into_iter()).unwrap_err();
        assert_eq!(message, "ranges that stand for more than 256 MiB in all");
        let mut expansion = Expansion::default();
        assert!(expansion.expand("w[1:600000]").is_ok());
        let message = expansion.expand("x[1:600000]").unwrap_err();
        assert_eq!(message, "x[1:600000]: ranges that stand for more than 1000000 hosts in all");
    }
}
