//! Questions, as people and dashboards ask them.

use crate::client::Client;
use crate::generate::{Generator, NEEDLE, NEEDLES};
use crate::process::Log;
use serde_json::Value;
use std::time::Instant;

const RUNS: usize = 7;

/// A question and how it is asked.
struct Question {
    name: &'static str,
    path: &'static str,
    parameters: Vec<(&'static str, String)>,
}

/// What came of a question.
pub struct Asked {
    pub name: &'static str,
    /// The median of some runs after one that is not counted.
    pub ms: f64,
    /// Records found or counted.
    pub records: u64,
    /// Whether that is all there are.
    pub is_whole: bool,
}

/// Asks everything of a log with what the generator has made.
pub fn ask(log: &Log, generator: &Generator) -> Vec<Asked> {
    let mut client = Client::connect(log.port);
    let asked: Vec<Asked> = questions(generator).iter().map(|question| question.ask(&mut client)).collect();
    assert_eq!(asked[0].records, NEEDLES, "all needles are found");
    asked
}

fn questions(generator: &Generator) -> Vec<Question> {
    let search = |name, parameters: &[(&'static str, &str)]| question(name, "/log", parameters);
    let count = |name, q| question(name, "/log/stats", &[("q", q)]);
    // The tenth before the end of what was generated: the records that were posted since are of today.
    let (since, until) = (generator.time(generator.made / 10 * 9), generator.time(generator.made));
    vec![
        search("rare word", &[("q", NEEDLE)]),
        count("medium word, count", "timeout"),
        count("common word, count", "from"),
        search(
            "service and level, newest 100 of the last tenth",
            &[("service", "checkout"), ("level", "warn"), ("since", &since), ("until", &until)],
        ),
        search("newest 100", &[]),
        question("count by service and level", "/log/stats", &[("by", "service,level")]),
        question("hits per minute", "/log/hits", &[("step", "1m")]),
        count("substring, count", "*meou*"),
        count("regex with a literal, count", "~\"timeout after [0-9]{3,4}[.]\""),
        count("regex, count", "~\"([0-9]{1,3}[.]){3}(13|31):[0-9]+\""),
        count("field value, count", "status:=503"),
        count("phrase, count", "\"connection refused by\""),
        count("prefix, count", "reconnect*"),
    ]
}

fn question(name: &'static str, path: &'static str, parameters: &[(&'static str, &str)]) -> Question {
    let mut parameters: Vec<_> = parameters.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    if path == "/log" {
        parameters.extend([("limit", "100".to_owned()), ("format", "json".to_owned())]);
    }
    Question { name, path, parameters }
}

impl Question {
    fn ask(&self, client: &mut Client) -> Asked {
        let query: Vec<(&str, &str)> =
            self.parameters.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let answer: Value = serde_json::from_str(&client.get(self.path, &query)).unwrap();
        let records = match answer["records"].as_array() {
            Some(records) => records.len() as u64,
            None => answer["total"].as_u64().unwrap(),
        };
        let mut ms: Vec<f64> = (0..RUNS)
            .map(|_| {
                let began = Instant::now();
                client.get(self.path, &query);
                began.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        ms.sort_by(f64::total_cmp);
        Asked { name: self.name, ms: ms[RUNS / 2], records, is_whole: answer["partial"] != true }
    }
}
