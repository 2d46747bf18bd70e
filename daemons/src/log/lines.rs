//! The lines of a block.

use super::line::Line;

/// The records of a block: each line as it stands, with its line feed, and read.
pub fn lines(block: &[u8]) -> impl Iterator<Item = (&[u8], Line<'_>)> {
    let mut reader = Reader::new(block);
    split(block).map(move |(start, raw)| (raw, reader.read(start, raw)))
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

/// Reads lines of a block, one after the other.
///
/// A line that somebody wrote by hand has the time of the last line before it in
/// its block that has one; where there is none, of the first after it.
#[derive(Debug)]
pub struct Reader<'b> {
    block: &'b [u8],
    /// Up to where lines were looked at for their times.
    seen: usize,
    /// The time that a line by hand would have there.
    last_ns: Option<i64>,
    /// The time where no line has one.
    otherwise_ns: i64,
}

impl<'b> Reader<'b> {
    /// Reads a block that stands alone.
    pub const fn new(block: &'b [u8]) -> Self {
        Self::after(None, block, 0)
    }

    /// Reads a block after lines of which the last has this time.
    pub const fn after(last_ns: Option<i64>, block: &'b [u8], otherwise_ns: i64) -> Self {
        Self { block, seen: 0, last_ns, otherwise_ns }
    }

    /// Reads the line that begins at `start`, which is further on each time.
    pub fn read<'l>(&mut self, start: usize, raw: &'l [u8]) -> Line<'l> {
        let text = raw.strip_suffix(b"\n").unwrap_or(raw);
        Line::parse(text).unwrap_or_else(|| Line::by_hand(text, self.time_near(start)))
    }

    /// The time of the last line before `end`, as far as one is known.
    pub fn last_ns(&mut self, end: usize) -> Option<i64> {
        // No line is looked at twice: a block may be all by hand.
        let unseen = self.block.get(self.seen..end).unwrap_or_default();
        self.seen = end;
        self.last_ns = unseen.rsplit(|b| *b == b'\n').find_map(time).or(self.last_ns);
        self.last_ns
    }

    fn time_near(&mut self, start: usize) -> i64 {
        let before = self.last_ns(start);
        let after = || self.block.get(start..)?.split(|b| *b == b'\n').find_map(time);
        *self.last_ns.insert(before.or_else(after).unwrap_or(self.otherwise_ns))
    }
}

fn time(line: &[u8]) -> Option<i64> {
    Line::parse(line).map(|line| line.ts_ns)
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

    #[test]
    fn lines_that_are_passed_over_give_their_time_too() {
        let block = b"2026-11-22T10:00:03.000000Z  INFO a: b\nby hand\n";
        assert_eq!(Reader::new(block).read(39, b"by hand\n").ts_ns / 1_000_000_000 % 10, 3);
        let mut reader = Reader::after(Some(5), b"by hand\nby hand\n", 7);
        assert_eq!((reader.read(0, b"by hand\n").ts_ns, reader.last_ns(8)), (5, Some(5)));
        assert_eq!(Reader::after(None, b"by hand\n", 7).read(0, b"by hand\n").ts_ns, 7);
    }

    #[test]
    fn a_block_that_is_all_by_hand_is_read_in_no_time() {
        // Looking back over the block for each line took ten seconds for this.
        let block = b"somebody wrote this by hand, or another program\n".repeat(20_000);
        assert!(lines(&block).all(|(_, line)| line.ts_ns == 0));
    }
}
