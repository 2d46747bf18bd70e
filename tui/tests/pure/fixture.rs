//! A fleet at a fixed moment, told to the console as its feeds would tell it.

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::KeyCode;
use distlog_tui::action::{Action, Answer, Deed, Effect, Failure};
use distlog_tui::cli::Endpoints;
use distlog_tui::keys::Key;
use distlog_tui::model::{Around, LogFeed, Model, Opened, Seen, SourceName, Study};
use distlog_tui::text;
use distlog_tui::theme::Theme;
use distlog_tui::update::update;
use distlog_tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use serde_json::json;
use shared::wire::library::{Book, Loan};
use shared::wire::log::{Level, Record};
use shared::wire::monitor::{Incident, UptimeReport};
use std::time::Duration;

/// The moment at which everything here happens.
pub fn now() -> DateTime<Utc> {
    "2026-11-22T10:42:07.5Z".parse().unwrap()
}

/// So many seconds before [`now`].
pub fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

/// A console before it has heard anything.
pub fn fresh(columns: u16, lines: u16) -> Model {
    Model::new(Endpoints::default(), Theme::terminal(), (columns, lines))
}

/// A console that has heard of everything.
pub fn full(columns: u16, lines: u16) -> Model {
    let mut model = fresh(columns, lines);
    for action in [
        registry(),
        monitor(1),
        monitor(2),
        monitor(3),
        library(),
        volume(),
        opened(LogFeed::Lines, records()),
        opened(LogFeed::Errors, errors()),
    ] {
        act(&mut model, action);
    }
    // The timeline is counted when the log is looked at.
    press(&mut model, "3");
    let counted = hits(&model);
    act(&mut model, counted);
    press(&mut model, "1");
    model.changed = true;
    model
}

/// Applies an action at [`now`]; answers what it wants done, without the numbers
/// of requests.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let plain = |effect| match effect {
        Effect::Request { request, .. } => request.into(),
        effect => effect,
    };
    update(model, action, now()).into_iter().map(plain).collect()
}

/// Answers the request that was made last.
pub fn answer(model: &mut Model, outcome: Result<&str, Failure>) {
    let outcome = outcome.map(|said| Deed::from(said.to_owned()));
    act(model, Action::Answered(Box::new(Answer { number: Some(model.requests), outcome })));
}

/// Presses keys one after the other; answers what the last one wants done.
/// `<enter>`, `<esc>`, `<tab>`, `<up>`, … are named, everything else is typed.
pub fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (key, next) = match rest.strip_prefix('<').and_then(|named| named.split_once('>')) {
            Some((name, next)) => (named(name), next),
            None => (Key::char(c), rest.split_at(c.len_utf8()).1),
        };
        effects = act(model, Action::Key(key));
        rest = next;
    }
    effects
}

fn named(name: &str) -> Key {
    Key::plain(match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "space" => KeyCode::Char(' '),
        "backspace" => KeyCode::Backspace,
        "ctrl-c" => return Key::ctrl('c'),
        "ctrl-r" => return Key::ctrl('r'),
        "ctrl-u" => return Key::ctrl('u'),
        "ctrl-y" => return Key::ctrl('y'),
        other => panic!("no key is called {other}"),
    })
}

/// Draws a frame and lets the console know what of it fitted, as the runtime does.
pub fn see(model: &mut Model) {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    let mut seen = Seen::default();
    terminal.draw(|frame| seen = view::look(model, now(), frame)).unwrap();
    model.seen = seen;
}

/// The cells as they would be shown.
pub fn buffer(model: &Model) -> Buffer {
    buffer_at(model, now())
}

