//! The lines of a block.

use super::line::Line;

/// The records of a block: each line as it stands, with its line feed, and read.
///
/// A line that somebody wrote by hand has the time of the last line before it in
/// its block that has one; where there is none, of the first after it.
pub fn lines(block: &[u8]) -> impl Iterator<Item = (&[u8], Line<'_>)> {
    split(block).map(|(start, raw)| (raw, read(block, start, raw)))
}

/// The lines of a block, each with its line feed, and where they begin.
pub fn split(block: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let end_of_rest = (!block.is_empty() && !block.ends_with(b"\n")).then_some(block.len());
    let ends = memchr::memchr_iter(b'\n', block).map(|newline| newline + 1).chain(end_of_rest);
    let mut start = 0;
    ends.map(move |end| {
        let begun = std::mem::replace(&mut start, end);
        (begun, block.get(begun..end).unwrap_or_default())
    })
}

/// Reads the line of a block that begins at `start`.
pub fn read<'a>(block: &'a [u8], start: usize, raw: &'a [u8]) -> Line<'a> {
    let text = raw.strip_suffix(b"\n").unwrap_or(raw);
    Line::parse(text).unwrap_or_else(|| Line::by_hand(text, time_near(block, start)))
}

fn time_near(block: &[u8], start: usize) -> i64 {
    let (before, after) = block.split_at_checked(start).unwrap_or((block, &[]));
    let time = |line| Line::parse(line).map(|line| line.ts_ns);
    let before = before.rsplit(|b| *b == b'\n').find_map(time);
    before.or_else(|| after.split(|b| *b == b'\n').find_map(time)).unwrap_or(0)
}

/// How many records a block has, and the earliest and the latest time in it.
pub fn span(block: &[u8]) -> (u32, i64, i64) {
    lines(block).fold((0, i64::MAX, i64::MIN), |(records, min_ns, max_ns), (_, line)| {
        (records + 1, min_ns.min(line.ts_ns), max_ns.max(line.ts_ns))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_by_hand_has_the_time_of_its_neighbour() {
        let first = "2026-11-22T10:00:00.000000Z  INFO a: b\n";
        let second = "2026-11-22T10:00:01.000000Z  INFO a: b\n";
        let block = format!("by hand\n{first}by hand\nand again\n{second}by hand");
        let seconds: Vec<i64> =
            lines(block.as_bytes()).map(|(_, line)| line.ts_ns / 1_000_000_000 % 10).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 1, 1]);
        assert_eq!(lines(b"nothing but this\n").map(|(_, line)| line.ts_ns).collect::<Vec<_>>(), [0]);
    }
}
