//! What an import reads: times, levels, encodings, the lines of containers.

use super::{done, export, import, row, tool, write};
use crate::harness::{Running, Setup};
use serde_json::Value;

/// Times, levels, messages, in the order of the sequence.
fn timed(log: &Running) -> Vec<(String, String, String)> {
    let text = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
    let row = |record: &Value| (text(record, "ts"), text(record, "level"), text(record, "message"));
    export(log, &[]).lines().map(|line| row(&serde_json::from_str(line).unwrap())).collect()
}

#[tokio::test]
async fn what_is_assumed_of_times_is_told_once_and_a_time_that_is_not_understood_ends_with_3() {
    let log = Setup::new("log").start().await;
    let lines = "2018-02-24 10:11:12 +0200 ERROR a\n2018-02-24 10:11:12 b\n2018-02-24 10:11:13 c\n  at d\n\
                 03/04/2018 10:11:12Z e\n10:11:14 f\n10:11:15 g\nh\n";
    write(&log, "app.log", lines);
    let output = tool(&log, &["import", "app.log"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let instead = "stored with the time of the line above, or of the import";
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "distlogd: 1 line without a time: {instead}; first: app.log line 8\n\
             distlogd: 2 lines with a time that is not understood: {instead}; first: app.log line 6\n\
             distlogd: 2 lines with no zone: read as UTC (--zone decides); first: app.log line 2\n\
             distlogd: 1 line with day and month (or year) in an order that is not certain (--date-order decides); \
             first: app.log line 5\n"
        )
    );
    let stored = timed(&log);
    assert_eq!(stored[0], row("2018-02-24T08:11:12.000000Z", "error", "ERROR a"));
    assert_eq!(stored[1], row("2018-02-24T10:11:12.000000Z", "info", "b"));
    assert_eq!(stored[4], row("2018-03-04T10:11:12.000000Z", "info", "e"));
    assert_eq!(stored[5], row("2018-03-04T10:11:12.000000Z", "info", "10:11:14 f"));
    let decided = "2018-02-24 10:11:12 b\n03/04/2018 10:11:12 e\nFeb 24 10:11:12 h i: j\n";
    write(&log, "decided.log", decided);
    let args = ["import", "decided.log", "--zone", "-05:00", "--date-order", "dmy", "--year", "1999"];
    let (_, err) = done(tool(&log, &args).output().unwrap());
    assert_eq!(err, "");
    let times: Vec<_> = timed(&log).into_iter().skip(8).map(|(ts, ..)| ts).collect();
    let wanted = ["2018-02-24T15:11:12", "2018-04-03T15:11:12", "1999-02-24T15:11:12"];
    assert_eq!(times, wanted.map(|ts| format!("{ts}.000000Z")));
    let refused = tool(&log, &["import", "decided.log", "--zone", "Mars/Base"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}

#[tokio::test]
async fn utf_16_is_read_as_the_text_that_it_is() {
    let log = Setup::new("log").start().await;
    let text = "2018-02-24T10:11:12Z ERROR größer 书\r\n2018-02-24T10:11:13Z b\r\n";
    let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    let marked: Vec<u8> =
        units(&format!("\u{feff}{text}")).iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let plain: Vec<u8> = units(text).iter().flat_map(|unit| unit.to_le_bytes()).collect();
    for (name, bytes) in [("marked.log", marked), ("plain.log", plain)] {
        write(&log, name, bytes);
        import(&log, &[name]);
    }
    let once = [
        row("2018-02-24T10:11:12.000000Z", "error", "ERROR größer 书"),
        row("2018-02-24T10:11:13.000000Z", "info", "b"),
    ];
    assert_eq!(timed(&log), [once.clone(), once].concat());
}

#[tokio::test]
async fn the_parts_of_a_line_of_a_container_are_joined() {
    let log = Setup::new("log").start().await;
    let cri = "2018-02-24T10:11:12Z stdout P one \n2018-02-24T10:11:13Z stderr F ERROR other\n\
               2018-02-24T10:11:14Z stdout P and \n2018-02-24T10:11:15Z stdout F two\n\
               2018-02-24T10:11:16Z stdout F {\"msg\":\"inner\",\"level\":\"warn\"}\n2018-02-24T10:11:17Z stdout P open\n";
    let docker = concat!(
        r#"{"log":"a ","stream":"stdout","time":"2018-02-24T10:11:12Z"}"#,
        "\n",
        r#"{"log":"b\n","stream":"stdout","time":"2018-02-24T10:11:13Z"}"#,
        "\n"
    );
    write(&log, "cri.log", cri);
    write(&log, "docker.log", docker);
    let (_, err) = done(tool(&log, &["import", "cri.log", "docker.log"]).output().unwrap());
    assert_eq!(
        err,
        "distlogd: 1 line of a container without an end: stored as far as they go; first: cri.log line 6\n"
    );
    assert_eq!(
        timed(&log),
        [
            row("2018-02-24T10:11:13.000000Z", "error", "ERROR other"),
            row("2018-02-24T10:11:12.000000Z", "info", "one and two"),
            row("2018-02-24T10:11:16.000000Z", "warn", "inner"),
            row("2018-02-24T10:11:17.000000Z", "info", "open"),
            row("2018-02-24T10:11:12.000000Z", "info", "a b"),
        ]
    );
    assert!(export(&log, &["-q", "stream:=stderr"]).contains("other"));
}

#[tokio::test]
async fn records_that_retention_deletes_soon_stop_an_import_unless_it_is_told_to_go_on() {
    let log = Setup::new("log").flag("--log-keep-age", "30d").start().await;
    write(&log, "old.log", "2018-02-24T10:11:12Z a\n2018-02-24T10:11:13Z b\n");
    let output = tool(&log, &["import", "old.log"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("2 records older than the log keeps them"), "{said}");
    assert!(said.contains("go on with: --expired --skip 2 old.log"), "{said}");
    let output = tool(&log, &["import", "--expired", "old.log"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("2 records older than the log keeps them"));
}

#[tokio::test]
async fn a_csv_runs_no_formula_unless_it_is_raw() {
    let log = Setup::new("log").start().await;
    log.post("log", "/log", "=HYPERLINK(\"http://evil\")").await.ok();
    assert!(export(&log, &["--format", "csv"]).contains(r#","'=HYPERLINK(""http://evil"")","#));
    assert!(export(&log, &["--format", "csv", "--raw"]).contains(r#","=HYPERLINK(""http://evil"")","#));
}
