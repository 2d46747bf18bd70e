//! What could follow in a query: fields, services, levels and values, from the
//! fleet and from the newest records that are held.

use super::filter::term;
use super::lines::Lines;
use super::prompt::Completion;
use serde_json::Value;
use shared::wire::log::Level;
use std::collections::BTreeSet;

/// How many of the newest records are looked through for fields and values.
const RECORDS_LOOKED_AT: usize = 1_000;
/// How many candidates are offered.
const CANDIDATES_MAX: usize = 50;
/// Longer values are not offered: nobody filters by a whole stack trace.
const VALUE_CHARS_MAX: usize = 60;

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
    let (sign, word) = match word.strip_prefix(['-', '!']) {
        Some(rest) => word.split_at_checked(word.len() - rest.len()).unwrap_or(("", word)),
        None => ("", word),
    };
    let mut candidates = match word.split_once(':') {
        Some((field, value)) => {
            let value = value.trim_start_matches(['=', '"']);
            values(field, lines, services)
                .into_iter()
                .filter(|known| starts(known, value))
                .map(|known| if field == "level" { format!("level:{known}") } else { term(field, &known) })
                .take(CANDIDATES_MAX)
                .collect()
        }
        None => fields(lines)
            .into_iter()
            .filter(|field| starts(field, word))
            .map(|field| format!("{field}:"))
            .take(CANDIDATES_MAX)
            .collect::<Vec<_>>(),
    };
    if candidates.is_empty() {
        candidates.push(word.to_owned());
    }
    Completion { before: format!("{before}{sign}"), after: after.to_owned(), candidates, at: 0 }
}

fn starts(known: &str, typed: &str) -> bool {
    known.to_lowercase().starts_with(&typed.to_lowercase())
}

/// The fields that records have, those of every record first.
fn fields(lines: &Lines) -> Vec<String> {
    let mut own = BTreeSet::new();
    for line in lines.iter().rev().take(RECORDS_LOOKED_AT).filter(|line| !line.fields.is_empty()) {
        own.extend(line.parsed_fields().into_iter().map(|(name, _)| name));
        if own.len() >= CANDIDATES_MAX {
            break;
        }
    }
    let all = ["level", "service", "message"].into_iter().map(str::to_owned);
    all.chain(own).collect()
}

/// The values that a field has.
fn values<'a>(field: &str, lines: &'a Lines, services: impl Iterator<Item = &'a str>) -> Vec<String> {
    match field {
        "level" => Level::ALL.into_iter().map(|level| level.as_str().to_owned()).collect(),
        "service" => {
            let all: BTreeSet<&str> = services.chain(lines.services()).collect();
            all.into_iter().map(str::to_owned).collect()
        }
        field => {
            let field = field.trim_matches('"');
            let mut seen = BTreeSet::new();
            for line in lines.iter().rev().take(RECORDS_LOOKED_AT).filter(|line| !line.fields.is_empty()) {
                let value = match line.parsed_fields().remove(field) {
                    Some(Value::String(text)) => text,
                    Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
                    _ => continue,
                };
                if value.chars().nth(VALUE_CHARS_MAX).is_none() {
                    seen.insert(value);
                }
                if seen.len() >= CANDIDATES_MAX {
                    break;
                }
            }
            seen.into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::block::Line;

    #[test]
    fn fields_services_levels_and_values_are_offered_where_they_can_stand() {
        let fields = ["{\"code\":28,\"path\":\"/var\"}", "{\"code\":30,\"user\":\"ann b\"}", ""];
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
            ("", 0, "", &["level:", "service:", "message:", "code:", "path:", "user:"][..], ""),
            ("a (-co", 6, "a (-", &["code:"], ""),
            ("level:w rest", 7, "", &["level:warn"], " rest"),
            ("service:", 8, "", &["service:=Billing", "service:=Held"], ""),
            ("-service:=\"h", 12, "-", &["service:=Held"], ""),
            ("x code:", 7, "x ", &["code:=28", "code:=30"], ""),
            ("user:a", 6, "", &["user:=\"ann b\""], ""),
            ("zz", 2, "", &["zz"], ""),
        ] {
            let completion = complete(text, cursor, &lines, ["Billing"].into_iter());
            assert_eq!(completion.candidates, candidates, "{text}");
            assert_eq!((completion.before.as_str(), completion.after.as_str()), (before, after), "{text}");
        }
    }
}
