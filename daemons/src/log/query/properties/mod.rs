//! Random queries on random records: the filter against a naive reading of the
//! query, and what is said before any text is read against what is found in it.

mod generate;
mod naive;

use super::*;
use crate::log::line::Line;
use crate::log::words::{Runs, scan_fields, scan_message};
use generate::{Generator, Record};
use std::collections::HashSet;

const CASES: u64 = 3_000;

fn hold(needs: &Needs, words: &HashSet<u64>) -> bool {
    match needs {
        Needs::Anything => true,
        Needs::Nothing => false,
        Needs::Word(word) => words.contains(word),
        Needs::All(all) => all.iter().all(|one| hold(one, words)),
        Needs::Any(any) => any.iter().any(|one| hold(one, words)),
    }
}

#[test]
fn a_filter_matches_what_a_naive_reading_matches() {
    let mut matched = 0;
    for seed in 0..CASES {
        let mut generator = Generator::new(seed);
        let record = generator.record();
        let query = generator.query(&record);
        let line = record.line();
        let shown = String::from_utf8_lossy(&line).into_owned();
        let expr = parse::parse(&query).unwrap_or_else(|error| panic!("{seed}: {query}: {error}"));
        let want = naive::matches(&expr, &record);
        let got = Filter::parse(&query).unwrap().matches(record.seq, &Line::read(&line, 0));
        assert_eq!(got, want, "{seed}: {query}\n{shown}");
        matched += u64::from(want);
    }
    assert!(matched > CASES / 5 && matched < CASES * 4 / 5, "{matched}");
}

/// All texts of up to so many of the characters, and none of them empty.
fn texts(characters: &str, len: usize) -> Vec<String> {
    let mut texts: Vec<String> = vec![String::new()];
    let mut from = 0;
    for _ in 0..len {
        let to = texts.len();
        for at in from..to {
            texts.extend(characters.chars().map(|c| format!("{}{c}", texts[at])).collect::<Vec<_>>());
        }
        from = to;
    }
    texts.split_off(1)
}

/// A record, and what an index would know of it.
struct Known {
    record: Record,
    line: Vec<u8>,
    words: HashSet<u64>,
    template: Option<Vec<u8>>,
    runs: Runs,
}

impl Known {
    fn of(record: Record) -> Self {
        let line = record.line();
        let (mut words, mut template, mut runs) = (HashSet::new(), Vec::new(), Runs::default());
        let mut note = |word| {
            words.insert(word);
        };
        let templated = scan_message(&record.message, &mut runs, &mut template, &mut note);
        if let Some(fields) = Line::read(&line, 0).fields {
            scan_fields(fields, note);
        }
        Self { record, line, words, template: templated.then_some(template), runs }
    }
}

#[test]
fn every_small_text_is_found_where_it_is_and_ruled_out_only_where_it_is_not() {
    // In any case, and as it is written.
    for (characters, len) in [("a1.", 4), ("A1.", 6)] {
        let known: Vec<Known> =
            texts(characters, len).iter().map(|message| Known::of(Record::of(message))).collect();
        for text in texts(characters, 3) {
            let edges =
                [format!("\"{text}\""), format!("\"{text}\"*"), format!("*{text}*"), format!("*{text}")];
            for query in edges {
                small_text(&query, &known);
            }
        }
    }
}

fn small_text(query: &str, known: &[Known]) {
    let (expr, filter) = (parse::parse(query).unwrap(), Filter::parse(query).unwrap());
    let needs = filter.needs();
    for Known { record, line, words, template, runs } in known {
        let shown = String::from_utf8_lossy(&record.message);
        let kind = Kind { level: record.level, service: b"s", template: template.as_deref() };
        let matches = filter.matches(record.seq, &Line::read(line, 0));
        let verdict = filter.verdict(&kind, runs);
        assert_eq!(matches, naive::matches(&expr, record), "{query} in {shown}");
        assert_ne!(verdict, if matches { Verdict::No } else { Verdict::Yes }, "{query} in {shown}");
        assert!(!matches || hold(&needs, words), "{query} in {shown}");
        // Where nothing is variable there is nothing to be unsure of.
        assert!(shown.contains('1') || verdict != Verdict::Maybe, "{query} in {shown}");
    }
}

#[test]
fn what_is_said_beforehand_is_true_of_the_record() {
    let mut verdicts = [0_u64; 3];
    let (mut literals, mut needed, mut needless) = (0, 0, 0);
    for seed in 0..CASES {
        let mut generator = Generator::new(seed);
        let record = generator.record();
        let query = generator.query(&record);
        let mut filter = Filter::parse(&query).unwrap();
        if generator.one_in(8) {
            filter = filter.min_level(generator.level());
        }
        if generator.one_in(8) {
            filter = filter.service(generator.service());
        }

        let Known { record, line: raw, words, template, mut runs } = Known::of(record);
        let line = Line::read(&raw, 0);
        // Other records of the block have theirs.
        scan_message(&generator.record().message, &mut runs, &mut Vec::new(), |_| ());

        let matches = filter.matches(record.seq, &line);
        let shown = String::from_utf8_lossy(&raw).into_owned();
        let service = crate::log::line::escape_service(&record.service);
        for template in [template.as_deref(), None] {
            let kind = Kind { level: record.level, service: &service, template };
            let verdict = filter.verdict(&kind, &runs);
            let sound = match verdict {
                Verdict::No => !matches,
                Verdict::Maybe => true,
                Verdict::Yes => matches,
            };
            assert!(sound, "{seed}: {query} is {verdict:?} of\n{shown}");
            verdicts[verdict as usize] += u64::from(template.is_some());
        }
        if matches {
            let needs = filter.needs();
            assert!(hold(&needs, &words), "{seed}: {query} needs {needs:?} of\n{shown}");
            needed += u64::from(needs != Needs::Anything);
            if let Some(literal) = filter.literal() {
                assert!(literal.find_iter(&raw).next().is_some(), "{seed}: {query} {literal:?} in\n{shown}");
                literals += 1;
            }
        } else {
            needless += u64::from(!hold(&filter.needs(), &words));
        }
    }
    // All of it has been tried, and often.
    let often = CASES / 40;
    assert!(verdicts.iter().all(|count| *count > often), "{verdicts:?}");
    assert!(
        [literals, needed, needless].iter().all(|count| *count > often),
        "{literals} {needed} {needless}"
    );
}
