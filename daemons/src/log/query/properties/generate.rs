//! Records and queries from a seed. A query is mostly made of pieces of its
//! record, else it would never match.

use crate::log::batch::{Batch, NewLine};
use fastrand::Rng;
use shared::sanitize::is_hazard;
use shared::wire::log::Level;
use std::borrow::Cow;
use std::fmt::Write as _;

const WORDS: [&str; 28] = [
    "error",
    "Error",
    "ERROR",
    "err",
    "errors",
    "a",
    "ab",
    "b1",
    "blk_12",
    "blk_",
    "7",
    "12",
    "12x",
    "x12y",
    "35ms",
    "took",
    "kiss",
    "\u{212a}i\u{17f}s",
    "über",
    "ÜBER",
    "Straße",
    "STRAẞE",
    "书",
    "书7",
    "x²",
    "_",
    "σς",
    "ΣΣ",
];
const SEPARATORS: [&str; 21] = [
    " ",
    " ",
    " ",
    " ",
    "-",
    ".",
    ":",
    ": ",
    "/",
    "\n",
    "\t",
    "\\",
    "\"",
    "\u{1b}",
    "\u{1b}[31m",
    "\u{1b}[0m",
    "\\x1b[1m",
    "\u{200b}",
    "",
    "",
    "é.",
];
const DENSE: [char; 14] = ['a', 'a', 'a', 'b', 'b', 'A', '1', '1', ' ', '.', '.', '.', '\t', 'k'];
const NUMBERS: [&str; 12] = [
    "1",
    "12",
    "1.50",
    "1.5",
    "-3e5",
    "-300000",
    "12e0",
    "0",
    "-0.0",
    "123456789012345678901",
    "123456789012345678901.0",
    "1e999",
];
const NAMES: [&str; 8] = ["a", "b", "a.b", "err", "user", "user.id", "é", "n1"];

