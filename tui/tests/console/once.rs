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

    let text = String::from_utf8(once(&fleet, "text").stdout).unwrap();
    assert!(text.starts_with("SERVICE") && text.contains("LibraryService"), "{text}");

    let register = r#"{"serviceName":"AaaService","serviceUrl":"http://localhost:1"}"#;
    post(&fleet.url("registry"), "/services", register);
    let snapshot: Value = serde_json::from_slice(&once_until(&fleet, 2).stdout).unwrap();
    assert_eq!(snapshot["healthy"], false);
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

#[test]
fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is_one() {
    let fleet = Fleet::started();
    for arguments in [&["--once"] as &[&str], &["keys"], &["completions", "bash"], &["man"]] {
        for (to, fails) in [("", false), ("/dev/full", true)] {
            let mut command = Command::new(console());
            // Where it is read from is closed before it starts.
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let out =
                if to.is_empty() { Stdio::from(writer) } else { std::fs::File::create(to).unwrap().into() };
            let output = command
                .args(fleet.flags())
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(out)
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(said.contains("os error"), fails, "{arguments:?} {said}");
            assert!(said.lines().count() <= 1 && output.status.code() != Some(101), "{arguments:?} {said}");
        }
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error_and_not_nothing_found() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("distlog.toml");
    std::fs::write(&file, "[console]\ntheme = 1\n").unwrap();
    for (command, status) in [("search", 2), ("tail", 2), ("keys", 1)] {
        let output =
            Command::new(console()).arg(command).arg("--config").arg(&file).stdin(Stdio::null()).output();
        assert_eq!(output.unwrap().status.code(), Some(status), "{command}");
    }
}
