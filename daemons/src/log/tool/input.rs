//! Files as they come: plain, gzip or zstd, in UTF-8 or UTF-16, told apart by
//! their first bytes.

use super::utf16::{SAMPLE, Utf16, recognise};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Bytes that are read at a time.
const CHUNK: usize = 256 * 1024;

/// A file's text, unpacked.
pub type Input = BufReader<Box<dyn Read>>;

/// Whether a name stands for standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens a file and unpacks it; what is read of it is counted as it lies there,
/// packed.
///
/// # Errors
/// When it cannot be read.
pub fn open(path: &Path, read: &Arc<AtomicU64>) -> io::Result<Input> {
    let inner: Box<dyn Read> =
        if is_stdin(path) { Box::new(io::stdin()) } else { as_it_is(File::open(path)?)? };
    unpack(Counted { inner, read: Arc::clone(read) })
}

/// When a file was written last; none for what is no plain file.
pub fn modified_ns(path: &Path) -> Option<i64> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let since_1970 = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since_1970.as_nanos()).ok()
}

/// A file as far as it goes now: the live log, imported into itself, would never
/// end. What has no size, a pipe or a file of the kernel's, is read to its end.
fn as_it_is(file: File) -> io::Result<Box<dyn Read>> {
    let len = file.metadata()?.len();
    Ok(Box::new(file.take(if len == 0 { u64::MAX } else { len })))
}

fn unpack(mut packed: impl Read + 'static) -> io::Result<Input> {
    let mut head = Vec::new();
    packed.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head)?;
    let (is_gzip, is_zstd) = (head.starts_with(GZIP), head.starts_with(ZSTD));
    let packed = Cursor::new(head).chain(packed);
    let mut plain: Box<dyn Read> = if is_gzip {
        Box::new(flate2::read::MultiGzDecoder::new(packed))
    } else if is_zstd {
        Box::new(zstd::stream::read::Decoder::new(packed)?)
    } else {
        Box::new(packed)
    };
    let mut head = Vec::new();
    plain.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head)?;
    if head.contains(&0) {
        // UTF-16 without a mark is known by more of it.
        plain.by_ref().take(SAMPLE as u64).read_to_end(&mut head)?;
    }
    let order = recognise(&head);
    let plain = Cursor::new(head).chain(plain);
    let plain: Box<dyn Read> = match order {
        Some(order) => Box::new(Utf16::new(plain, order)),
        None => Box::new(plain),
    };
    Ok(BufReader::with_capacity(CHUNK, plain))
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The service of a file's records: its name without what says how it is packed,
/// the number of a rotation, and what says what it is. `app` for `app.log.2.gz`.
pub fn service_of(path: &Path) -> Option<String> {
    if is_stdin(path) {
        return None;
    }
    let mut name = Path::new(path.file_name()?);
    while let Some(last) = name.extension().and_then(|last| last.to_str())
        && (matches!(last, "gz" | "zst") || last.bytes().all(|b| b.is_ascii_digit()))
    {
        name = Path::new(name.file_stem()?);
    }
    name.file_stem().map(|stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_is_packed_is_known_by_its_first_bytes() {
        let text = b"one\ntwo\n".repeat(100_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(text.as_slice(), 3).unwrap();
        for packed in [text.clone(), gzip.repeat(2), zstd.repeat(2), Vec::new(), b"a".to_vec()] {
            let twice = packed.starts_with(GZIP) || packed.starts_with(ZSTD);
            let mut out = Vec::new();
            unpack(Cursor::new(packed.clone())).unwrap().read_to_end(&mut out).unwrap();
            assert_eq!(out, if twice { text.repeat(2) } else { packed });
        }
        let torn = gzip.get(..gzip.len() / 2).unwrap().to_vec();
        assert!(unpack(Cursor::new(torn)).unwrap().read_to_end(&mut Vec::new()).is_err());
    }

    #[test]
    fn a_service_is_named_after_its_file() {
        for (path, service) in [
            ("/var/log/app.log", "app"),
            ("syslog.1", "syslog"),
            ("app.log.12.gz", "app"),
            ("my.app.ndjson.zst", "my.app"),
            ("messages", "messages"),
        ] {
            assert_eq!(service_of(Path::new(path)).as_deref(), Some(service), "{path}");
        }
        assert_eq!(service_of(Path::new("-")), None);
    }
}
