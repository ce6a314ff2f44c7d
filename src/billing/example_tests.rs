//! The worked example of docs/BILLING.md, recomputed from the log lines and the contract printed there.

use super::contract::Contract;
use super::method::{Terms, Traffic, measure};
use super::outlook::left;
use super::period::Period;
use super::samples::Frame;
use super::tariff::invoice;
use crate::aggregate::spread::{Scheme, spread};
use crate::time::{Timestamp, Zone, instant};

const DOCUMENT: &str = include_str!("../../docs/BILLING.md");

fn block(label: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("```{label}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// End and bytes and duration of each line: enough of a parser for the page.
fn records(zone: &Zone) -> Vec<(Timestamp, u64, u64)> {
    let record = |line: &str| {
        let clock = line.split(['[', ' ']).find_map(|word| word.strip_prefix("01/Nov/2026:")).unwrap();
        let end = instant(&format!("2026-11-01 {clock}"), zone, Timestamp(0)).unwrap();
        let bytes = line.split("\" 200 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let millis: u64 = line.rsplit(' ').next().unwrap().replace('.', "").parse().unwrap();
        (end, bytes, millis * 1000)
    };
    block("log").lines().map(record).collect()
}

fn series(frame: &Frame, zone: &Zone, scheme: Scheme) -> Vec<u128> {
    let mut charged = Vec::new();
    let mut cursor = frame.grid.cursor();
    for (end, bytes, micros) in records(zone) {
        let start = end.saturating_sub(micros);
        spread(scheme, bytes, start, end, &mut cursor, &mut |slot, bytes| {
            charged.push((slot.start, u128::from(bytes)));
        });
    }
    let (series, outside) = frame.series(charged).unwrap();
    assert_eq!(outside, 0);
    series
}

#[test]
fn the_worked_example() {
    let contract = Contract::parse(block("toml")).unwrap();
    let zone = contract.zone.clone().unwrap();
    let period = Period::parse("2026-11-01 08:00..2026-11-01 13:00", 1, &zone, Timestamp(0)).unwrap();
    let frame = Frame::new(&period, contract.slot, None).unwrap();
    let terms: Terms = contract.ports[0].terms;
    let bill = |scheme| {
        let series = series(&frame, &zone, scheme);
        measure(&frame, &Traffic::sent_only(&series), &terms).unwrap()
    };
    let billed = bill(Scheme::TimeProportional);
    assert_eq!((billed.samples, billed.rank.unwrap().whole, billed.bytes), (20, 2, 7_050_000_000));
    assert_eq!(frame.place(billed.billed.unwrap().slot.start), Some(5));
    assert_eq!(billed.quantity.number(), 7_000_000);
    let total = invoice(&billed, &contract.ports[0].tariff).unwrap().total.unwrap();
    assert_eq!(total.to_string(), "660.00");
    let numbers = [Scheme::MinimumVolume, Scheme::EndSpike, Scheme::MaximumVolume]
        .map(|scheme| bill(scheme).quantity.number());
    assert_eq!(numbers, [5_000_000, 6_000_000, 13_666_667]);
    let series = series(&frame, &zone, Scheme::TimeProportional);
    let left = |bps| left(&frame, &Traffic::sent_only(&series), &terms, bps).unwrap().unwrap().left;
    assert_eq!((left(7_000_000), left(8_000_000)), (0, 1));
    check_table(&series);
}

/// The column of bytes in the table of samples.
fn check_table(series: &[u128]) {
    let (_, rest) = DOCUMENT.split_once("| slot | pages |").unwrap();
    let shown: Vec<u128> = rest
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(4).unwrap().trim().replace(',', "").parse().unwrap())
        .collect();
    assert_eq!(shown, series);
}
