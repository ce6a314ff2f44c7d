//! Labeled tab-separated values (<http://ltsv.org>): `time:…\thost:…\tstatus:200`.

use memchr::{memchr, memchr_iter};

use super::Span;
use super::keys::{Keys, clear};

/// Finds the values of a line; fails at the first column that has no label.
#[allow(clippy::cast_possible_truncation, reason = "a line is shorter than 4 GiB")]
pub(super) fn find(keys: &mut Keys, line: &[u8], spans: &mut [Span]) -> Result<(), usize> {
    clear(spans);
    keys.restart();
    let mut start = 0;
    for end in memchr_iter(b'\t', line).chain([line.len()]) {
        let pair = &line[start..end];
        if !pair.is_empty() {
            let colon = memchr(b':', pair).filter(|&colon| colon > 0).ok_or(start)?;
            if let Some(step) = keys.step(&pair[..colon]) {
                spans[step] = ((start + colon + 1) as u32, end as u32);
            }
        }
        start = end + 1;
    }
    Ok(())
}
