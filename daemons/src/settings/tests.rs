//! Flag over environment over file over default; what is wrong is named.

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    given: Given,
}

fn load(flags: &[&str], file: &str) -> Result<Settings, SettingsError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("distlog.toml");
    std::fs::write(&path, file).unwrap();
    let cli = Cli::try_parse_from(std::iter::once(&"distlogd").chain(flags)).unwrap();
    Settings::load(cli.given, Some(&path))
}

#[test]
fn every_default_is_a_value_of_its_kind() {
    let settings = load(&[], "").unwrap();
    assert!(settings.rows.iter().all(|row| row.origin == Origin::Default));
    assert_eq!(settings.port(Daemon::Monitor), 5003);
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let file = "[monitor]\ninterval = \"5s\"\ntimeout = \"1s\"\n[log]\nrotate_size = 4096\n";
    let settings = load(&["--monitor-interval", "2s"], file).unwrap();
    assert_eq!(settings.monitor.interval.to_string(), "2s");
    assert_eq!(settings.monitor.timeout.to_string(), "1s");
    assert_eq!(settings.monitor.failures, 3);
    assert_eq!(settings.log.rotate_size, Size(4096));
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let error = load(&[], "[log]\nrotate_sise = 4096\n").unwrap_err().to_string();
    assert!(error.contains("rotate_sise") && error.contains("line 2"), "{error}");
}

#[test]
fn a_value_that_cannot_be_is_named_with_its_key() {
    let error = load(&["--monitor-failures", "0"], "").unwrap_err().to_string();
    assert!(error.contains("monitor") && error.contains("at least 1"), "{error}");
}
