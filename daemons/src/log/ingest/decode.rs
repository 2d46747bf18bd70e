//! `Content-Encoding`: gzip, deflate (zlib, RFC 9110 8.4.1.2) and zstd, each
//! bounded in what it may grow to.

use bytes::{Buf as _, Bytes};
use std::io::Read;

/// The largest zstd window that is accepted, as a power of two: 8 MiB, the
/// least that every decoder must take (RFC 8878, 3.1.1.1.2) and all that a
/// sender may count on.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950.
    Deflate,
    /// RFC 8878.
    Zstd,
}

/// Why a body cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It would be larger than is accepted.
    #[error("the body is larger than {0} bytes when unpacked")]
    TooLarge(usize),
    /// It is not what its encoding says.
    #[error("the body is not what its content-encoding says: {0}")]
    Broken(#[from] std::io::Error),
}

impl Encoding {
    /// By the header's value.
    pub fn of(value: &str) -> Option<Self> {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Unpacks a body to at most `max` bytes.
    ///
    /// # Errors
    /// When it would be larger, or is broken.
    #[cfg(any(test, fuzzing))]
    pub fn unpack(self, body: &[u8], max: usize) -> Result<Vec<u8>, DecodeError> {
        let mut unpacker = Unpacker::new(self, Bytes::copy_from_slice(body), max)?;
        while !unpacker.step(max)? {}
        Ok(unpacker.finish())
    }
}

/// A body that is being unpacked, step by step, so that memory can be reserved
/// before each step.
pub struct Unpacker {
    from: Box<dyn Read + Send>,
    unpacked: Vec<u8>,
    len_max: usize,
}

impl Unpacker {
    /// Begins to unpack a body to at most `len_max` bytes.
    ///
    /// # Errors
    /// When there is no decoder.
    pub fn new(encoding: Encoding, body: Bytes, len_max: usize) -> Result<Self, DecodeError> {
        let body = body.reader();
        let from: Box<dyn Read + Send> = match encoding {
            Encoding::Identity => Box::new(body),
            Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(body)),
            Encoding::Deflate => Box::new(flate2::bufread::ZlibDecoder::new(body)),
            Encoding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
        };
        Ok(Self { from, unpacked: Vec::new(), len_max })
    }

    /// The bytes that are unpacked so far.
    pub fn len(&self) -> usize {
        self.unpacked.len()
    }

    /// Unpacks at most `len` further bytes. Answers whether that was the end.
    ///
    /// # Errors
    /// When it would be larger, or is broken.
    pub fn step(&mut self, len: usize) -> Result<bool, DecodeError> {
        // One byte more than is accepted shows that there is more.
        let len = len.min(self.len_max + 1 - self.unpacked.len());
        self.unpacked.reserve_exact(len);
        let read = self.from.by_ref().take(len as u64).read_to_end(&mut self.unpacked)?;
        if self.unpacked.len() > self.len_max {
            return Err(DecodeError::TooLarge(self.len_max));
        }
        Ok(read < len)
    }

    /// What was unpacked.
    pub fn finish(self) -> Vec<u8> {
        self.unpacked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_packed_comes_back_and_a_bomb_does_not() {
        let text = vec![b'a'; 100_000];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&text).unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(&text).unwrap();
        for (encoding, packed) in [
            (Encoding::Gzip, gzip.finish().unwrap()),
            (Encoding::Deflate, zlib.finish().unwrap()),
            (Encoding::Zstd, zstd::encode_all(text.as_slice(), 3).unwrap()),
        ] {
            assert_eq!(encoding.unpack(&packed, 100_000).unwrap(), text);
            assert!(matches!(encoding.unpack(&packed, 99_999), Err(DecodeError::TooLarge(99_999))));
            let half = packed.get(..packed.len() / 2).unwrap();
            assert!(matches!(encoding.unpack(half, 100_000), Err(DecodeError::Broken(_))), "{encoding:?}");
        }
    }
}
