//! What is said of what was found.

use crate::log::store::check::{Finding, Gravity, Report, What};
use crate::log::tool::count;
use std::ops::Range;

/// So much is said of one file.
const FINDINGS_MAX: usize = 10;

/// One line about a file.
pub fn of(report: &Report, is_running: bool) -> String {
    let mut said: Vec<String> = Vec::new();
    if report.gravity(is_running) == Gravity::None && report.what != What::Other {
        said.push("ok".to_owned());
        if report.records > 0 {
            said.push(count(report.records, "record"));
            said.extend((!report.seqs.is_empty()).then(|| span(&report.seqs)));
        }
    }
    let about = |finding| about(finding, report.what, is_running);
    said.extend(report.findings.iter().take(FINDINGS_MAX).map(about));
    if let Some(more @ 1..) = report.findings.len().checked_sub(FINDINGS_MAX) {
        said.push(format!("and {more} more"));
    }
    said.join(", ")
}

fn about(finding: &Finding, what: What, is_running: bool) -> String {
    match finding {
        Finding::Unreadable(error) => format!("cannot be read: {error}"),
        Finding::ByHand(n) => format!("{} written by hand", count(*n, "record")),
        Finding::Gap(gap) => format!("{} in no file: deleted, or lost", are(gap)),
        Finding::Overlap(both) => format!("another file has {} too", records(both)),
        Finding::Missing => missing(what).to_owned(),
        Finding::Damaged(_) if what == What::Manifest => {
            "is damaged: would be made anew from the segments".to_owned()
        }
        Finding::Damaged(_) if what == What::ManifestCopy => "is damaged: would be made anew".to_owned(),
        Finding::CopyUsed => "is damaged or missing: would be made anew from its copy".to_owned(),
        Finding::CopyDiffers => "is another than the manifest: would be made anew".to_owned(),
        Finding::Damaged(error) => format!("would be rebuilt: {error}"),
        Finding::Unusable(error) => format!("the log service does not start: {error}"),
        Finding::RotationCutShort => "a rotation was cut short: would be finished".to_owned(),
        Finding::KeysDamaged(n) => format!("{} cannot be read: would be forgotten", count(*n, "key")),
        Finding::KeysUnfinished(n) if is_running => {
            format!("{}, the records of which are being written", count(*n, "key"))
        }
        Finding::KeysUnfinished(n) => format!("would be forgotten: {} without all records", count(*n, "key")),
        Finding::Torn(bytes) => {
            let what = if is_running { "is being written" } else { "would be cut" };
            format!("{what}: {} after the last whole line", count(*bytes, "byte"))
        }
        Finding::Zeros { records: 1, first } => format!("record {first} has zeros in the place of bytes"),
        Finding::Zeros { records, first } => {
            format!("{records} records have zeros in the place of bytes, the first is {first}")
        }
        Finding::TextDiffers(seqs) => format!("the text of {} is not what was written", records(seqs)),
        Finding::Unacknowledged(seqs) => {
            let what = if is_running { "being written" } else { "would be cut" };
            format!("{what}: {}, a part of a request that was not acknowledged", records(seqs))
        }
        Finding::Cut(next) => {
            format!("is shorter than it was, or gone: records are lost, and the next one would be {next}")
        }
        Finding::NoEnd(seq) => format!("record {seq} has lost its end"),
        Finding::Lost(error) => format!("all of its records are lost: {error}"),
        Finding::DirectoryCopied => {
            "its directory is damaged: the copy in the index is used, and no record is lost".to_owned()
        }
        Finding::DirectoryMade(0) => {
            "its directory is damaged: made from the frames, and no record is lost".to_owned()
        }
        Finding::DirectoryMade(given_up) => {
            let frames = count(*given_up as u64, "frame");
            format!("its directory is damaged: {frames} from the first damaged one on cannot be read")
        }
        Finding::Tail => "its seek table is damaged: the log service does not need it".to_owned(),
        Finding::Frames { frames, records, seqs } => lost_frames(frames, *records, seqs),
        Finding::FrameDiffers(frame) => format!("frame {frame} is not what the directory says"),
        Finding::Disorder => "its sequences do not ascend".to_owned(),
        Finding::IndexDiffers => {
            "is not what the lines give: 'distlogd log rebuild-index --all' makes it anew".to_owned()
        }
        Finding::IndexHopeless => {
            "is missing or damaged, and cannot be rebuilt from a damaged segment: its text is searched"
                .to_owned()
        }
        Finding::Leftover if is_running => "is being written, or left over".to_owned(),
        Finding::Leftover => "would be removed: it was not finished, and is not needed".to_owned(),
        Finding::Foreign => "is none of the log's: left alone".to_owned(),
        Finding::Kept => "was cut off the log, and is kept".to_owned(),
    }
}

const fn missing(what: What) -> &'static str {
    match what {
        What::Manifest => "is missing: would be made anew from the segments",
        What::Keys => "is missing: would be made anew, and a request that is sent again stored again",
        What::Index => "is missing: would be rebuilt",
        _ => "is missing: would be made anew",
    }
}

fn lost_frames(frames: &Range<usize>, lost: u64, seqs: &Range<u64>) -> String {
    let which = match frames.len() {
        0 | 1 => format!("frame {} is damaged", frames.start),
        _ => format!("frames {} to {} are damaged", frames.start, frames.end - 1),
    };
    if lost == seqs.end - seqs.start {
        format!("{which}: {} lost", are(seqs))
    } else {
        format!("{which}: {} between {} are lost", count(lost, "record"), span(seqs).replace(" to ", " and "))
    }
}

/// `record 7`, `records 7 to 12`.
fn records(seqs: &Range<u64>) -> String {
    let word = if seqs.end - seqs.start == 1 { "record" } else { "records" };
    format!("{word} {}", span(seqs))
}

fn are(seqs: &Range<u64>) -> String {
    format!("{} {}", records(seqs), if seqs.end - seqs.start == 1 { "is" } else { "are" })
}

/// `7 to 12`.
fn span(seqs: &Range<u64>) -> String {
    let last = seqs.end.saturating_sub(1);
    if seqs.start == last { last.to_string() } else { format!("{} to {last}", seqs.start) }
}