/// The cells as they would be shown at a moment.
pub fn buffer_at(model: &Model, at: DateTime<Utc>) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| view::render(model, at, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The screen as text.
pub fn screen(model: &Model) -> String {
    screen_at(model, now())
}

/// The screen as text, at a moment.
pub fn screen_at(model: &Model, at: DateTime<Utc>) -> String {
    let drawn = buffer_at(model, at);
    let mut text = String::new();
    for row in drawn.area.rows() {
        let mut x = row.x;
        let mut line = String::new();
        while let Some(cell) = drawn.cell((x, row.y)).filter(|_| x < row.right()) {
            line.push_str(cell.symbol());
            // A wide character hides the cell after it.
            x += u16::try_from(text::width(cell.symbol())).unwrap().max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A daemon is away.
pub fn away(source: SourceName) -> Action {
    Action::Away { source, cause: "Connection refused".to_owned(), retry_in: Duration::from_secs(3) }
}

pub fn opened(feed: LogFeed, records: Vec<Record>) -> Action {
    let opened = Opened { lines: records.into_iter().collect(), at: None, older: true, newer: false };
    Action::LogOpened { feed, generation: 0, opened }
}

pub fn arrived(generation: u64, records: Vec<Record>) -> Action {
    Action::LogArrived { feed: LogFeed::Lines, generation, lines: records.into_iter().collect(), missed: 0 }
}

/// What the log counted, as it was asked for last.
pub fn hits(model: &Model) -> Action {
    let series = |level: &str, every: usize, count: u64| {
        let points: Vec<_> = (0..60)
            .filter(|n| n % every == 0)
            .map(|n| json!([ago(i64::try_from(n).unwrap() * 60), count + n as u64 % 7]))
            .collect();
        json!({"by": {"level": level}, "points": points})
    };
    let hits = json!({
        "step_seconds": 60, "total": 0,
        "series": [series("error", 17, 1), series("warn", 5, 2), series("info", 1, 40), series("debug", 3, 9)],
    });
    Action::LogHits { asked: model.log.timeline.asked, hits: Ok(serde_json::from_value(hits).unwrap()) }
}

pub fn record(seq: u64, level: Level, service: &str, message: &str) -> Record {
    let (service, message) = (service.to_owned(), message.to_owned());
    let ts = ago(100) + TimeDelta::milliseconds(i64::try_from(seq).unwrap() * 137);
    Record { seq, ts, level, service, message, fields: serde_json::Map::new() }
}

pub fn records() -> Vec<Record> {
    let mut records: Vec<Record> = (1..=60)
        .map(|seq| record(seq, Level::Info, "LibraryService", &format!("book {} was borrowed", seq % 7)))
        .collect();
    records.push(record(61, Level::Warn, "Müller & Söhne", "the disk is 91 % full"));
    records.push(record(
        62,
        Level::Info,
        "LibraryService",
        "分布式系统设计 was returned by 王五, who came late and read it twice before",
    ));
    let mut last = record(63, Level::Error, "LogService", "cannot write the segment");
    last.fields =
        serde_json::from_value(json!({"path": "/var/lib/distlog", "code": 28, "nested": {"a": [1, 2]}}))
            .unwrap();
    records.push(last);
    records
}

pub fn errors() -> Vec<Record> {
    records().into_iter().filter(|record| record.level >= Level::Error).collect()
}

pub fn registry() -> Action {
    let registration = |service: &str, port: u16, extra: serde_json::Value| {
        let mut registration = json!({
            "serviceName": service, "serviceUrl": format!("http://localhost:{port}"),
            "instanceId": format!("{service}-localhost-{port}"), "serviceVersion": "0.1.0",
            "registeredAt": ago(3_600), "revision": port - 3_000, "ttlSeconds": 15,
        });
        registration.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        serde_json::from_value(registration).unwrap()
    };
    let registrations = vec![
        registration("LogService", 4000, json!({"tags": ["logging", "core"]})),
        registration(
            "LibraryService",
            5000,
            json!({
                "tags": ["books"], "metadata": {"zone": "a", "rack": "7"},
                "requiredServices": ["LogService", "Mailer"], "serviceUpdateUrl": "http://localhost:5000/services/update",
                "healthCheckUrl": "http://localhost:5000/health",
            }),
        ),
        registration("WebService", 5002, json!({"requiredServices": ["LibraryService"]})),
        registration("图书馆服务", 9000, json!({"ttlSeconds": null, "serviceVersion": null})),
    ];
    Action::Registry { revision: 17, registrations }
}

/// What the monitor says in its `turn`-th answer.
pub fn monitor(turn: u32) -> Action {
    let at = ago(30 - i64::from(turn) * 2);
    let status = |name: &str, port: u16, status: &str, latency: Option<u32>, detail: Option<&str>| {
        let url = format!("http://localhost:{port}");
        let reason = detail.map(|_| "connect");
        json!({
            "name": name, "url": url, "status": status, "last_check": at, "latency": latency,
            "reason": reason, "detail": detail, "since": ago(250), "uptime": if detail.is_some() { 0.987 } else { 1.0 },
            "instances": [{
                "instance_id": format!("{name}-localhost-{port}"), "url": url, "status": status, "last_check": at,
                "latency": latency, "reason": reason, "detail": detail, "since": ago(250), "streak": 4,
            }],
        })
    };
    let health = json!([
        status("LibraryService", 5000, "healthy", Some(turn * 3), None),
        status("LogService", 4000, "unhealthy", None, Some("Connection refused")),
        status("WebService", 5002, "healthy", Some(1), None),
        status("图书馆服务", 9000, "maintenance", Some(2), None),
    ]);
    let incidents = json!([
        {"id": 2, "service": "WebService", "opened_at": ago(90_000), "resolved_at": ago(89_900), "reason": "timeout", "detail": "no answer in 2 s"},
        {"id": 3, "service": "LogService", "opened_at": ago(250), "resolved_at": null, "reason": "connect", "detail": "Connection refused", "affected": ["LibraryService", "图书馆服务"],
         "dependents": [
            {"service": "LibraryService", "effect": "at_risk", "since": ago(240), "reason": null, "own_cause": false},
            {"service": "WebService", "effect": "down", "since": ago(100), "reason": "timeout", "own_cause": true},
            {"service": "图书馆服务", "effect": "down", "since": ago(245), "reason": "http", "own_cause": false},
         ]},
    ]);
    let maintenances = json!([
        {"service": "图书馆服务", "mode": "maintenance", "reason": "new shelves", "owner": "Ann", "since": ago(250)},
    ]);
    Action::Monitor {
        health: serde_json::from_value(health).unwrap(),
        incidents: serde_json::from_value::<Vec<Incident>>(incidents).unwrap().into(),
        maintenances: serde_json::from_value(maintenances).unwrap(),
    }
}

/// What the monitor tells of one service.
pub fn study(service: &str) -> Action {
    let instance = format!("{service}-localhost-5000");
    let probe = |seconds: i64, healthy: bool| {
        json!({
            "at": ago(seconds), "instance_id": instance, "healthy": healthy, "latency": healthy.then_some(seconds % 9),
            "reason": if healthy { None } else { Some("connect") }, "detail": if healthy { None } else { Some("Connection refused") },
        })
    };
    let history = json!({
        "name": service, "uptime": 0.987,
        "transitions": [
            {"id": 2, "at": ago(250), "name": service, "from": "unhealthy", "to": "healthy", "reason": null, "detail": null},
            {"id": 1, "at": ago(300), "name": service, "from": "healthy", "to": "unhealthy", "reason": "connect", "detail": "Connection refused"},
        ],
        "probes": (1..30).map(|n| probe(n * 10, !(25..=28).contains(&n))).collect::<Vec<_>>(),
    });
    let explanation = json!({
        "service": service, "status": "unhealthy", "since": ago(250), "flapping": false, "instances": [],
        "words": [
            format!("{service} is unhealthy since 10:37:57: none of its instances answers well."),
            format!("{instance} failed 4 times in a row: connect: Connection refused."),
            "It is the root of incident 3.".to_owned(),
        ],
        "requires": [], "incident": null, "waits_for": null, "maintenance": [],
    });
    Action::Study(Box::new(Study {
        service: service.to_owned(),
        history: Some(serde_json::from_value(history).unwrap()),
        explanation: Some(serde_json::from_value(explanation).unwrap()),
        uptime: Some(uptime(service)),
    }))
}

/// How often a service did well.
pub fn uptime(service: &str) -> UptimeReport {
    let day = |day: &str, share: f64| json!({"day": day, "share": share});
    let report = json!({
        "service": service, "day": 0.987, "week": 0.9982, "month": 1.0,
        "days": [
            day("2026-11-01", 1.0), day("2026-11-19", 1.0), day("2026-11-20", 0.9995), day("2026-11-21", 0.4),
            day("2026-11-22", 0.987),
        ],
    });
    serde_json::from_value(report).unwrap()
}

/// The log around incident 3.
pub fn around(service: &str) -> Action {
    let records: Vec<Record> = (1..=20)
        .map(|n| {
            let level = if n > 12 { Level::Error } else { Level::Info };
            let ts = ago(262 - n);
            Record {
                ts,
                ..record(u64::try_from(n).unwrap(), level, service, &format!("segment {n} is written"))
            }
        })
        .collect();
    Action::Around(Around { incident: 3, service: service.to_owned(), records: Ok(records) })
}

/// How an instance's lease stands.
pub fn lease(service: &str, instance: &str) -> Action {
    let lease = json!({
        "serviceName": service, "instanceId": instance, "ttlSeconds": 15, "renewedAt": ago(3),
        "ageSeconds": 3.0, "expiresInSeconds": 12.0, "heldUntil": null,
    });
    Action::Lease(serde_json::from_value(lease).unwrap())
}

/// How much was logged.
pub fn volume() -> Action {
    let minute = |back: i64| (now() - TimeDelta::minutes(back)).format("%Y-%m-%dT%H:%M:00Z").to_string();
    let series = |level: &str, points: Vec<(i64, u64)>| json!({"by": {"level": level}, "points": points.into_iter().map(|(back, n)| json!([minute(back), n])).collect::<Vec<_>>()});
    let hits = json!({"step_seconds": 60, "total": 0, "series": [
        series("info", (0..60).map(|n| (n, 40 + u64::try_from(n % 17).unwrap() * 5)).collect()),
        series("error", vec![(3, 1), (4, 7), (5, 2)]),
        series("warn", vec![(30, 1)]),
    ]});
    Action::Volume(serde_json::from_value(hits).unwrap())
}

pub fn library() -> Action {
    let books = json!([
        {"id": "1", "title": "Go编程实战", "author": "张三", "copies": 1, "available": 0},
        {"id": "2", "title": "分布式系统设计", "author": "李四", "copies": 2, "available": 1},
        {"id": "3", "title": "HTTP协议详解", "author": "王五", "copies": 1, "available": 1},
        {"id": "4", "title": "The Left Hand of Darkness and Other Long Titles", "author": "Ursula K. Le Guin", "copies": 12, "available": 12},
    ]);
    let loans = json!([
        {"book_id": "2", "borrower": "王小明", "borrowed_at": ago(60), "returned_at": null},
        {"book_id": "1", "borrower": "Ann", "borrowed_at": ago(90_000), "returned_at": null},
    ]);
    Action::Library {
        books: serde_json::from_value::<Vec<Book>>(books).unwrap().into(),
        loans: serde_json::from_value::<Vec<Loan>>(loans).unwrap().into(),
    }
}
