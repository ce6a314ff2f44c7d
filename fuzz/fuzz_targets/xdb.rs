//! ip2region files. Input: header and everything behind the index, which is not read and too long to be found by chance.

#![no_main]

use bandwho::place::disagreement;
use libfuzzer_sys::fuzz_target;

const HEADER_SIZE: usize = 256;
const INDEX_SIZE: usize = 512 << 10;

fuzz_target!(|data: &[u8]| {
    let (header, rest) = data.split_at(data.len().min(HEADER_SIZE));
    let mut file = header.to_vec();
    file.resize(HEADER_SIZE + INDEX_SIZE, 0);
    file.extend_from_slice(rest);
    if let Ok(found) = disagreement("x.xdb", file, &[]) {
        assert_eq!(found, None);
    }
});
