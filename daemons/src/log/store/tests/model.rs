//! The store beside a list of its records: whatever is done to it, what it
//! answers is what one gets by asking every record in the list.

mod arbitrary;

use super::*;
use crate::log::count::{self, Label};
use crate::log::fields::{self, Fields};
use crate::log::line::Line;
use arbitrary::{Harm, Made, NS, Question, Step, step};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::wire::log::{Hits, Stats};
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::FileExt;

/// A record as it must be: its sequence and its line.
type Entry = (u64, Vec<u8>);

/// The list.
#[derive(Default)]
struct Model {
    records: Vec<Entry>,
    keys: HashMap<u8, u64>,
}

fn line(entry: &Entry) -> Line<'_> {
    Line::read(entry.1.strip_suffix(b"\n").unwrap(), 0)
}

impl Model {
    fn add(&mut self, first: u64, batch: &Batch) {
        assert_eq!(first, self.records.len() as u64 + 1);
        self.records.extend((first..).zip(batch.lines.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec)));
    }

    /// The records that match, oldest first.
    fn matching(&self, filter: &Filter) -> Vec<Entry> {
        let mut found: Vec<Entry> =
            self.records.iter().filter(|entry| filter.matches(entry.0, &line(entry))).cloned().collect();
        found.sort_by_key(|entry| (line(entry).ts_ns, entry.0));
        found
    }
}

fn found(log: &Store, filter: &Filter, order: Order, limit: usize) -> Vec<Entry> {
    let mut found = Vec::new();
    let walked = walk(&log.snapshot(), filter, order, limit, &budget(), |hit| {
        found.push((hit.seq, hit.raw.to_vec()));
        ControlFlow::Continue(())
    });
    assert!(!walked.partial);
    found
}

/// Page by page, until there is none.
fn paged(log: &Store, question: &Question) -> Vec<Entry> {
    let mut pages = Vec::new();
    loop {
        let mut filter = question.filter();
        if let Some(last) = pages.last() {
            let cursor = (line(last).ts_ns, last.0);
            match question.order {
                Order::Asc => filter.bounds.cursors.0 = Some(cursor),
                Order::Desc => filter.bounds.cursors.1 = Some(cursor),
                Order::FirstStored => filter = filter.between(cursor.1 + 1, u64::MAX),
                Order::LastStored => filter = filter.between(0, cursor.1),
            }
        }
        let page = found(log, &filter, question.order, question.limit);
        if page.is_empty() {
            return pages;
        }
        pages.extend(page);
    }
}

/// The labels of a record, as one text.
fn labels(entry: &Entry, by: &str) -> String {
    let line = line(entry);
    let fields = line.fields.and_then(Fields::read);
    let value = |name: &str| match name {
        "level" => json!(line.level.as_str()),
        "service" => json!(line.service()),
        "message" => json!(String::from_utf8_lossy(&line.message())),
        name => match fields.as_ref().and_then(|fields| fields.get(name)) {
            None | Some("null") => Value::Null,
            Some(value) => json!(fields::text(value)),
        },
    };
    let names = by.split(',').filter(|name| !name.is_empty());
    json!(names.map(|name| (name, value(name))).collect::<BTreeMap<_, _>>()).to_string()
}

fn check_list(log: &Store, question: &Question, expected: &[Entry]) {
    assert_eq!(found(log, &question.filter(), Order::Asc, usize::MAX), expected);
    let mut expected = expected.to_vec();
    match question.order {
        Order::Asc => {}
        Order::Desc => expected.reverse(),
        Order::FirstStored => expected.sort(),
        Order::LastStored => expected.sort_by(|a, b| b.cmp(a)),
    }
    let first = &expected[..question.limit.min(expected.len())];
    assert_eq!(found(log, &question.filter(), question.order, question.limit), first);
    assert_eq!(paged(log, question), expected);
}

fn check_stats(log: &Store, question: &Question, expected: &[Entry]) {
    let by = Label::list(question.by);
    let stats = |limit| count::stats(&log.snapshot(), &question.filter(), &by, limit, &budget());
    let Stats { total, groups, partial } = stats(1_000);
    assert_eq!((total, partial), (expected.len() as u64, false));
    assert!(groups.is_sorted_by(|a, b| a.count >= b.count));
    let counted: BTreeMap<String, u64> =
        groups.iter().map(|group| (json!(group.by).to_string(), group.count)).collect();
    let mut naive = BTreeMap::new();
    for entry in expected {
        *naive.entry(labels(entry, question.by)).or_insert(0) += 1;
    }
    assert_eq!(counted, naive);
    assert_eq!(counted.len(), groups.len());
    let first = &groups[..question.limit.min(groups.len())];
    assert_eq!(stats(question.limit).groups, first);
}

