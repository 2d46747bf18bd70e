//! Frames alone: the real update and the real view of a model that is full, at
//! 200x50, turned into escape sequences that lead nowhere.
//!
//! A frame is measured from the model to the last sequence, in processor time of
//! its thread, so that what else runs on the machine does not count. Before each frame
//! something changes, as it does in use: a record arrives, the selection moves.
//! What the change itself costs is told apart, for keys wait for it too.

use crate::lines::Lines as Material;
use crate::measure::{Numbers, heading, row};
use crate::short::or_short;
use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::KeyCode;
use distlog_tui::action::Action;
use distlog_tui::cli::Endpoints;
use distlog_tui::keys::Key;
use distlog_tui::model::{Line, Lines, LogFeed, Model, Opened};
use distlog_tui::theme::Theme;
use distlog_tui::update::update;
use distlog_tui::view;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use shared::wire::library::{Book, Loan};
use shared::wire::log::Level;
use shared::wire::monitor::Incident;
use std::io::{self, Sink};
use std::time::Duration;

const SIZE: (u16, u16) = (200, 50);
const SERVICES: usize = 500;
const INSTANCES: usize = 10;
const RECORDS: u64 = 50_000;
const BOOKS: usize = 5_000;
/// How many records arrive before a frame of the log.
const ARRIVE: u64 = 1_600;

/// What is drawn: its name, the keys that lead there from the overview, and the
/// keys of which one is pressed before each frame, in turn; without any, records
/// arrive.
const SCREENS: [(&str, &str, &str); 14] = [
    ("overview", "", "j"),
    ("services", "2", "j"),
    ("services, one opened", "2\r", "j"),
    ("services, found as one types", "2/ser", "v\u{7f}"),
    ("log, followed", "3", ""),
    ("log, followed, searched", "3/blk\rG", ""),
    ("log, wrapped, paused", "3w", "k"),
    ("log, a record opened", "3\r", "k"),
    ("log, levels and services", "3l", "j"),
    ("incidents", "4", "j"),
    ("incidents, uptime", "4U", "j"),
    ("library", "5", "j"),
    ("help", "?", "j"),
    ("palette", ":", "re\u{7f}\u{7f}"),
];

pub(crate) fn measure() {
    heading("a frame, 200x50, a fleet of 5,000 instances");
    for (name, way, keys) in SCREENS {
        let mut told = Told::full();
        way.chars().for_each(|key| told.press(key));
        let mut pressed = keys.chars().cycle();
        let (mut changes, mut frames) = (Vec::new(), Vec::new());
        for _ in 0..or_short(1_000, 20) {
            let key = pressed.next();
            let lines = key.is_none().then(|| told.lines(ARRIVE));
            let began = processor_time();
            key.into_iter().for_each(|key| told.press(key));
            lines.into_iter().for_each(|lines| told.arrive(lines));
            changes.push(processor_time().saturating_sub(began));
            frames.push(told.draw());
        }
        row(name, "p99 2 ms", &Numbers::ms(frames).told("ms"));
        row("  the change before it", "", &Numbers::ms(changes).told("ms"));
    }
    let mut told = Told::full();
    let news = (0..50).map(|turn| {
        let (registry, monitor) = (registry(told.now, turn), monitor(told.now, turn));
        let began = processor_time();
        told.act(registry);
        told.act(monitor);
        processor_time().saturating_sub(began)
    });
    let news = Numbers::ms(news.collect::<Vec<Duration>>());
    row("update: the whole fleet told anew", "", &news.told("ms"));
}

/// A model and a terminal that leads nowhere.
struct Told {
    model: Model,
    now: DateTime<Utc>,
    material: Material,
    terminal: Terminal<CrosstermBackend<Sink>>,
}

impl Told {
    /// Everything that there is, and much of it.
    fn full() -> Self {
        let now = DateTime::from_timestamp(1_795_000_000, 0).expect("it is a time");
        let viewport = Viewport::Fixed(Rect::new(0, 0, SIZE.0, SIZE.1));
        let backend = CrosstermBackend::new(io::sink());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport });
        let mut told = Self {
            model: Model::new(Endpoints::default(), Theme::terminal(), SIZE),
            now,
            material: Material::new(),
            terminal: terminal.expect("nowhere takes everything"),
        };
        let lines = told.lines(RECORDS);
        let errors = lines.iter().filter(|line| line.level >= Level::Error).collect();
        let opened = |lines| Opened { lines, at: None, older: true, newer: false };
        for action in [
            registry(now, 0),
            monitor(now, 0),
            monitor(now, 1),
            library(now),
            Action::Uptimes(from((0..SERVICES).map(|at| uptime(&service(at))).collect())),
            Action::LogOpened { feed: LogFeed::Lines, generation: 0, opened: opened(lines) },
            Action::LogOpened { feed: LogFeed::Errors, generation: 0, opened: opened(errors) },
        ] {
            told.act(action);
        }
        told
    }

    fn act(&mut self, action: Action) {
        update(&mut self.model, action, self.now);
    }

    fn press(&mut self, key: char) {
        let key = match key {
            '\r' => Key::plain(KeyCode::Enter),
            '\u{7f}' => Key::plain(KeyCode::Backspace),
            key => Key::char(key),
        };
        self.act(Action::Key(key));
    }

    fn arrive(&mut self, lines: Lines) {
        let generation = self.model.log.generation;
        self.act(Action::LogArrived { feed: LogFeed::Lines, generation, lines, missed: 0 });
    }

    fn lines(&mut self, count: u64) -> Lines {
        let mut lines = Lines::default();
        for _ in 0..count {
            let seq = self.material.next() + 1;
            let (level, service, message) = self.material.line();
            let ts_ns = (self.now - TimeDelta::seconds(1)).timestamp_nanos_opt().expect("it is near");
            let level = level.parse().expect("it is a level");
            lines.push(&Line { seq, ts_ns, level, service, message: &message, fields: "" });
        }
        lines
    }

    fn draw(&mut self) -> Duration {
        let began = processor_time();
        self.terminal
            .draw(|frame| view::render(&self.model, self.now, frame))
            .expect("nowhere takes everything");
        processor_time().saturating_sub(began)
    }
}

