//! What could follow in a query: fields, services, levels and values, from the
//! fleet and from the newest records that are held.

use super::fields::{field_names, field_values};
use super::filter::{bare, field_name};
use super::lines::Lines;
use super::prompt::Completion;
use shared::wire::log::Level;
use std::collections::BTreeSet;

/// How many candidates are offered.
const CANDIDATES_MAX: usize = 50;
/// What may stand between a field and a value; those that begin like another one
/// come after it.
const OPERATORS: [&str; 6] = [">=", "<=", ">", "<", "!=", "="];

/// What could stand in place of the word before the cursor, which is counted in
/// characters.
pub fn complete<'a>(
    text: &str,
    cursor: usize,
    lines: &'a Lines,
    services: impl Iterator<Item = &'a str>,
) -> Completion {
    let cursor = text.char_indices().nth(cursor).map_or(text.len(), |(at, _)| at);
    let (head, after) = text.split_at_checked(cursor).unwrap_or((text, ""));
    let begin = head.rfind([' ', '(', '\t']).map_or(0, |at| at + 1);
    let (before, word) = head.split_at_checked(begin).unwrap_or(("", head));
    let negated = word.strip_prefix(['-', '!']);
    let (sign, word) = match negated {
        Some(rest) => word.split_at_checked(word.len() - rest.len()).unwrap_or(("", word)),
        None => ("", word),
    };
    let all = match word.split_once(':') {
        Some((field, value)) => values(field, value, lines, services),
        None => names(lines)
            .map(|field| format!("{}:", field_name(&field)))
            .filter(|name| starts(name, word))
            .collect(),
    };
    let candidates = all.into_iter().take(CANDIDATES_MAX).collect();
    Completion {
        before: format!("{before}{sign}"),
        word: word.to_owned(),
        after: after.to_owned(),
        candidates,
        at: None,
    }
}

fn starts(known: &str, typed: &str) -> bool {
    known.to_lowercase().starts_with(&typed.to_lowercase())
}

/// The fields that records have, those of every record first.
fn names(lines: &Lines) -> impl Iterator<Item = String> {
    let all = ["level", "service", "message"].into_iter().map(str::to_owned);
    all.chain(field_names(lines))
}

/// The terms that a field and the beginning of a value could become.
fn values<'a>(
    field: &str,
    typed: &str,
    lines: &'a Lines,
    services: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let name = field.trim_matches('"');
    let operator = OPERATORS.into_iter().find(|operator| typed.starts_with(operator));
    let value = typed.strip_prefix(operator.unwrap_or_default()).unwrap_or(typed).trim_start_matches('"');
    // A level is a word, any other value is meant as a whole.
    let operator = operator.unwrap_or(if name == "level" { "" } else { "=" });
    let known: Vec<String> = match name {
        "level" => Level::ALL.into_iter().map(|level| level.as_str().to_owned()).collect(),
        "service" => {
            let all: BTreeSet<&str> = services.chain(lines.services()).collect();
            all.into_iter().map(str::to_owned).collect()
        }
        name => field_values(name, lines).into_iter().collect(),
    };
    let fitting = known.iter().filter(|known| starts(known, value));
    fitting.map(|known| format!("{}:{operator}{}", field_name(name), bare(known))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::block::Line;

    #[test]
    fn fields_services_levels_and_values_are_offered_where_they_can_stand() {
        let fields = [
            "{\"code\":28,\"path\":\"/var\"}",
            "{\"code\":30,\"user\":\"ann b\",\"at\":{\"zone\":\"a\"}}",
            "",
        ];
        let lines: Lines = (0..)
            .zip(fields)
            .map(|(seq, fields)| Line {
                seq,
                ts_ns: 0,
                level: Level::Info,
                service: "Held",
                message: "m",
                fields,
            })
            .collect();
        for (text, cursor, before, candidates, after) in [
            ("", 0, "", &["level:", "service:", "message:", "at.zone:", "code:", "path:", "user:"][..], ""),
            ("a (-co", 6, "a (-", &["code:"], ""),
            ("level:w rest", 7, "", &["level:warn"], " rest"),
            ("service:", 8, "", &["service:=Billing", "service:=Held"], ""),
            ("-service:=\"h", 12, "-", &["service:=Held"], ""),
            ("x code:", 7, "x ", &["code:=28", "code:=30"], ""),
            ("user:a", 6, "", &["user:=\"ann b\""], ""),
            ("level:>=e", 9, "", &["level:>=error"], ""),
            ("code:<3", 7, "", &["code:<30"], ""),
            ("at.", 3, "", &["at.zone:"], ""),
            ("at.zone:", 8, "", &["at.zone:=a"], ""),
            ("zz", 2, "", &[], ""),
        ] {
            let completion = complete(text, cursor, &lines, ["Billing"].into_iter());
            assert_eq!(completion.candidates, candidates, "{text}");
            assert_eq!((completion.before.as_str(), completion.after.as_str()), (before, after), "{text}");
        }
    }
}
