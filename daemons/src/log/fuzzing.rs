//! What `daemons/fuzz` tries with any bytes: no input makes it panic, and what is
//! always true of the outcome is. Tests try each with some input, too.

pub use super::index::any_bytes::index;
pub use super::store::any_bytes::frame;

use super::batch::{Batch, Defaults, NewLine};
use super::fields::{Fields, members};
use super::index::{Builder, Index};
use super::ingest::{self, BodyKind, Encoding};
use super::line::{Line, escape, escape_service, write_head};
use super::lines::{lines as lines_of, span};
use super::query::{Filter, Verdict};
use shared::sanitize::is_hazard;
use shared::wire::log::Level;
use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The longest body that is unpacked here.
const BODY_MAX: usize = 1 << 20;

/// A file in memory that holds these bytes.
pub fn file_of(bytes: &[u8]) -> File {
    let memory = rustix::fs::memfd_create("bytes", rustix::fs::MemfdFlags::CLOEXEC);
    let file = memory.map(File::from);
    assert!(file.as_ref().is_ok_and(|file| file.write_all_at(bytes, 0).is_ok()), "no memory for a file");
    file.unwrap_or_else(|_| std::process::abort())
}

/// A block of lines, as somebody may have written them by hand.
pub fn lines(bytes: &[u8]) {
    let mut records = 0;
    for (raw, line) in lines_of(bytes) {
        records += 1;
        let _ = line.fields.and_then(Fields::read);
        let Some(read) = Line::parse(raw.strip_suffix(b"\n").unwrap_or(raw)) else { continue };
        // Written as the log service writes it, it is the same record.
        let (service, message) = (read.service(), read.message());
        let mut written = Vec::new();
        write_head(&mut written, read.ts_ns, read.level, &escape_service(&service));
        escape(&mut written, &message);
        let again = Line::parse(&written);
        assert!(
            again.is_some_and(|again| again.ts_ns == read.ts_ns
                && again.level == read.level
                && again.service() == service
                && again.message() == message),
            "{raw:?} {written:?}"
        );
    }
    assert_eq!(span(bytes).0, records);
}

/// A query in the first line, and records in the others: `message TAB fields`,
/// the first byte of which says their level and service.
pub fn query(bytes: &[u8]) {
    let (query, rest) = bytes.split_at(memchr::memchr(b'\n', bytes).unwrap_or(bytes.len()));
    let Ok(filter) = Filter::parse(&String::from_utf8_lossy(query)) else { return };
    for (_, line) in lines_of(rest) {
        let _ = filter.matches(1, &line);
    }
    let mut batch = Batch::default();
    for record in rest.split(|b| *b == b'\n').skip(1).take(8) {
        let kind = record.first().copied().unwrap_or_default();
        let (message, fields) = record.split_at(memchr::memchr(b'\t', record).unwrap_or(record.len()));
        let fields = fields.get(1..).and_then(|json| members(std::str::from_utf8(json).ok()?, 32));
        let record = NewLine {
            ts_ns: i64::from(kind) << 50,
            level: Level::ALL.get(usize::from(kind % 6)).copied().unwrap_or(Level::Info),
            service: ["a", "b: c", "日志", "Größe"].get(usize::from(kind / 64)).copied().unwrap_or_default(),
            message,
            fields: &fields.unwrap_or_default(),
        };
        let _ = batch.push(&record);
    }
    say_beforehand(&filter, &batch.lines);
}

/// What a filter says of a block before its text is read is true of it.
fn say_beforehand(filter: &Filter, block: &[u8]) {
    let mut builder = Builder::default();
    let built = Arc::new(builder.block(block));
    let (kinds, runs) = (builder.kinds(), builder.runs());
    let index = Index::in_memory(Arc::new(kinds.clone()), runs.clone(), vec![Arc::clone(&built)]);
    let may_hold = index.blocks_with(&filter.needs()).is_ok_and(|blocks| blocks.contains(0));
    for (seq, ((raw, line), kind)) in (1..).zip(lines_of(block).zip(&built.columns.kinds)) {
        let matches = filter.matches(seq, &line);
        let verdict = kinds.get(*kind).map_or(Verdict::Maybe, |kind| filter.verdict(&kind, runs));
        let is_true = match verdict {
            Verdict::No => !matches,
            Verdict::Maybe => true,
            Verdict::Yes => matches || !filter.bounds.contain(seq, line.ts_ns),
        };
        let shown = String::from_utf8_lossy(raw);
        assert!(is_true, "{verdict:?}: {shown}");
        assert!(!matches || may_hold, "it is not needed: {shown}");
        let is_found = filter.literal().is_none_or(|literal| literal.find_iter(raw).next().is_some());
        assert!(!matches || is_found, "{:?} is not in {shown}", filter.literal());
    }
}

