//! Contracts. Input: a contract; what it says is used on a day of samples.

#![no_main]

use bandwho::billing::contract::Contract;
use bandwho::billing::method::{Quantity, Traffic, measure};
use bandwho::billing::period::Period;
use bandwho::billing::samples::Frame;
use bandwho::billing::tariff::invoice;
use bandwho::time::Zone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let contract = match Contract::parse(text) {
        Ok(contract) => contract,
        Err(bad) => {
            assert!(bad.line >= 1 && bad.column >= 1 && !bad.message.is_empty());
            assert!(bad.line <= text.lines().count() + 1);
            return;
        }
    };
    assert!(!contract.ports.is_empty());
    let period = Period::between(1_793_462_400, 1_793_462_400 + 2 * 86_400, &Zone::utc()).expect("two days");
    let Ok(frame) = Frame::new(&period, contract.slot.max(60), None) else { return };
    let bytes: Vec<u128> = (0..frame.slots().len() as u128).map(|slot| slot << (slot % 70)).collect();
    for port in &contract.ports {
        let traffic = Traffic { sent: &bytes, received: &bytes };
        let Ok(billed) = measure(&frame, &traffic, &port.terms) else { continue };
        let Ok(invoice) = invoice(&billed, &port.tariff) else { continue };
        assert_eq!(invoice.total.is_some(), port.tariff.price.is_some());
        if let (Quantity::Rate(rate), Quantity::Rate(measured)) = (invoice.billed, billed.quantity) {
            assert!(rate >= measured, "a commit never lowers a bill");
        }
    }
});
