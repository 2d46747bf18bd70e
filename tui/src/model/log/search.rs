//! Searching in what is held: case counts once a capital is typed, as in the
//! query language.

use super::block::Line;
use super::lines::Lines;
use std::ops::Range;

/// Where the searched text is found, from left to right.
pub fn find_in(text: &str, search: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find_from(text, search, from) {
        found.push(at..at + search.len());
        from = at + search.len();
    }
    found
}

/// Whether a record holds the searched text where it is shown.
pub fn holds(line: &Line<'_>, search: &str) -> bool {
    [line.message, line.fields, line.service].iter().any(|text| find_from(text, search, 0).is_some())
}

/// The nearest row after `from` that is as wanted, or before it.
pub fn nearest(
    lines: &Lines,
    from: usize,
    forward: bool,
    wanted: impl Fn(&Line<'_>) -> bool,
) -> Option<usize> {
    let mut wanted = |(_, line): &(usize, Line<'_>)| wanted(line);
    let found =
        if forward { lines.from(from + 1).find(&mut wanted) } else { lines.before(from).find(&mut wanted) };
    found.map(|(row, _)| row)
}

/// The first place from a byte on. Only ASCII is folded: that moves no byte.
fn find_from(text: &str, search: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..).filter(|_| !search.is_empty())?;
    if search.chars().any(char::is_uppercase) {
        return rest.find(search).map(|at| from + at);
    }
    let first = search.as_bytes().first()?.to_ascii_lowercase();
    let bytes = rest.as_bytes();
    let hit = |at: usize| {
        let there = bytes.get(at..at + search.len());
        there.is_some_and(|there| there.eq_ignore_ascii_case(search.as_bytes()))
    };
    let begins = bytes.iter().enumerate().filter(|(_, byte)| byte.to_ascii_lowercase() == first);
    begins.map(|(at, _)| at).find(|at| hit(*at)).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::wire::log::Level;

    #[test]
    fn a_search_heeds_case_once_a_capital_is_typed() {
        for (text, search, want) in [
            ("Disk full, disk", "disk", &[(0, 4), (11, 15)][..]),
            ("Disk full, disk", "Disk", &[(0, 4)]),
            ("分布式 BOOK", "book", &[(10, 14)]),
            ("分布式分布", "分布", &[(0, 6), (9, 15)]),
            ("aaa", "aa", &[(0, 2)]),
            ("x", "", &[]),
            ("", "x", &[]),
        ] {
            let found: Vec<_> = find_in(text, search).iter().map(|found| (found.start, found.end)).collect();
            assert_eq!(found, want, "{search} in {text}");
        }
    }

    #[test]
    fn it_goes_both_ways_from_where_one_is() {
        let lines: Lines = (0..)
            .zip(["hit", "miss", "hit", "miss"])
            .map(|(seq, message)| Line {
                seq,
                ts_ns: 0,
                level: Level::Info,
                service: "S",
                message,
                fields: "",
            })
            .collect();
        let hit = |line: &Line<'_>| holds(line, "hit");
        for (from, forward, want) in
            [(3, false, Some(2)), (2, false, Some(0)), (0, false, None), (0, true, Some(2)), (2, true, None)]
        {
            assert_eq!(nearest(&lines, from, forward, hit), want, "{from} {forward}");
        }
    }
}
