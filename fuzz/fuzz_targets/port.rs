//! A port's samples in every shape. Input: a file of samples; also read with a column and a unit that were chosen.

#![no_main]

use bandwho::billing::port::{Choice, Unit, read};
use bandwho::time::Zone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let zone = Zone::parse("Europe/Berlin").expect("a zone");
    let chosen = Choice { column: Some("2".to_owned()), unit: Some(Unit::COUNTER) };
    for choice in [Choice::default(), chosen] {
        match read("port", data, &zone, &choice) {
            Ok(port) => {
                assert!(port.step > 0);
                assert!(
                    port.samples.is_sorted_by(|one, next| one.label < next.label),
                    "samples have an order"
                );
                assert!(port.samples.len() as u64 + port.unknown <= port.rows);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
