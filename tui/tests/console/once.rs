//! `--once`, and what else is printed.

use crate::daemons::{Fleet, console};
use serde_json::Value;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn run(arguments: &[String]) -> Output {
    Command::new(console()).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn once(fleet: &Fleet, format: &str) -> Output {
    let mut arguments = fleet.flags();
    arguments.extend(["--once", "--format", format].map(ToOwned::to_owned));
    run(&arguments)
}

/// The first snapshot of this exit status: the monitor needs a few probes.
fn once_until(fleet: &Fleet, status: i32) -> Output {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let output = once(fleet, "json");
        if output.status.code() == Some(status) {
            return output;
        }
        assert!(Instant::now() < give_up, "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_snapshot_of_nothing_says_what_cannot_be_reached() {
    let output = once(&Fleet::new(), "text");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(said.contains("the registry cannot be reached") && said.contains("the monitor"), "{said}");
}

#[test]
fn a_snapshot_tells_by_its_exit_status_whether_all_is_healthy() {
    let fleet = Fleet::started();
    let output = once_until(&fleet, 0);
    let snapshot: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(snapshot["healthy"], true);
    let services = snapshot["services"].as_array().unwrap();
    assert!(services.iter().any(|s| s["name"] == "LibraryService" && s["status"] == "healthy"), "{snapshot}");

    assert_eq!(
        (&snapshot["log"]["reachable"], &snapshot["library"]["reachable"]),
        (&true.into(), &true.into())
    );
    assert_eq!(snapshot["open_incidents"], Value::Array(Vec::new()));

    let text = String::from_utf8(once(&fleet, "text").stdout).unwrap();
    assert!(text.contains("\nlog      answers\n") && !text.contains('\x1b'), "{text}");
    assert!(text.starts_with("SERVICE") && text.contains("LibraryService"), "{text}");

    let register = r#"{"serviceName":"AaaService","serviceUrl":"http://localhost:1"}"#;
    post(&fleet.url("registry"), "/services", register);
    let snapshot: Value = serde_json::from_slice(&once_until(&fleet, 2).stdout).unwrap();
    assert_eq!(snapshot["healthy"], false);
}

#[test]
fn a_reader_that_has_had_enough_is_no_error_and_a_full_disk_is_one_in_a_line() {
    let file = |name: &str| Stdio::from(std::fs::OpenOptions::new().write(true).open(name).unwrap());
    for arguments in [["completions", "bash"].as_slice(), &["man"], &["keys"]] {
        let mut child = Command::new(console()).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?} into a closed pipe");
        let output = Command::new(console()).args(arguments).stdout(file("/dev/full")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    }
}

#[test]
fn a_configuration_that_is_wrong_is_not_mistaken_for_nothing_found() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("distlog.toml");
    std::fs::write(&file, "[keys]\n\"form.submit\" = \"a\"\n").unwrap();
    let config = format!("--config={}", file.display());
    for (subcommand, status) in [(["search", "x"].as_slice(), 2), (&["keys"], 1)] {
        let mut arguments = vec![config.clone()];
        arguments.extend(subcommand.iter().map(|&word| word.to_owned()));
        let output = run(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains("form.submit: 'a' could not be typed any more"), "{said}");
    }
}

/// A request without a library for it.
fn post(url: &str, path: &str, body: &str) {
    use std::io::{Read, Write};
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let output = run(&[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("terminal") && said.contains("--once"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn completions_and_the_man_page_are_printed() {
    for (arguments, holds) in
        [(["completions", "bash"].as_slice(), "--registry-url"), (&["man"], ".TH distlog-tui")]
    {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let output = run(&arguments);
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains(holds), "{arguments:?}");
    }
}
