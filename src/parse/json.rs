//! JSON objects, one per line.

use super::Span;
use super::keys::Keys;

/// Finds the values of a line; fails at the first byte that is no JSON.
pub(super) fn find(_keys: &mut Keys, _line: &[u8], _spans: &mut [Span]) -> Result<(), usize> {
    Err(0)
}
