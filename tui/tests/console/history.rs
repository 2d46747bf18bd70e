//! The log as the console holds it, beside the log as it was stored.

use crate::daemons::Fleet;
use crate::terminal::Console;
use shared::client::{LogClient, http};
use shared::wire::log::{NewRecord, Record};
use std::fs;

const PAGE_UP: &str = "\x1b[5~";
const PAGE_DOWN: &str = "\x1b[6~";

/// Stores records whose messages are numbered.
fn store(fleet: &Fleet, numbers: std::ops::Range<usize>) {
    let record = |n| NewRecord {
        service: Some("Billing".to_owned()),
        message: format!("invoice {n} was sent"),
        ..NewRecord::default()
    };
    let records: Vec<NewRecord> = numbers.map(record).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = LogClient::new(&fleet.url("log"), http::build(|builder| builder).unwrap());
        for records in records.chunks(1_000) {
            client.append(records, None).await.unwrap();
        }
    });
}

/// What the console holds, as it writes it to a file.
fn held(fleet: &Fleet, console: &mut Console, name: &str) -> Vec<Record> {
    console.press(&format!("X\x15{name}\r"));
    console.sees(&[&format!("written to {name}")]);
    let written = fs::read_to_string(fleet.dir().join(name)).unwrap();
    written.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The numbers of the invoices, which must follow one upon the other.
fn invoices(records: &[Record]) -> Vec<usize> {
    let number = |record: &Record| record.message.strip_prefix("invoice ")?.split(' ').next()?.parse().ok();
    records.iter().filter_map(number).collect()
}

#[test]
fn one_scrolls_back_to_the_first_record_and_down_again_without_a_gap_or_a_repeat() {
    let fleet = Fleet::started();
    store(&fleet, 0..4_000);
    let mut console = Console::start(&fleet, &[]);
    console.press("3");
    console.sees(&["invoice 3999 was sent"]);
    console.insist(&PAGE_UP.repeat(30), "invoice 0 was sent");
    assert_eq!(invoices(&held(&fleet, &mut console, "up.ndjson")), Vec::from_iter(0..4_000));
    // From the other end, past what is held at first.
    console.press("Gg");
    console.sees(&["■ paused", "invoice 0 was sent"]);
    console.insist(&PAGE_DOWN.repeat(30), "invoice 3999 was sent");
    assert_eq!(invoices(&held(&fleet, &mut console, "down.ndjson")), Vec::from_iter(0..4_000));
    store(&fleet, 4_000..4_010);
    console.press("G");
    console.sees(&["▶ following", "invoice 4009 was sent"]);
    assert_eq!(invoices(&held(&fleet, &mut console, "end.ndjson")), Vec::from_iter(0..4_010));
}

#[test]
fn what_is_stored_around_a_crash_is_shown_once_and_in_order() {
    let mut fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.press("3");
    console.sees(&["▶ following", "● log"]);
    for turn in 0..3 {
        store(&fleet, turn * 200..turn * 200 + 100);
        console.sees(&[&format!("invoice {} was sent", turn * 200 + 99)]);
        fleet.kill();
        console.sees(&["log", "away"]);
        fleet.start();
        // Before the console has found it again.
        store(&fleet, turn * 200 + 100..turn * 200 + 200);
        console.sees(&[&format!("invoice {} was sent", turn * 200 + 199)]);
    }
    let held = held(&fleet, &mut console, "held.ndjson");
    assert_eq!(invoices(&held), Vec::from_iter(0..600));
    assert!(held.is_sorted_by(|a, b| a.seq < b.seq));
}

#[test]
fn a_time_an_error_and_a_mark_far_back_are_gone_to() {
    let fleet = Fleet::started();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = LogClient::new(&fleet.url("log"), http::build(|builder| builder).unwrap());
        let record = |message: &str, level| NewRecord {
            ts: Some("2026-01-02T03:04:05Z".parse().unwrap()),
            level: Some(level),
            service: Some("Past".to_owned()),
            message: message.to_owned(),
            ..NewRecord::default()
        };
        use shared::wire::log::Level;
        let records = [record("long ago", Level::Info), record("long ago it failed", Level::Error)];
        client.append(&records, None).await.unwrap();
    });
    store(&fleet, 0..3_000);
    let mut console = Console::start(&fleet, &[]);
    console.press("3");
    console.sees(&["invoice 2999 was sent"]);
    console.press("E");
    console.sees(&["■ paused", "long ago it failed"]);
    console.press("mG");
    console.sees(&["▶ following", "invoice 2999 was sent"]);
    console.press("'");
    console.sees(&["■ paused", "◆◉ ERROR", "long ago it failed"]);
    console.press("Gt2026-01-02\r");
    console.sees(&["■ paused", "long ago", "invoice 0 was sent"]);
    console.press("c");
    console.sees(&["context", "Past", "long ago it failed"]);
    console.sees_no("invoice 0");
    console.press("\x1b");
    console.sees(&["invoice 0 was sent"]);
}
