//! Columns → what they are, by the looks of all their values and by what they have to do with each other.

use std::cmp::Reverse;

use super::super::integers::number;
use super::super::looks::{Look, fits};
use super::columns::{Table, Wrap};
use super::numbers;
use super::sheet::{Role, Sheet};
use crate::parse::value;

/// How much must be known of a log before it is believed to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Of lines that all have the same columns.
    Enough,
    /// Of lines picked out because they hold a request.
    Plenty,
}

/// Numbers of 16 bits may be ports, which firewalls log beside addresses.
const PORT_MAX: u64 = 65_535;

/// True if the columns are those of an access log.
pub(super) fn suffice(roles: &[Option<Role>], table: &Table<'_>, evidence: Evidence) -> bool {
    let has = |role| roles.contains(&Some(role));
    let has_time = TIMES.into_iter().any(has);
    let has_request = has(Role::Request) || has(Role::Method) && has(Role::Target);
    let bytes = roles.iter().position(|role| matches!(role, Some(Role::Body | Role::Wire)));
    if evidence == Evidence::Plenty {
        return has(Role::Client) && has(Role::Request) && has(Role::Status);
    }
    if !has(Role::Client) {
        return bytes.is_some() && has(Role::Status) && has_request;
    }
    let beyond_ports =
        |at: usize| numbers::of(&table.columns[at]).iter().flatten().any(|&number| number > PORT_MAX);
    has_request
        || has(Role::Status) && (has_time || bytes.is_some())
        || has_time && bytes.is_some_and(beyond_ports)
}

/// All that tell when.
const TIMES: [Role; 6] =
    [Role::Clf, Role::Iso, Role::EpochSeconds, Role::StartMicros, Role::EndMicros, Role::AnyTime];

/// What each column is, where that can be told.
pub(super) fn assign(table: &Table<'_>) -> Vec<Option<Role>> {
    let mut sheet = Sheet::of(table);
    addresses(&mut sheet);
    times(&mut sheet);
    requests(&mut sheet);
    texts(&mut sheet);
    let status = sheet.best(&[Look::Status], Sheet::nulls);
    sheet.give(status.filter(|&at| sheet.nulls(at) * 2 <= sheet.rows()), Role::Status);
    seconds(&mut sheet);
    numbers::assign(&mut sheet);
    sheet.roles
}

/// The client is the address there are most of. Another that is never missing and varies less is the server's, if
/// there is only one.
fn addresses(sheet: &mut Sheet<'_, '_>) {
    let many = |sheet: &Sheet<'_, '_>, at: usize| (sheet.nulls(at), Reverse(sheet.distinct(at)));
    let client = sheet
        .best(&[Look::Address], many)
        .or_else(|| sheet.best(&[Look::Endpoint], many))
        .or_else(|| sheet.best(&[Look::Address, Look::Addresses], many))
        .filter(|&at| fits(sheet.rows() - sheet.nulls(at), sheet.rows()));
    sheet.give(client, Role::Client);
    let Some(client) = client else { return };
    let lists = sheet.all(&[Look::Address, Look::Addresses]);
    let is_passed_on = |&at: &usize| sheet.is_evident(sheet.nulls(at) + sheet.count(at, Look::Addresses));
    let lists: Vec<usize> = lists.into_iter().filter(is_passed_on).collect();
    let forwarded = if let [only] = lists[..] {
        Some(only)
    } else {
        let longest = lists.into_iter().rev().max_by_key(|&at| sheet.count(at, Look::Addresses));
        longest.filter(|&at| sheet.is_evident(sheet.count(at, Look::Addresses)))
    };
    sheet.give(forwarded, Role::Forwarded);
    let constant = sheet.all(&[Look::Address]);
    if let [only] = constant[..]
        && !sheet.is_evident(sheet.nulls(only))
        && sheet.distinct(only) <= sheet.distinct(client)
    {
        sheet.give(Some(only), Role::ServerAddr);
    }
    let after = |sheet: &Sheet<'_, '_>, at: usize| {
        sheet.columns.get(at).is_some_and(|column| column.wrap == Wrap::Bare) && sheet.roles[at].is_none()
    };
    if after(sheet, client + 1)
        && after(sheet, client + 2)
        && !sheet.is_evident(sheet.columns[client + 1].values.iter().filter(|value| **value != b"-").count())
    {
        let words = sheet.nulls(client + 2) + sheet.count(client + 2, Look::Other);
        let is_word = !sheet.is_evident(sheet.rows() - words);
        sheet.give(is_word.then_some(client + 1), Role::Ident);
        sheet.give(is_word.then_some(client + 2), Role::User);
    }
}

fn times(sheet: &mut Sheet<'_, '_>) {
    for (look, role) in
        [(Look::Clf, Role::Clf), (Look::Iso, Role::Iso), (Look::EpochSeconds, Role::EpochSeconds)]
    {
        let found = sheet.best(&[look], Sheet::nulls);
        sheet.give(found, role);
    }
    match sheet.all(&[Look::EpochMicros])[..] {
        [one] => sheet.give(Some(one), Role::StartMicros),
        [one, other, ..] => {
            let (start, end) = if is_no_more(sheet, one, other) { (one, other) } else { (other, one) };
            if is_no_more(sheet, start, end) {
                sheet.give(Some(start), Role::StartMicros);
                sheet.give(Some(end), Role::EndMicros);
            }
        }
        [] => {}
    }
    if !TIMES.into_iter().any(|role| sheet.roles.contains(&Some(role))) {
        let any = [Look::Clf, Look::Iso, Look::EpochSeconds, Look::EpochMicros, Look::OtherTime];
        let found = sheet.best(&any, Sheet::nulls);
        sheet.give(found, Role::AnyTime);
    }
}