/// What this thread has had of the processor so far.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("time does not run backwards")
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("it is as on the wire")
}

fn service(at: usize) -> String {
    format!("Service{at:03}")
}

fn instance(service: &str, at: usize) -> (String, String) {
    (format!("{service}-10.0.0.{at}-8080"), format!("http://10.0.0.{at}:8080/{service}"))
}

/// Every service requires another one, a tenth of them two.
fn registry(now: DateTime<Utc>, turn: u64) -> Action {
    let registrations: Vec<Value> = (0..SERVICES)
        .flat_map(|at| {
            let name = service(at);
            let mut required = vec![service(at / 2)];
            required.extend((at % 10 == 0).then(|| service(at / 3)));
            (0..INSTANCES).map(move |nth| {
                let (id, url) = instance(&name, nth);
                json!({
                    "serviceName": name, "serviceUrl": url, "instanceId": id, "serviceVersion": "1.4.2",
                    "tags": ["bench", "zone-a"], "metadata": {"zone": "a", "rack": nth.to_string()},
                    "requiredServices": required, "ttlSeconds": 15, "registeredAt": now, "revision": turn + 1,
                })
            })
        })
        .collect();
    Action::Registry { revision: turn + 1, registrations: from(registrations.into()) }
}

/// Every twentieth service is down, each a root with others that follow.
fn monitor(now: DateTime<Utc>, turn: u64) -> Action {
    let at = now + TimeDelta::seconds(i64::try_from(turn).unwrap_or(0));
    let down = |at: usize| at.is_multiple_of(20);
    let health = (0..SERVICES).map(|nth| {
        let (name, status) = (service(nth), if down(nth) { "unhealthy" } else { "healthy" });
        let latency = (!down(nth)).then_some(turn % 7 + 1);
        let (reason, detail) = down(nth).then_some(("connect", "Connection refused")).unzip();
        let instances: Vec<Value> = (0..INSTANCES)
            .map(|i| {
                let (id, url) = instance(&name, i);
                json!({
                    "instance_id": id, "url": url, "status": status, "last_check": at, "latency": latency,
                    "reason": reason, "detail": detail, "since": now, "streak": 4,
                })
            })
            .collect();
        json!({
            "name": name, "url": "http://10.0.0.1:8080", "status": status, "last_check": at, "latency": latency,
            "reason": reason, "detail": detail, "since": now, "uptime": 0.98, "instances": instances,
        })
    });
    let incidents = (0..SERVICES).filter(|nth| down(*nth)).map(|nth| {
        let dependents: Vec<Value> = (nth * 2..nth * 2 + 2)
            .filter(|nth| *nth < SERVICES)
            .map(
                |nth| json!({"service": service(nth), "effect": "at_risk", "since": now, "own_cause": false}),
            )
            .collect();
        json!({
            "id": nth, "service": service(nth), "opened_at": now, "resolved_at": null, "reason": "connect",
            "detail": "Connection refused", "affected": [], "dependents": dependents,
        })
    });
    let past = (1_000..1_900).map(|id| {
        json!({"id": id, "service": service(id % SERVICES), "opened_at": now - TimeDelta::hours(2),
               "resolved_at": now - TimeDelta::hours(1), "reason": "timeout", "detail": "no answer in 2 s"})
    });
    Action::Monitor {
        health: from(health.collect()),
        incidents: from::<Vec<Incident>>(incidents.chain(past).collect()).into(),
        maintenances: Vec::new(),
    }
}

fn uptime(service: &str) -> Value {
    let days: Vec<Value> =
        (1..=30).map(|day| json!({"day": format!("2026-11-{day:02}"), "share": 0.999})).collect();
    json!({"service": service, "day": 0.99, "week": 0.998, "month": 1.0, "days": days})
}

fn library(now: DateTime<Utc>) -> Action {
    let books = (0..BOOKS).map(|id| {
        json!({"id": id.to_string(), "title": format!("分布式系统设计, volume {id}"), "author": "李四",
               "copies": 3, "available": 1})
    });
    let loans = (0..BOOKS).map(|id| {
        json!({"book_id": id.to_string(), "borrower": format!("Ann {id}"), "borrowed_at": now, "returned_at": null})
    });
    Action::Library {
        books: from::<Vec<Book>>(books.collect()).into(),
        loans: from::<Vec<Loan>>(loans.collect()).into(),
    }
}