fn check_hits(log: &Store, question: &Question, expected: &[Entry]) {
    let by = Label::list(question.by);
    let hits = count::hits(&log.snapshot(), &question.filter(), &by, question.step, &budget());
    let Hits { step_seconds, total, series, partial } = hits;
    assert_eq!((step_seconds, total, partial), (question.step.unsigned_abs(), expected.len() as u64, false));
    let mut counted = BTreeMap::new();
    for of_label in &series {
        assert!(of_label.points.is_sorted_by_key(|(at, _)| *at));
        for (at, count) in &of_label.points {
            assert_eq!(counted.insert((json!(of_label.by).to_string(), at.timestamp()), *count), None);
        }
    }
    let mut naive = BTreeMap::new();
    for entry in expected {
        let second = line(entry).ts_ns.div_euclid(NS).div_euclid(question.step) * question.step;
        *naive.entry((labels(entry, question.by), second)).or_insert(0) += 1;
    }
    assert_eq!(counted, naive);
}

fn check(log: &Store, question: &Question, model: &Model) {
    let expected = model.matching(&question.filter());
    check_list(log, question, &expected);
    check_stats(log, question, &expected);
    check_hits(log, question, &expected);
}

/// Something befalls an index file.
fn harm(place: &Place, log: &Idle, which: usize, how: &Harm, is_open: bool) {
    let indexes = place.segments_with(".idx");
    let Some(name) = which.checked_rem(indexes.len()).map(|at| &indexes[at]) else { return };
    let path = place.segment(name);
    let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let len = file.metadata().unwrap().len() as usize;
    match how {
        Harm::Delete => fs::remove_file(path).unwrap(),
        // It was cut to nothing before.
        Harm::Cut(_) | Harm::Flip(..) if len == 0 => {}
        Harm::Cut(at) => file.set_len((at % len) as u64).unwrap(),
        Harm::Flip(at, bit) => {
            let (at, mut byte) = ((at % len) as u64, [0]);
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 1 << bit], at).unwrap();
        }
    }
    if !is_open {
        log.shared.segments.sealed().iter().for_each(|sealed| log.shared.cache.forget(sealed));
    }
}

async fn run(place: &Place, steps: &[Step]) {
    let mut log = place.open_idle();
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append(records) => {
                let batch = json_batch(&records.iter().map(Made::to_json).collect());
                let first = append_batch(&log, batch.clone(), None).await;
                model.add(first, &batch);
            }
            Step::Keyed(key, record) => {
                let batch = json_batch(&record.to_json());
                let first = append_batch(&log, batch.clone(), Some(&key.to_string())).await;
                match model.keys.insert(*key, first) {
                    Some(known) => assert_eq!(known, first),
                    None => model.add(first, &batch),
                }
            }
            Step::Upkeep(steps) => {
                log.rotate();
                for _ in 0..*steps {
                    log.upkeep.step();
                }
            }
            Step::Settle => {
                log.settle();
                place.assert_tidy();
            }
            Step::Reopen => log = place.reopen(log).await,
            Step::Kill(torn) => {
                place.leave(log).await;
                fs::OpenOptions::new().append(true).open(place.active()).unwrap().write_all(torn).unwrap();
                log = place.open_idle();
            }
            Step::Harm(which, how, is_open) => harm(place, &log, *which, how, *is_open),
            Step::Ask(question) => check(&log, question, &model),
            Step::Follow(from) => {
                let from = from % (model.records.len() + 1);
                assert_eq!(tail::told(&log, from as u64 + 1).await, (model.records[from..].to_vec(), 0));
            }
        }
    }
    log.settle();
    place.assert_tidy();
    check(&log, &Question::all(), &model);
    let log = place.reopen(log).await;
    check(&log, &Question::all(), &model);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_log_is_what_a_list_would_be(
        steps in vec(step(), 1..25),
        rotate_size in 200..2_000_u64,
        has_classes: bool,
        is_cold: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let classes = if has_classes { CLASSES } else { "" };
        let cold_after = if is_cold { Duration::ZERO } else { Duration::MAX };
        let place = Place { cold_after, ..Place::with_classes(rotate_size, classes) };
        runtime.block_on(run(&place, &steps));
    }
}