fn is_no_more(sheet: &Sheet<'_, '_>, one: usize, other: usize) -> bool {
    sheet.nearly_always(one, other, |one, other| Some(number(one)? <= number(other)?))
}

fn requests(sheet: &mut Sheet<'_, '_>) {
    let few_nulls = |sheet: &Sheet<'_, '_>, at: usize| sheet.nulls(at);
    let request = sheet.best(&[Look::Request], few_nulls);
    sheet.give(request, Role::Request);
    for (look, role) in [(Look::Method, Role::Method), (Look::Protocol, Role::Protocol)] {
        let found = sheet.best(&[look], few_nulls);
        sheet.give(found, role);
    }
    let paths = sheet.all(&[Look::Path]);
    let target = if let Some(request) = request {
        // Beside the request line only its own target is surely that: servers also log what they made of it.
        let is_same = |line: &[u8], path: &[u8]| {
            let target = value::request_line(line).target.filter(|_| path != b"-")?;
            Some(target == path)
        };
        paths.into_iter().find(|&at| sheet.nearly_always(request, at, is_same))
    } else {
        let queries =
            |at: usize| sheet.columns[at].values.iter().filter(|value| value.contains(&b'?')).count();
        paths.into_iter().min_by_key(|&at| Reverse(queries(at)))
    };
    let target = target.or_else(|| match (request, &sheet.all(&[Look::Url])[..]) {
        // A log of whole URLs.
        (None, &[first, ..]) if !sheet.is_evident(sheet.nulls(first)) => Some(first),
        _ => None,
    });
    sheet.give(target, Role::Target);
}

/// So many lines without missing referers hold something else.
const REFERERS_MAX: usize = 10;

fn texts(sheet: &mut Sheet<'_, '_>) {
    let few_nulls = |sheet: &Sheet<'_, '_>, at: usize| sheet.nulls(at);
    let cache = sheet.best(&[Look::Cache], few_nulls);
    sheet.give(cache, Role::Cache);
    let urls = sheet.all(&[Look::Url]);
    let is_referer = |&at: &usize| sheet.is_evident(sheet.nulls(at)) || sheet.rows() <= REFERERS_MAX;
    let referer = urls.into_iter().find(is_referer);
    sheet.give(referer, Role::Referer);
    let agents = |&at: &usize| {
        sheet.roles[at].is_none() && sheet.count(at, Look::Agent) * 2 > sheet.rows() - sheet.nulls(at)
    };
    let agent = (0..sheet.columns.len()).filter(agents).rev().max_by_key(|&at| sheet.count(at, Look::Agent));
    sheet.give(agent, Role::Agent);
    let hosts = sheet.all(&[Look::Host, Look::Address, Look::Endpoint]);
    let has_port = |at: usize| sheet.columns[at].values.iter().any(|value| ends_in_port(value));
    let host = hosts
        .into_iter()
        .filter(|&at| sheet.count(at, Look::Host) * 2 > sheet.rows() - sheet.nulls(at))
        .min_by_key(|&at| (has_port(at), sheet.nulls(at), Reverse(sheet.distinct(at))));
    let role = if host.is_some_and(has_port) { Role::HostHeader } else { Role::Host };
    sheet.give(host, role);
}

fn ends_in_port(value: &[u8]) -> bool {
    let digits = value.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && value[..value.len() - digits].ends_with(b":") && !value.starts_with(b"[")
}

/// Of several times the request's is the one that is no shorter than any other, but for the millisecond that nginx
/// loses by its clock; upstream's is the longest of the rest. Lists, and missing ones, are always upstream's.
fn seconds(sheet: &mut Sheet<'_, '_>) {
    let candidates = sheet.all(&[Look::Seconds, Look::SecondsList]);
    let is_whole = |&at: &usize| !sheet.looks(at).are_of_tries();
    let no_shorter = |at: usize, rest: &[usize]| {
        rest.iter().all(|&other| {
            other == at
                || sheet.nearly_always(at, other, |one, other| {
                    let other = value::upstream(other)?.sum_us;
                    Some(value::upstream(one)?.sum_us + CLOCK_US >= other)
                })
                || sheet.nulls(other) == sheet.rows()
        })
    };
    let whole: Vec<usize> = candidates.iter().copied().filter(is_whole).collect();
    let request = whole.iter().copied().find(|&at| no_shorter(at, &candidates));
    let rest: Vec<usize> = candidates.into_iter().filter(|&at| Some(at) != request).collect();
    let upstream = rest.iter().copied().find(|&at| no_shorter(at, &rest));
    sheet.give(request, Role::Duration);
    sheet.give(upstream.filter(|_| request.is_some() || whole.is_empty()), Role::Upstream);
}

/// nginx's clock ticks in milliseconds.
const CLOCK_US: u64 = 1_000;