/// A JSON value, and what it is.
#[derive(Debug, Clone)]
pub enum Json {
    /// A text: as it is written, and what that means.
    Text(String, String),
    /// Anything else that has no members.
    Plain(String),
    /// An object.
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn raw(&self) -> String {
        match self {
            Self::Text(raw, _) | Self::Plain(raw) => raw.clone(),
            Self::Object(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{}:{}", serde_json::to_string(name).unwrap(), value.raw()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

/// A record, not yet a line.
#[derive(Debug)]
pub struct Record {
    pub seq: u64,
    pub ts_ns: i64,
    pub level: Level,
    pub service: String,
    pub message: Vec<u8>,
    pub fields: Vec<(String, Json)>,
}

impl Record {
    /// One with nothing but a message.
    pub fn of(message: &str) -> Self {
        let (service, message) = ("s".to_owned(), message.as_bytes().to_vec());
        Self { seq: 1, ts_ns: 0, level: Level::Info, service, message, fields: Vec::new() }
    }

    /// Its line, as it is stored.
    pub fn line(&self) -> Vec<u8> {
        let raw: Vec<String> = self.fields.iter().map(|(_, value)| value.raw()).collect();
        let fields: Vec<(Cow<'_, str>, &str)> =
            self.fields.iter().zip(&raw).map(|((name, _), raw)| (name.into(), raw.as_str())).collect();
        let Self { ts_ns, level, service, message, .. } = self;
        let mut batch = Batch::default();
        let line = NewLine { ts_ns: *ts_ns, level: *level, service, message, fields: &fields };
        batch.push(&line).unwrap();
        batch.lines.pop();
        batch.lines
    }
}

pub struct Generator {
    random: Rng,
    /// Whether texts are made of few characters, so that everything is found
    /// everywhere, but not as it should be.
    dense: bool,
    /// Whether queries are one pattern.
    simple: bool,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), dense: !seed.is_multiple_of(4), simple: !seed.is_multiple_of(2) }
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.random.usize(..n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.usize(..from.len())]
    }

    pub fn level(&mut self) -> Level {
        self.pick(&Level::ALL)
    }

    pub fn service(&mut self) -> &'static str {
        self.pick(&["LibraryService", "a: b", "übung", "x\\"])
    }

    fn text(&mut self, pieces: usize) -> String {
        let mut text = String::new();
        if self.dense {
            let len = self.random.usize(..pieces * 4);
            return (0..len).map(|_| self.pick(&DENSE)).collect();
        }
        for _ in 0..self.random.usize(..=pieces) {
            text += self.pick(&SEPARATORS);
            text += self.pick(&WORDS);
        }
        text + self.pick(&["", "", " ", ".", "\n"])
    }

    pub fn record(&mut self) -> Record {
        let mut message = self.text(6).into_bytes();
        if self.one_in(12) {
            let at = self.random.usize(..=message.len());
            message
                .splice(at..at, self.pick(&[b"\xff".as_slice(), b"\xc3", b"\xf0\x9f", b"\xe4\xb9"]).to_vec());
        }
        if self.one_in(100) {
            message = message.repeat(5_000 / message.len().max(1));
        }
        let count = self.pick(&[0, 0, 1, 2, 4]);
        let names = self.random.choose_multiple(NAMES, count);
        Record {
            seq: self.random.u64(..20),
            ts_ns: 1_795_000_000_000_000_000 + self.random.i64(0..3) * 86_400_000_000_000,
            level: self.level(),
            service: self.service().to_owned(),
            message,
            fields: names.into_iter().map(|name| (name.to_owned(), self.json(0))).collect(),
        }
    }

    fn json(&mut self, depth: usize) -> Json {
        match self.random.usize(..if depth < 3 { 10 } else { 7 }) {
            0..=3 => {
                let text = self.text(3);
                Json::Text(self.write_json(&text), text)
            }
            4 | 5 => Json::Plain(self.pick(&NUMBERS).into()),
            6 => Json::Plain(self.pick(&["true", "null", "\"err\\ud800 x\"", "[]", "[1,\"a\\tb\"]"]).into()),
            _ => {
                let count = self.pick(&[1, 2, 3]);
                let names = self.random.choose_multiple(NAMES, count);
                // A name that stands twice.
                let names = names.iter().chain(names.first().filter(|_| self.one_in(6)));
                Json::Object(names.map(|name| ((*name).to_owned(), self.json(depth + 1))).collect())
            }
        }
    }

    /// A JSON string, some of it escaped that need not be.
    fn write_json(&mut self, text: &str) -> String {
        let mut raw = String::from("\"");
        for c in text.chars() {
            match c {
                '\n' => raw += "\\n",
                '\t' => raw += "\\t",
                '"' | '\\' => raw.extend(['\\', c]),
                c if is_hazard(c) || self.one_in(20) => {
                    let _ = write!(raw, "\\u{:04x}", u32::from(c));
                }
                c => raw.push(c),
            }
        }
        raw + "\""
    }

    pub fn query(&mut self, record: &Record) -> String {
        match (self.simple, self.one_in(4)) {
            (false, _) => self.expr(record, 0),
            (true, false) => self.piece(record),
            (true, true) => self.field(record),
        }
    }

    fn expr(&mut self, record: &Record, depth: usize) -> String {
        let deeper = |this: &mut Self| this.expr(record, depth + 1);
        match self.random.usize(..if depth < 3 { 10 } else { 5 }) {
            0..=4 => self.leaf(record),
            5 | 6 => format!("{} {}", deeper(self), deeper(self)),
            7 => format!("({} OR {})", deeper(self), deeper(self)),
            8 => format!("-({})", deeper(self)),
            _ => format!("({} AND NOT {})", deeper(self), deeper(self)),
        }
    }

    fn leaf(&mut self, record: &Record) -> String {
        match self.random.usize(..20) {
            0 => format!("level:{}{}", self.pick(&["", ">=", "<", "="]), self.level().as_str()),
            1 => format!("level:{}", self.pick(&["*r*", "~^w", "(info OR WARN)", "*"])),
            2 => format!("service:{}", self.pattern("LibraryService")),
            3 => format!("service:{}", self.pattern(&record.service)),
            4 => format!("seq:{}{}", self.pick(&["", ">", "<=", "="]), self.random.u64(..20)),
            5 => format!("ts:{}2026-11-1{}", self.pick(&["", ">", "<="]), self.random.u64(7..10)),
            6..=9 => self.field(record),
            10 => format!("{}:{}", self.pick(&["message", "_msg"]), self.piece(record)),
            _ => self.piece(record),
        }
    }

    fn piece(&mut self, record: &Record) -> String {
        let message = String::from_utf8_lossy(&record.message).chars().take(200).collect::<String>();
        self.pattern(&message)
    }

    fn field(&mut self, record: &Record) -> String {
        let (mut name, mut value) = (self.pick(&NAMES).to_owned(), Json::Plain("x".to_owned()));
        if let Some((known, json)) =
            self.random.choice(&record.fields).filter(|_| !self.random.bool() || self.random.bool())
        {
            (name, value) = (known.clone(), json.clone());
        }
        while let Json::Object(members) = &value
            && self.random.bool()
        {
            let (inner, json) = self.random.choice(members).unwrap().clone();
            name = format!("{name}.{inner}");
            value = json;
        }
        let text = match &value {
            Json::Text(_, text) => text.clone(),
            other => other.raw(),
        };
        format!("\"{name}\":{}", self.pattern(&text))
    }

    /// A pattern that a text matches, or nearly so.
    fn pattern(&mut self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let from = self.random.usize(..=chars.len());
        let longest = if self.dense { 5 } else { 12 };
        let to = self.random.usize(from..=chars.len().min(from + longest));
        let cut: String = chars[from..to].iter().collect();
        let cut = if self.one_in(12) || cut.is_empty() { self.pick(&WORDS).to_owned() } else { cut };
        let cut = self.change(&cut);
        match self.random.usize(..16) {
            0..=5 => {
                let bare = cut.chars().filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"' | '*'));
                let bare: String = bare.collect();
                match self.random.usize(..3) {
                    0 => format!("*{bare}*"),
                    1 => format!("*{bare}"),
                    _ if bare.starts_with(char::is_alphabetic) && !bare.contains(':') => format!("{bare}*"),
                    _ => format!("*{bare}*"),
                }
            }
            6..=9 => quote(&cut),
            10 => format!("{}*", quote(&cut)),
            11 => {
                format!("={}", quote(&if self.random.bool() { text.to_owned() } else { self.change(text) }))
            }
            12 => format!("{}{}", self.pick(&["<", ">", ">=", "<="]), quote(&cut)),
            13 => "*".to_owned(),
            _ => format!("~{}", quote(&self.regex(&cut))),
        }
    }

    /// The same text, but for some of its cases and digits.
    fn change(&mut self, text: &str) -> String {
        let how = self.random.usize(..8);
        text.chars()
            .map(|c| match how {
                0 if self.one_in(3) => c.to_uppercase().next().unwrap_or(c),
                1 => c.to_lowercase().next().unwrap_or(c),
                2 if c.is_ascii_digit() && self.one_in(3) => char::from(self.random.u8(b'0'..=b'9')),
                3 if self.one_in(8) => self.pick(&['x', '7', ' ', 'é', '\u{17f}']),
                _ => c,
            })
            .collect()
    }

    fn regex(&mut self, text: &str) -> String {
        let before = ["", "", "", "^", "(?i)", "(?m)^", r"\b", ".*", r"\B"];
        // In bytes it is smaller, and made ready much faster.
        let bytes = self.simple || self.one_in(8);
        let mut regex = if bytes { "(?-u)" } else { "" }.to_owned() + self.pick(&before);
        let chars: Vec<char> = text.chars().collect();
        // A group from somewhere to somewhere.
        let open = if self.one_in(3) { self.random.usize(..=chars.len()) } else { usize::MAX };
        let close = self.random.usize(open.min(chars.len())..=chars.len());
        for at in 0..=chars.len() {
            if at == open {
                regex.push('(');
            }
            if at == close && open <= close {
                regex += self.pick(&["|b)", "|12|err)", "|[^a] )", ")+", "|a.)+", "){1,2}", "|b)?", "|a)*"]);
            }
            if let Some(c) = chars.get(at) {
                self.regex_of(*c, bytes, &mut regex);
            }
        }
        regex + self.pick(&["", "", "", "$", "(?m:$)", r"\b", "|err", r"\s", r"\B", r"(?-u:\B)"])
    }

    fn regex_of(&mut self, c: char, bytes: bool, regex: &mut String) {
        match self.random.usize(..30) {
            0 => regex.push('.'),
            1 => *regex += r"\w",
            2 => *regex += r"[^a]",
            3 => *regex += "(?:x?|[k])",
            4 => *regex += r"(?-u:\B)?",
            5 => *regex += r"(?:er+|\d+|ü)?",
            6 => *regex += "(?i:[a-c])*",
            _ if c.is_ascii_punctuation() => regex.extend(['\\', c]),
            _ if c.is_ascii() || !bytes => regex.push(c),
            _ => *regex += r"[\x80-\xff]+",
        }
        *regex += if self.one_in(24) { self.pick(&["+", "{1,3}", "*"]) } else { "" };
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
