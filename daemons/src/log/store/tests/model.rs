//! The store beside a list of its records: whatever is done to it, what it
//! answers is what one gets by asking every record in the list.

use super::*;
use crate::log::count::{self, Label};
use crate::log::fields::{self, Fields};
use crate::log::line::Line;
use crate::log::time;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use shared::wire::log::{Hits, Level, Stats};
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::FileExt;

/// 2026-11-22T10:00:00Z.
const BASE_S: i64 = 1_795_341_600;
const NS: i64 = 1_000_000_000;

/// Words of every sort: plain, with capitals, with digits, of other scripts, and
/// some that are one another's other case.
const WORDS: &[&str] = &[
    "took",
    "Took",
    "error",
    "ERROR",
    "errors",
    "id42",
    "4711",
    "35",
    "10.0.0.1",
    "user_id",
    "müller",
    "MÜLLER",
    "书",
    "一本书",
    "ſtop",
    "stop",
    "straße",
    "Σας",
    "x7y",
    "\u{202e}x",
    "a\\b",
];
const SERVICES: &[&str] = &["shop", "audit", "Shop: x", "müller"];

/// A record that is made up.
#[derive(Debug, Clone)]
struct Made {
    message: String,
    level: Level,
    service: &'static str,
    ts_ns: Option<i64>,
    fields: Value,
}

impl Made {
    fn to_json(&self) -> Value {
        let mut json = self.fields.clone();
        json["message"] = self.message.clone().into();
        json["level"] = self.level.as_str().into();
        json["service"] = self.service.into();
        if let Some(ts_ns) = self.ts_ns {
            json["ts"] = time::to_rfc3339(ts_ns).into();
        }
        json
    }
}

fn moment() -> impl Strategy<Value = i64> {
    let near = (-150..150_i64, select(vec![0, 1, 500_000_000, 999_999_999]));
    prop_oneof![
        9 => near.prop_map(|(seconds, ns)| (BASE_S + seconds) * NS + ns),
        1 => select(vec![-1, 0, -7_000_000_000_000_000_001, 9_000_000_000_000_000_000]),
    ]
}

fn message() -> impl Strategy<Value = String> {
    let separated = (select(WORDS), select(vec![" ", " ", " ", "-", ": ", "/", "\n", "\t", ", "]));
    vec(separated, 0..5).prop_map(|words| words.into_iter().flat_map(|(word, after)| [word, after]).collect())
}

fn made() -> impl Strategy<Value = Made> {
    let fields = select(vec![
        json!({}),
        json!({"status": 503}),
        json!({"status": 200, "user": {"id": "u-7", "name": "Ann Lee"}}),
        json!({"status": "200", "user": {"id": "u-8"}}),
        json!({"k": "x y", "took": null}),
        json!({"k": [1, "2"], "user.id": "u-7"}),
    ]);
    (
        message(),
        select(Level::ALL.as_slice()),
        select(SERVICES),
        proptest::option::weighted(0.8, moment()),
        fields,
    )
        .prop_map(|(message, level, service, ts_ns, fields)| Made {
            message,
            level,
            service,
            ts_ns,
            fields,
        })
}

/// Every form of the query language.
fn query_text() -> impl Strategy<Value = String> {
    let part = select(WORDS).prop_flat_map(|word| {
        let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
        (0..ends.len() - 1).prop_map(move |from| word.get(ends[from]..).unwrap().to_owned())
    });
    let fixed = select(vec![
        "*",
        "~\"took|error\"",
        "~\"^id\"",
        r#"~"\d\d""#,
        "~Err",
        "~\"m.ller\"",
        "~\"s$\"",
        "=4711",
        "=\"took \"",
        ">m",
        "<=took",
        "service:shop",
        "service:=audit",
        "service:s*",
        "service:~\"^a\"",
        "level:warn",
        "level:>=warn",
        "level:<info",
        "level:(info OR debug)",
        "status:503",
        "status:>400",
        "status:<=200",
        "user.id:u-7",
        "user.name:lee",
        "user:*",
        "-missing:*",
        "k:=\"x y\"",
        "k:*2*",
        "took:null",
        "ts:>=2026-11-22T10:00:00Z",
        "ts:<2026-11-22",
        "seq:>5",
        "seq:3",
        "message:took",
        "message:(took OR error)",
        "service:(shop OR audit)",
        "_msg:stop",
    ]);
    let leaf = prop_oneof![
        3 => select(WORDS).prop_map(str::to_owned),
        1 => select(WORDS).prop_map(|word| format!("{word}*")),
        1 => part.clone().prop_map(|part| format!("*{part}")),
        1 => part.prop_map(|part| format!("*{part}*")),
        1 => vec(select(WORDS), 1..3).prop_map(|words| format!("\"{}\"", words.join(" ").replace('\\', "\\\\"))),
        1 => select(WORDS).prop_map(|word| format!("\"{}\"*", word.replace('\\', "\\\\"))),
        6 => fixed.prop_map(str::to_owned),
    ];
    let tree = leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|all| all.join(" ")),
            vec(inner.clone(), 2..3).prop_map(|all| all.join(" AND ")),
            vec(inner.clone(), 2..4).prop_map(|any| format!("({})", any.join(" OR "))),
            (select(vec!["-", "!", "NOT "]), inner).prop_map(|(not, inner)| format!("{not}({inner})")),
        ]
    });
    prop_oneof![1 => Just(String::new()), 6 => tree]
}

