//! `tail` and `search`, as a pipe sees them.

use crate::daemons::{Fleet, console};
use crate::live::{log, log_at};
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

fn run(fleet: &Fleet, arguments: &[&str]) -> Output {
    Command::new(console())
        .args(arguments)
        .args(["--log-url", &fleet.url("log")])
        .current_dir(fleet.dir())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_search_ends_as_grep_does() {
    let fleet = Fleet::started();
    for n in 1..=3 {
        log(&fleet, "Billing", &format!("invoice {n}"));
    }
    let found = run(&fleet, &["search", "invoice"]);
    assert_eq!(found.status.code(), Some(0));
    let lines = text(found.stdout);
    let messages: Vec<&str> = lines.lines().filter_map(|line| line.split("Billing: ").nth(1)).collect();
    assert_eq!(messages, ["invoice 1", "invoice 2", "invoice 3"], "oldest first, without colour in a pipe");

    let none = run(&fleet, &["search", "nothing_of_this_name"]);
    assert_eq!((none.status.code(), none.stdout.len(), none.stderr.len()), (Some(1), 0, 0));

    let wrong = run(&fleet, &["search", "invoice OR ("]);
    let said = text(wrong.stderr);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
    assert!(said.contains("  invoice OR (\n              ^"), "{said}");

    let away = run(&Fleet::new(), &["search", "invoice"]);
    assert_eq!(away.status.code(), Some(2));
    assert!(text(away.stderr).contains("not reachable"));
}

#[test]
fn a_search_is_narrowed_and_printed_as_it_is_asked_for() {
    let fleet = Fleet::started();
    for n in 1..=3 {
        log(&fleet, "Billing", &format!("invoice {n}"));
    }
    log(&fleet, "Shipping", "invoice 4");
    let newest =
        text(run(&fleet, &["search", "--service", "Billing", "--limit", "2", "--format", "json"]).stdout);
    let newest: Vec<Value> = serde_json::from_str(&newest).unwrap();
    let messages: Vec<_> = newest.iter().map(|record| record["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["invoice 2", "invoice 3"], "the newest two, oldest first");
    let lines = text(run(&fleet, &["search", "invoice", "--format", "ndjson"]).stdout);
    assert!(
        lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()) && lines.lines().count() == 4
    );
    let coloured = text(run(&fleet, &["search", "invoice", "--color", "always"]).stdout);
    assert!(coloured.contains("\x1b[32m INFO\x1b[0m"), "{coloured}");
    assert_eq!(run(&fleet, &["search", "invoice", "--until", "1h"]).status.code(), Some(1));
    assert_eq!(
        run(&fleet, &["search", "invoice", "--since", "1h", "--level", "warn"]).status.code(),
        Some(1)
    );
}

/// A tail that is read line by line.
struct Tail {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Tail {
    fn start(fleet: &Fleet, arguments: &[&str]) -> Self {
        let mut child = Command::new(console())
            .args(["tail", "--log-url", &fleet.url("log")])
            .args(arguments)
            .current_dir(fleet.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line; blocks until there is one.
    fn next(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_tail_goes_on_over_a_crash_of_the_log_without_a_gap_or_a_repeat() {
    let mut fleet = Fleet::started();
    // The clock of one sender is ahead: its record stays the latest by its time.
    log_at(&fleet, "Ahead", "x", Some(Utc::now() + TimeDelta::hours(1)));
    log(&fleet, "Billing", "invoice 0");
    let mut tail = Tail::start(&fleet, &["invoice", "--since", "1h"]);
    assert!(tail.next().contains("invoice 0"), "what was stored since then comes first");
    log(&fleet, "Billing", "invoice 1");
    assert!(tail.next().contains("invoice 1"));
    fleet.kill();
    fleet.start();
    for n in 2..=5 {
        log(&fleet, "Billing", &format!("invoice {n}"));
    }
    for n in 2..=5 {
        let line = tail.next();
        assert!(line.contains(&format!("invoice {n}")), "{line}");
    }
}

#[test]
fn a_tail_ends_after_as_many_as_were_asked_for_or_when_its_reader_has_gone() {
    let fleet = Fleet::started();
    for n in 0..3 {
        log(&fleet, "Billing", &format!("invoice {n}"));
    }
    let output = run(&fleet, &["tail", "invoice", "--since", "1h", "--limit", "2", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let records: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(records.len(), 2);

    let mut tail = Tail::start(&fleet, &["invoice", "--since", "1h"]);
    tail.next();
    let Tail { child, lines } = &mut tail;
    // The pipe is closed by giving its end away.
    drop(std::mem::replace(lines, BufReader::new(spare())));
    log(&fleet, "Billing", "invoice 4711");
    assert_eq!(child.wait().unwrap().code(), Some(0), "a closed pipe is no error");
}

/// The output of something that has ended.
fn spare() -> ChildStdout {
    let mut child = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    child.wait().unwrap();
    stdout
}

#[test]
fn a_filter_that_is_refused_ends_a_tail() {
    let fleet = Fleet::started();
    let output = run(&fleet, &["tail", "invoice OR ("]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(output.stderr).contains('^'));
}
