//! Random queries on random records: the filter against a naive reading of the
//! query, and what is said before any text is read against what is found in it.

mod generate;
mod naive;

use super::*;
use crate::log::line::Line;
use crate::log::words::{Runs, scan_fields, scan_message};
use generate::Generator;
use std::collections::HashSet;

const CASES: u64 = 6_000;

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

        let raw = record.line();
        let line = Line::read(&raw, 0);
        let (mut words, mut template, mut runs) = (HashSet::new(), Vec::new(), Runs::default());
        let has_template = scan_message(&line.message(), &mut runs, &mut template, |word| {
            words.insert(word);
        });
        if let Some(fields) = line.fields {
            scan_fields(fields, |word| {
                words.insert(word);
            });
        }
        // Other records of the block have theirs.
        scan_message(&generator.record().message, &mut runs, &mut Vec::new(), |_| ());

        let matches = filter.matches(record.seq, &line);
        let shown = String::from_utf8_lossy(&raw).into_owned();
        let service = crate::log::line::escape_service(&record.service);
        for template in [has_template.then_some(template.as_slice()), None] {
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
