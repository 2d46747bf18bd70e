//! The console at work.

use crate::daemons::Fleet;
use crate::terminal::Console;
use chrono::{DateTime, Utc};
use shared::client::{LogClient, http};
use shared::wire::log::NewRecord;
use std::net::TcpStream;
use std::process::Command;

/// Stores a record, as any service would.
pub(crate) fn log(fleet: &Fleet, service: &str, message: &str) {
    log_at(fleet, service, message, None);
}

/// As [`log`], with a time of its own.
pub(crate) fn log_at(fleet: &Fleet, service: &str, message: &str, ts: Option<DateTime<Utc>>) {
    let (service, message) = (Some(service.to_owned()), message.to_owned());
    let record = NewRecord { ts, service, message, ..NewRecord::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = LogClient::new(&fleet.url("log"), http::build(|builder| builder).unwrap());
        client.append(&[record], None).await.unwrap();
    });
}

pub(crate) fn signal(name: &str, process: u32) {
    let status = Command::new("kill").args([format!("-{name}"), process.to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn it_starts_before_the_daemons_and_shows_them_once_they_are_there() {
    let mut fleet = Fleet::new();
    let mut console = Console::start(&fleet, &[]);
    console.sees(&["Waiting for the registry", "distlogd all", "--local"]);
    console.press("3");
    console.sees(&["waiting for the log"]);
    fleet.start();
    console.press("1");
    console.sees(&["● registry", "● monitor", "● log", "● library", "LibraryService", "● healthy"]);
    console.press("2");
    console.sees(&["LogService", fleet.url("log").rsplit(':').next().unwrap()]);
}

#[test]
fn a_record_appears_as_it_is_stored_and_can_be_searched_filtered_and_opened() {
    let fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.press("3");
    console.sees(&["▶ following", "● log"]);
    log(&fleet, "Billing", "invoice 4711 was sent");
    console.sees(&["Billing", "invoice 4711 was sent"]);
    console.press("sthe cat sat\r");
    console.sees(&["the log holds it as record", "◇ INFO  Console         the cat sat"]);
    console.press("F4711 OR (\r");
    console.sees(&["^", "✗ "]);
    console.press("\x15invoice\r");
    console.sees(&["· invoice", "invoice 4711"]);
    console.sees_no("the cat sat");
    log(&fleet, "Billing", "a cat that does not pass");
    log(&fleet, "Billing", "invoice 4712 was sent");
    console.sees(&["invoice 4712"]);
    console.sees_no("does not pass");
    console.press("\r");
    console.sees(&["Record ", "service           Billing"]);
    console.press("\x1b");
    console.sees(&["■ paused"]);
    console.press("x");
    console.sees(&["the cat sat", "■ paused"]);
    console.press("G");
    console.sees(&["▶ following"]);
}

#[test]
fn books_are_added_borrowed_and_returned_and_refusals_are_shown() {
    let fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.press("5");
    console.sees(&["分布式系统设计", "李四", "1/1"]);
    console.press("a\r");
    console.sees(&["✗ is needed"]);
    console.press("Dune\tHerbert\t2\tdune-1\r");
    console.sees(&["Dune was added as book dune-1", "2/2"]);
    console.press("b\x1b[A\x15dune-1\tAnn\r");
    console.sees(&["book dune-1 was borrowed by Ann", "1/2", "● out"]);
    console.press("b\x1b[A\x15nowhere\tAnn\r");
    console.sees(&["Borrow a book", "✗ "]);
    console.press("\x1b");
    console.sees_no("Borrow a book");
    console.press("lr\r");
    console.sees(&["book dune-1 was returned by Ann", "2/2"]);
}

#[test]
fn an_instance_is_registered_in_a_form_and_deregistered_after_a_question() {
    let fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.press("2");
    console.sees(&["Services: 6 instances"]);
    console.press("rAaaService\thttp://localhost:1\r");
    console.sees(&["is registered", "Services: 7 instances"]);
    console.press("g\r");
    console.sees(&["Lease", "none: stays until it is removed"]);
    console.press("\x1b");
    console.sees(&["Services: "]);
    console.press("d");
    console.sees(&["Deregister AaaService", "no lease"]);
    console.press("n");
    console.sees_no("Deregister AaaService");
    console.press("dy");
    console.sees(&["was deregistered", "Services: 6 instances"]);
    console.press("u");
    console.sees(&["is registered again as it was", "Services: 7 instances"]);
}

#[test]
fn daemons_that_are_killed_leave_what_is_shown_stale_until_they_are_back() {
    let mut fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.sees(&["LibraryService", "● healthy", "● log"]);
    log(&fleet, "Billing", "before the crash");
    console.press("3");
    console.sees(&["before the crash"]);
    fleet.kill();
    console.sees(&["▲ registry, monitor, log, library away", "as of", "before the crash"]);
    console.press("1");
    console.sees(&["▲ as of", "LibraryService"]);
    fleet.start();
    console.sees(&["● registry", "● monitor", "● log", "● library"]);
    console.sees_no("as of");
    log(&fleet, "Billing", "after the crash");
    console.press("3");
    let screen = console.sees(&["before the crash", "after the crash"]);
    assert_eq!(screen.matches("before the crash").count(), 1, "no repeat:\n{screen}");
}

#[test]
fn daemons_that_hang_are_told_from_those_that_have_nothing_to_tell() {
    let fleet = Fleet::started();
    let console = Console::start(&fleet, &[]);
    console.sees(&["● registry", "● monitor", "● log", "● library", "LibraryService"]);
    signal("STOP", fleet.id());
    console.sees(&["▲ registry, monitor, log, library away", "LibraryService"]);
    signal("CONT", fleet.id());
    console.sees(&["● registry", "● monitor", "● log", "● library"]);
    console.sees_no("away");
}

#[test]
fn the_incident_of_a_service_that_does_not_answer_is_shown_with_its_evidence() {
    let fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.sees(&["● healthy"]);
    console.press("2rAaaService\thttp://localhost:1\r");
    console.sees(&["is registered"]);
    console.press("4");
    console.sees(&[
        "Incidents: 1 open",
        "AaaService, incident ",
        "AaaService is down since",
        "Why",
        "connect",
    ]);
    console.press("1");
    console.sees(&["✗ 1 unhealthy", "Open incidents"]);
}

#[test]
fn it_leaves_the_terminal_as_it_was() {
    let fleet = Fleet::new();
    for keys in ["q", "\x03", "2r\x03"] {
        let mut console = Console::start(&fleet, &[]);
        console.sees(&["Waiting for the registry"]);
        console.press(keys);
        assert_eq!(console.left(), 0, "{keys:?}");
    }
    for name in ["TERM", "HUP", "INT", "QUIT"] {
        let console = Console::start(&fleet, &[]);
        console.sees(&["Waiting for the registry"]);
        signal(name, console.id());
        assert_eq!(console.left(), 0, "{name}");
    }
}

#[test]
fn it_draws_anew_on_request_and_after_it_was_stopped_without_asking_the_terminal() {
    let mut console = Console::start(&Fleet::new(), &[]);
    console.sees(&["Waiting for the registry"]);
    for key in ["\x0c", "\x1a"] {
        // The terminal here answers no query. While the console is stopped, keys
        // are the shell's.
        console.press(key);
        console.insist("3", "▶ following");
        console.insist("1", "Waiting for the registry");
    }
}

#[test]
fn a_log_that_begins_anew_is_followed_from_its_beginning() {
    let mut fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.press("3");
    for n in 0..50 {
        log(&fleet, "Billing", &format!("old record {n}"));
    }
    console.sees(&["old record 49"]);
    fleet.kill();
    fleet.forget();
    fleet.start();
    log(&fleet, "Billing", "new record");
    console.sees(&["new record"]);
    console.sees_no("old record");
}

#[test]
fn daemons_of_its_own_are_started_when_there_are_none_and_stopped_on_the_way_out() {
    let fleet = Fleet::new();
    let mut console = Console::start(&fleet, &["--local"]);
    console.sees(&["● registry", "● monitor", "● log", "● library", "LibraryService"]);
    console.press("q");
    assert_eq!(console.left(), 0);
    let registry = fleet.url("registry");
    let address = registry.strip_prefix("http://").unwrap();
    assert!(TcpStream::connect(address).is_err(), "the registry is stopped");
    assert!(fleet.dir().join("distributed.log").is_file(), "they ran in the directory of the console");
}

#[test]
fn daemons_of_its_own_that_ended_are_told_of_and_started_again_with_a_key() {
    let fleet = Fleet::new();
    let mut console = Console::start(&fleet, &["--local"]);
    console.sees(&["● registry", "● monitor", "● log", "● library", "LibraryService"]);
    let children = format!("/proc/{0}/task/{0}/children", console.id());
    let children = std::fs::read_to_string(children).unwrap();
    signal("KILL", children.split_whitespace().next().unwrap().parse().unwrap());
    console
        .sees(&["✗ distlogd all has ended (signal: 9 (SIGKILL)): Ctrl-R starts it again", "LibraryService"]);
    console.press("\x12");
    console.sees(&["● registry", "● monitor", "● log", "● library", "● healthy"]);
    console.sees_no("has ended");
    console.press("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn daemons_of_its_own_are_stopped_and_not_killed_where_nobody_can_be_told() {
    let fleet = Fleet::new();
    let mut console = Console::start_unheard(&fleet, &["--local"]);
    console.sees(&["● registry", "● monitor", "● log", "● library", "LibraryService"]);
    console.press("q");
    assert_eq!(console.left(), 0);
    // SQLite takes the write-ahead log away when the last connection closes.
    for database in ["registry", "library", "provider", "monitor"] {
        let data = fleet.dir().join("distlog-data").join(database);
        assert!(data.join(format!("{database}.db")).is_file());
        assert!(!data.join(format!("{database}.db-wal")).exists(), "{database} was closed");
    }
}

#[test]
fn daemons_of_others_are_used_and_left_running() {
    let fleet = Fleet::started();
    let mut console = Console::start(&fleet, &["--local"]);
    console.sees(&["LibraryService", "● healthy"]);
    console.press("q");
    assert_eq!(console.left(), 0);
    let registry = fleet.url("registry");
    assert!(TcpStream::connect(registry.strip_prefix("http://").unwrap()).is_ok(), "it is still there");
}

#[test]
fn queries_that_were_typed_come_back_in_the_next_session() {
    let fleet = Fleet::started();
    log(&fleet, "Billing", "invoice 4711");
    let mut console = Console::start(&fleet, &[]);
    console.press("3");
    console.sees(&["● log", "invoice 4711"]);
    console.press("Finvoice OR receipt\r");
    console.sees(&["· invoice OR receipt"]);
    console.press("q");
    assert_eq!(console.left(), 0);
    let mut console = Console::start(&fleet, &[]);
    console.press("3");
    console.sees(&["● log", "invoice 4711"]);
    console.sees_no("receipt");
    console.press("F\x1b[A");
    console.sees(&["invoice OR receipt"]);
}
