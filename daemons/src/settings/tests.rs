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
fn the_consoles_sections_of_the_file_are_left_to_the_console() {
    let written = "[console]\ntheme = \"truecolor\"\n[keys]\n\"log.follow\" = [\"F5\"]\n";
    assert!(load(&[], written).is_ok());
}

#[test]
fn a_value_that_cannot_be_is_named_with_its_key() {
    let error = load(&["--monitor-failures", "0"], "").unwrap_err().to_string();
    assert!(error.contains("monitor") && error.contains("at least 1"), "{error}");
}

#[test]
fn classes_are_an_array_in_the_file_and_one_text_in_a_flag() {
    let file = "[log]\nkeep_age = \"30d\"\nkeep_size = 0\nclasses = [\"debug=1d level:<=debug\", \"b=off service:b\"]\n";
    let shown = |settings: &Settings, key| {
        settings.rows.iter().find(|row| row.key == key).map(|row| row.value.clone()).unwrap()
    };
    let settings = load(&[], file).unwrap();
    assert_eq!(settings.log.keep_size, Limit(None));
    assert_eq!(shown(&settings, "log.keep_age"), "30d");
    assert_eq!(shown(&settings, "log.keep_size"), "off");
    let classes = "[\"debug=1d level:<=debug\",\"b=off service:b\"]";
    assert_eq!(shown(&settings, "log.classes"), classes);
    let flags = ["--log-classes", "a=2d level:info; c=3d service:c", "--log-keep-age", ""];
    let settings = load(&flags, file).unwrap();
    let names: Vec<_> = settings.log.classes.as_slice().iter().map(|class| class.name.as_str()).collect();
    assert_eq!((names, settings.log.keep_age), (vec!["a", "c"], Limit(None)));
}

#[test]
fn a_class_that_cannot_be_is_named_with_its_line() {
    let error = load(&[], "[log]\nclasses = [\"a=1d level:info\", \"b=soon level:info\"]\n").unwrap_err();
    let error = error.to_string();
    assert!(error.contains("the class 'b=soon level:info'") && error.contains("line 2"), "{error}");
}

#[test]
fn a_limit_of_the_log_leaves_room_for_the_live_file() {
    assert_eq!(load(&[], "").unwrap().log.keep_size, Limit(Some(Size(50 << 30))));
    for (flag, value, reason) in
        [("--log-keep-size", "127MiB", "twice log.rotate_size"), ("--log-keep-age", "10ms", "at least 1s")]
    {
        let error = load(&[flag, value], "").unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_memory_of_searches_has_bounds() {
    assert_eq!(load(&[], "").unwrap().log.query_memory, Size(128 << 20));
    assert_eq!(load(&[], "[log]\nquery_memory = \"16MiB\"\n").unwrap().log.query_memory, Size(16 << 20));
    for value in ["15MiB", "2048TiB"] {
        let error = load(&["--log-query-memory", value], "").unwrap_err().to_string();
        assert!(error.contains("log.query_memory"), "{error}");
    }
}

#[test]
fn a_share_is_a_percentage_or_a_number() {
    for (flag, share, shown) in [("30%", 0.3, "30%"), ("0.125", 0.125, "12.5%"), ("100%", 1.0, "100%")] {
        let settings = load(&["--registry-guard-share", flag], "").unwrap();
        assert_eq!(settings.registry.guard_share, Share(share));
        assert_eq!(settings.registry.guard_share.to_string(), shown);
    }
    assert_eq!(load(&[], "[registry]\nguard_share = 0.5\n").unwrap().registry.guard_share, Share(0.5));
    assert!(load(&[], "[registry]\nguard_share = \"130%\"\n").is_err());
    assert!(load(&["--registry-guard-hold", "2h"], "").is_err());
    for (key, value) in [("dns", "nowhere"), ("dns-domain", "a..b"), ("changes-kept", "0")] {
        let error = load(&[&format!("--registry-{key}"), value], "").unwrap_err().to_string();
        assert!(error.contains(&format!("registry.{}", key.replace('-', "_"))), "{error}");
    }
}
