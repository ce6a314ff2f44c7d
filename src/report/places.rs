//! Addresses with their places, and what databases hold.

use std::io;
use std::net::IpAddr;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::human;
use super::{escape, json};
use crate::place::{Holdings, Place};

/// An address that was looked up.
#[derive(Serialize)]
struct Row<'a> {
    address: IpAddr,
    country: Option<&'a str>,
    region: Option<&'a str>,
    province: Option<&'a str>,
    city: Option<&'a str>,
    carrier: Option<&'a str>,
    asn: Option<u32>,
    org: Option<&'a str>,
    netkind: Option<&'a str>,
    /// True if a database could not be read there.
    failed: bool,
}

/// Writes an address and its place as one JSON object and a newline.
pub fn write_json(address: IpAddr, place: &Place, failed: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let Place { country, region, province, city, carrier, asn, org, netkind } = place;
    let row = Row {
        address,
        country: country.as_deref(),
        region: region.as_deref(),
        province: province.as_deref(),
        city: city.as_deref(),
        carrier: carrier.as_deref(),
        asn: *asn,
        org: org.as_deref(),
        netkind: netkind.as_deref(),
        failed,
    };
    json::write_line(&row, out)
}

/// Writes addresses and their places as a table.
pub fn write_table(rows: &[(IpAddr, &Place)], out: &mut dyn io::Write) -> io::Result<()> {
    let names = ["address", "country", "region", "province", "city", "carrier", "asn", "org", "netkind"];
    let mut cells = vec![names.map(str::to_owned)];
    cells.extend(rows.iter().map(|(address, place)| {
        let Place { country, region, province, city, carrier, asn, org, netkind } = place;
        let text = |field: &Option<Box<str>>| {
            field.as_deref().map_or("-".to_owned(), |field| escape::terminal(field.as_bytes()).into_owned())
        };
        let asn = asn.map_or("-".to_owned(), |asn| asn.to_string());
        let [country, region, province, city] = [country, region, province, city].map(text);
        let [carrier, org, netkind] = [carrier, org, netkind].map(text);
        [address.to_string(), country, region, province, city, carrier, asn, org, netkind]
    }));
    let widths: Vec<usize> = (0..names.len())
        .map(|column| cells.iter().map(|row| row[column].width()).max().unwrap_or(0))
        .collect();
    for row in &cells {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Writes what a database holds as one JSON object and a newline.
pub fn write_holdings_json(holdings: &Holdings, out: &mut dyn io::Write) -> io::Result<()> {
    let Holdings { about, networks_v4, networks_v6, records, unreadable, addresses_v4, fields } = holdings;
    let fields: serde_json::Map<String, serde_json::Value> =
        fields.iter().map(|&(name, addresses)| (name.to_owned(), addresses.into())).collect();
    let value = serde_json::json!({
        "schema": "bandwho.ipdb/1",
        "name": about.name,
        "form": about.form,
        "date": about.date,
        "networks_v4": networks_v4,
        "networks_v6": networks_v6,
        "records": records,
        "unreadable": unreadable,
        "addresses_v4": addresses_v4,
        "addresses_v4_with": fields,
    });
    json::write_line(&value, out)
}

/// Writes what a database holds for people.
pub fn write_holdings(holdings: &Holdings, out: &mut dyn io::Write) -> io::Result<()> {
    let Holdings { about, networks_v4, networks_v6, records, unreadable, addresses_v4, fields } = holdings;
    let date = about.date.as_deref().map_or(String::new(), |date| format!(", {date}"));
    writeln!(out, "{}: {}{date}", escape::terminal(about.name.as_bytes()), about.form)?;
    let count = |number: u64| human::count(number.into());
    writeln!(out, "  networks   {} of IPv4, {} of IPv6", count(*networks_v4), count(*networks_v6))?;
    writeln!(out, "  places     {}", count(*records))?;
    if *unreadable != 0 {
        writeln!(out, "  unreadable {} records", count(*unreadable))?;
    }
    writeln!(out, "  covers     {} IPv4 addresses, and of these", count(*addresses_v4))?;
    for &(name, addresses) in fields.iter().filter(|(_, addresses)| *addresses != 0) {
        let tenths = addresses * 1_000 / addresses_v4.max(&1);
        writeln!(out, "  {name:<10} {:>3}.{} %", tenths / 10, tenths % 10)?;
    }
    Ok(())
}