/// A request's body: its first byte says how it is packed and what it is.
pub fn ingest(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else { return };
    let encodings = [Encoding::Identity, Encoding::Gzip, Encoding::Deflate, Encoding::Zstd];
    let Some(encoding) = encodings.get(usize::from(kind & 3)) else { return };
    let Ok(body) = encoding.unpack(body, BODY_MAX) else { return };
    assert!(body.len() <= BODY_MAX);
    let kinds = [BodyKind::Text, BodyKind::Json, BodyKind::NdJson, BodyKind::NdJson];
    let Some(kind) = kinds.get(usize::from(kind >> 2 & 3)) else { return };
    let defaults = Defaults { ts_ns: 1, level: Level::Info, service: "service".to_owned() };
    let Ok(batch) = ingest::read(*kind, &body, &defaults) else { return };
    let (mut records, mut first_ns, mut last_ns) = (0, i64::MAX, i64::MIN);
    for raw in batch.lines.split_inclusive(|b| *b == b'\n') {
        let line = raw.strip_suffix(b"\n").and_then(Line::parse);
        let shown = String::from_utf8_lossy(raw);
        assert!(line.is_some(), "{shown}");
        let Some(line) = line else { continue };
        records += 1;
        (first_ns, last_ns) = (first_ns.min(line.ts_ns), last_ns.max(line.ts_ns));
        assert!(matches!(shown, Cow::Borrowed(_)), "not UTF-8: {shown}");
        let hazards = shown.chars().filter(|c| is_hazard(*c)).count();
        assert_eq!(hazards, 1 + usize::from(line.fields.is_some()), "{shown}");
        assert!(line.fields.is_none_or(|fields| Fields::read(fields).is_some()), "{shown}");
    }
    assert_eq!((records, Some((first_ns, last_ns))), (batch.records, batch.span));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    /// A file of the first version.
    fn kept(name: &str) -> Vec<u8> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/log-v1/data/segments");
        std::fs::read(dir.join(name)).unwrap()
    }

    /// Bytes changed and cut off.
    fn changes() -> impl Strategy<Value = (Vec<(prop::sample::Index, u8)>, Option<prop::sample::Index>)> {
        (
            proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            any::<Option<prop::sample::Index>>(),
        )
    }

    fn changed(
        mut bytes: Vec<u8>,
        (changes, cut): (Vec<(prop::sample::Index, u8)>, Option<prop::sample::Index>),
    ) -> Vec<u8> {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_some_end(bytes in any::<Vec<u8>>()) {
            lines(&bytes);
            frame(&bytes);
            index(&bytes);
            query(&bytes);
            ingest(&bytes);
        }

        #[test]
        fn a_damaged_sealed_file_is_read_to_some_end(changes in changes(), class in any::<bool>()) {
            let name = if class { "00000000000000002701-quiet.log.zst" } else { "00000000000000000001.log.zst" };
            frame(&changed(kept(name), changes));
        }

        #[test]
        fn a_damaged_index_is_read_to_some_end(changes in changes(), class in any::<bool>()) {
            let name = if class { "00000000000000002701-quiet.idx" } else { "00000000000000000001.idx" };
            index(&changed(kept(name), changes));
        }

        #[test]
        fn what_a_query_says_beforehand_is_true(
            query_text in "[a-z0-9 *:\"~=><()|OR日ß_.-]{0,24}",
            records in proptest::collection::vec("[a-zA-Z0-9 日ß_.-]{0,24}(\t\\{\"[a-z]\":[0-9]{1,3}\\})?", 1..4),
        ) {
            query(format!("{query_text}\n{}", records.join("\n")).as_bytes());
        }

        #[test]
        fn lines_that_are_nearly_of_the_grammar_are_read(
            head in "2026-11-22T10:00:00\\.123456Z ( INFO|ERROR|FATAL|x) ", rest in "[a-z:\\\\ xu{}0-9\\t日]{0,30}",
        ) {
            lines(format!("by hand\n{head}{rest}\n{rest}").as_bytes());
        }

        #[test]
        fn bodies_are_read_to_some_end(kind in any::<u8>(), json in "[\\[\\]{}\",:a-z0-9\\\\ \n日.-]{0,60}") {
            ingest(&[&[kind], json.as_bytes()].concat());
            let record = format!("{{\"message\":\"a\",\"x\":{json}}}");
            ingest(&[&[kind & 0xfc], record.as_bytes()].concat());
        }
    }
}
