//! What may be asked of a log, and what may happen to it.

use super::super::*;
use crate::log::time;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use shared::wire::log::Level;

/// 2026-11-22T10:00:00Z.
const BASE_S: i64 = 1_795_341_600;
pub const NS: i64 = 1_000_000_000;

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
pub struct Made {
    message: String,
    level: Level,
    service: &'static str,
    ts_ns: Option<i64>,
    fields: Value,
}

impl Made {
    pub fn to_json(&self) -> Value {
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
pub struct Question {
    text: String,
    service: Option<&'static str>,
    level: Option<Level>,
    since_ns: Option<i64>,
    until_ns: Option<i64>,
    pub order: Order,
    pub limit: usize,
    pub by: &'static str,
    pub step: i64,
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
    pub fn all() -> Self {
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

    pub fn filter(&self) -> Filter {
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
pub enum Step {
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
pub enum Harm {
    Delete,
    Cut(usize),
    Flip(usize, u8),
}

pub fn step() -> impl Strategy<Value = Step> {
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
