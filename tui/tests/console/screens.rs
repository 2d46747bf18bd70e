//! The screens against what the daemons really say.

use crate::daemons::Fleet;
use crate::terminal::Console;
use shared::client::{RegistryClient, http};
use shared::wire::registry::Register;

/// Registers an instance without a lease, as an operator would.
fn register(fleet: &Fleet, service: &str, url: &str, requires: &[&str]) {
    let register = Register {
        service_name: service.to_owned(),
        service_url: url.to_owned(),
        instance_id: Some(format!("{service}-1")),
        health_check_url: Some(format!("{url}/health")),
        required_services: requires.iter().map(|&name| name.to_owned()).collect(),
        ..Register::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = RegistryClient::new(&fleet.url("registry"), http::build(|builder| builder).unwrap());
        client.register(&register).await.unwrap();
    });
}

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn an_instance_is_put_under_maintenance_and_that_is_ended() {
    let fleet = Fleet::started();
    register(&fleet, "Aaa", &fleet.url("log"), &[]);
    let mut console = Console::start(&fleet, &[]);
    console.press("2");
    console.sees(&["Services: 7 instances", "● healthy     Aaa"]);
    console.press("m\x15never\r");
    console.sees(&["✗ is maintenance or drain"]);
    console.press("\x15drain\tnew disk\t\x15Ann\tsoon\r");
    console.sees(&["✗ is 2h, 2026-11-22T18:00:00Z or forever"]);
    console.press("\x152h\r");
    console.sees(&["Aaa-1 is drained", "▽ draining    Aaa"]);
    console.press("\r");
    console.sees(&["▽ drained, by Ann, until", "new disk"]);
    console.press("\x1b");
    console.sees(&["Services: 7 instances"]);
    console.press("m");
    console.sees(&["End the draining of Aaa-1?", "by Ann (new disk)"]);
    console.press("y");
    console.sees(&["the maintenance of Aaa-1 is ended", "● healthy     Aaa"]);
}

#[test]
fn an_incident_appears_with_what_follows_from_it_and_is_taken_up() {
    let fleet = Fleet::started();
    register(&fleet, "Aaa", NOBODY, &[]);
    register(&fleet, "Bbb", NOBODY, &["Aaa"]);
    register(&fleet, "Ccc", &fleet.url("log"), &["Aaa"]);
    let mut console = Console::start(&fleet, &[]);
    console.press("4");
    let screen = console.sees(&["1 open", "✗ down        ├─ Bbb", "▲ at risk     └─ Ccc", "follows from"]);
    assert!(screen.find("✗ down        Aaa") < screen.find("├─ Bbb"), "the root first:\n{screen}");
    console.sees(&["nobody has taken it up", "Aaa is down since"]);
    console.press("a\x15\r");
    console.sees(&["✗ is needed"]);
    console.press("Ann\r");
    console.sees(&["Ann looks after incident", "Ann looks after it since"]);
    console.press("\r");
    console.sees(&["Uptime", "day 0.0 %"]);
    console.press("\x1b");
    console.sees(&["Incidents: 1 open"]);
    console.press("jm");
    console.sees(&["Maintenance", "Service     Bbb"]);
    console.press("\x1b");
    console.sees_no("Service     Bbb");
    console.press("1");
    console.sees(&["Open incidents", "✗ Aaa since", "Ann looks after it"]);
}

#[test]
fn a_copy_is_borrowed_and_returned_and_what_the_library_refuses_stands_at_its_field() {
    let fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.press("5");
    console.sees(&["分布式系统设计", "1/1"]);
    console.press("b\x1b[A\x15nowhere\tAnn\r");
    let screen = console.sees(&["✗ there is no book 'nowhere'"]);
    let (book, fault) = (screen.find("Book  ").unwrap(), screen.find("✗ there").unwrap());
    assert!(book < fault && fault < screen.find("Borrower  ").unwrap(), "{screen}");
    console.press("\x152\r");
    console.sees(&["book 2 was borrowed by Ann", "0/1"]);
    console.press("b\x1b[A\x152\tBob\r");
    console.sees(&["✗ no copy of '分布式系统设计' is in"]);
    console.press("\x1b");
    console.sees_no("Borrow a book");
    console.press("r\x1b[A\x152\t\x15Bob\r");
    console.sees(&["✗ 'Bob' has no copy of '分布式系统设计' to return"]);
    console.press("\x15Ann\r");
    console.sees(&["book 2 was returned by Ann", "1/1"]);
    console.press("/li");
    console.sees(&["/ li"]);
    console.press("\x15李四\r");
    console.sees(&["Books: 1 of 3"]);
}