/// What somebody wants to know.
#[derive(Debug, Clone)]
struct Question {
    text: String,
    service: Option<&'static str>,
    level: Option<Level>,
    since_ns: Option<i64>,
    until_ns: Option<i64>,
    order: Order,
    limit: usize,
    by: &'static str,
    step: i64,
}

fn question() -> impl Strategy<Value = Question> {
    use proptest::option::weighted;
    let by = vec!["", "level", "service", "service,level", "status", "user.id,level", "message"];
    (
        query_text(),
        weighted(0.2, select(SERVICES)),
        weighted(0.3, select(Level::ALL.as_slice())),
        weighted(0.3, moment()),
        weighted(0.3, moment()),
        select(vec![Order::Asc, Order::Desc, Order::FirstStored, Order::LastStored]),
        1..12_usize,
        select(by),
        select(vec![1, 10, 60, 3_600]),
    )
        .prop_map(|(text, service, level, since_ns, until_ns, order, limit, by, step)| Question {
            text,
            service,
            level,
            since_ns,
            until_ns,
            order,
            limit,
            by,
            step,
        })
}

impl Question {
    fn all() -> Self {
        Self {
            text: String::new(),
            service: None,
            level: None,
            since_ns: None,
            until_ns: None,
            order: Order::Desc,
            limit: 10,
            by: "level",
            step: 60,
        }
    }

    fn filter(&self) -> Filter {
        let mut filter = Filter::parse(&self.text).unwrap().min_level(self.level.unwrap_or(Level::Trace));
        if let Some(service) = self.service {
            filter = filter.service(service);
        }
        filter.bounds.since_ns = self.since_ns.unwrap_or(i64::MIN);
        filter.bounds.until_ns = self.until_ns.unwrap_or(i64::MAX);
        filter
    }
}

/// What may happen to a log.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Made>),
    Keyed(u8, Made),
    /// So many steps of upkeep.
    Upkeep(usize),
    Settle,
    Reopen,
    /// The end of the process without a stop, and so many torn bytes.
    Kill(Vec<u8>),
    /// Something befalls an index; it may be open at that time.
    Harm(usize, Harm, bool),
    Ask(Box<Question>),
    Follow(usize),
}

#[derive(Debug, Clone)]
enum Harm {
    Delete,
    Cut(usize),
    Flip(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let harm = prop_oneof![
        Just(Harm::Delete),
        any::<usize>().prop_map(Harm::Cut),
        (any::<usize>(), 0..8_u8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
    ];
    let torn = vec(any::<u8>().prop_filter("no end of line", |b| *b != b'\n'), 0..40);
    prop_oneof![
        6 => vec(made(), 1..8).prop_map(Step::Append),
        1 => (0..4_u8, made()).prop_map(|(key, made)| Step::Keyed(key, made)),
        2 => (1..4_usize).prop_map(Step::Upkeep),
        2 => Just(Step::Settle),
        1 => Just(Step::Reopen),
        1 => torn.prop_map(Step::Kill),
        1 => (any::<usize>(), harm, any::<bool>()).prop_map(|(which, how, open)| Step::Harm(which, how, open)),
        6 => question().prop_map(|question| Step::Ask(Box::new(question))),
        1 => any::<usize>().prop_map(Step::Follow),
    ]
}

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
