//! ipip files. Input: the file.

#![no_main]

use bandwho::place::disagreement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(found) = disagreement("x.ipdb", data.to_vec(), &[]) {
        assert_eq!(found, None);
    }
});
