//! Small inputs that are wanted whole: databases.

use std::io::Cursor;

use super::codec::{MAGIC_SIZE, Storage, recognise};
use super::decode::Decoder;
use crate::error::cause;

/// Decompresses bytes that are an archive and leaves others as they are. More than `size_max` bytes are an error.
pub fn decompress(bytes: Vec<u8>, size_max: u64) -> Result<Vec<u8>, String> {
    /// Grown by as much at a time: what an archive says of its size is a stranger's word.
    const STEP: usize = 1 << 20;
    if recognise(&bytes[..bytes.len().min(MAGIC_SIZE)]) == Storage::Plain {
        return Ok(bytes);
    }
    let mut decoder = Decoder::new(Box::new(Cursor::new(bytes))).map_err(|error| cause(&error))?;
    let mut text = Vec::new();
    while !decoder.is_ended() {
        let start = text.len();
        text.resize(start + STEP, 0);
        let filled = decoder.fill(&mut text[start..]);
        text.truncate(start + filled);
        if text.len() as u64 > size_max {
            return Err(format!("larger than {size_max} bytes once decompressed"));
        }
    }
    decoder.take_failure().map_or(Ok(text), Err)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn archives_are_opened_and_bounded() {
        let text = b"1.0.0.0,1.0.0.255,AU\n".repeat(100_000);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&text).unwrap();
        let gzip = encoder.finish().unwrap();
        assert_eq!(decompress(text.clone(), 1).as_ref(), Ok(&text));
        assert_eq!(decompress(gzip.clone(), text.len() as u64).as_ref(), Ok(&text));
        assert_eq!(
            decompress(gzip.clone(), 1_000_000),
            Err("larger than 1000000 bytes once decompressed".to_owned())
        );
        assert!(decompress(gzip[..gzip.len() / 2].to_vec(), 1 << 30).is_err());
    }
}
