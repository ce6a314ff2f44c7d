//! Tables of ranges. Input: the text.

#![no_main]

use bandwho::place::disagreement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(found) = disagreement("x.csv", data.to_vec(), &[]) {
        assert_eq!(found, None);
    }
});
