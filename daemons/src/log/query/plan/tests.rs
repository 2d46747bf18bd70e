//! Verdicts and needs, form by form.

use super::*;
use crate::log::words::{hash, scan_message};

fn verdict(query: &str, message: &str) -> Verdict {
    let (mut runs, mut template) = (Runs::default(), Vec::new());
    assert!(scan_message(message.as_bytes(), &mut runs, &mut template, |_| ()));
    let kind = Kind { level: Level::Info, service: b"LibraryService", template: Some(&template) };
    Filter::parse(query).unwrap().verdict(&kind, &runs)
}

#[test]
fn a_text_is_looked_for_in_the_template() {
    let message = "took 35 ms from 10.0.0.1 for blk_123, Über x書7";
    for (query, want) in [
        ("took", Verdict::Yes),
        ("TOOK", Verdict::No),
        ("Took", Verdict::No),
        ("über", Verdict::Yes),
        ("Über", Verdict::Yes),
        ("öber", Verdict::No),
        ("lost", Verdict::No),
        ("too", Verdict::No),
        ("too*", Verdict::Yes),
        ("*ook", Verdict::Yes),
        ("35", Verdict::Maybe),
        ("36", Verdict::Maybe),
        ("\"took 36 ms\"", Verdict::Maybe),
        ("\"took 36 s\"", Verdict::No),
        ("\"ms fr\"*", Verdict::Yes),
        ("\"ms 10\"*", Verdict::No),
        ("10.0.0.1", Verdict::Maybe),
        ("10.0.0.1.2", Verdict::No),
        // Whole words without digits are never part of a variable token, ...
        ("blk", Verdict::No),
        // ... others are if its letters are there,
        ("blk*", Verdict::Maybe),
        ("*BLK_*", Verdict::Maybe),
        ("*blk_*", Verdict::Maybe),
        ("*blk-*", Verdict::No),
        ("*klb*", Verdict::No),
        // and of fewer than three that is not known.
        ("*zz*", Verdict::Maybe),
        ("*_9", Verdict::Maybe),
        ("*zz.lost*", Verdict::No),
        ("*blk,*", Verdict::Maybe),
        ("*klb,*", Verdict::No),
        ("*ms*", Verdict::Yes),
    ] {
        assert_eq!(verdict(query, message), want, "{query}");
    }
}

#[test]
fn what_has_no_variable_token_is_the_message() {
    for (query, want) in [
        ("well", true),
        ("=\"all is well\"", true),
        ("=all", false),
        ("~\"^all\\b\"", true),
        ("~well.", false),
        ("<b", true),
        (">b", false),
        ("7", false),
        ("*", true),
        ("*zz*", false),
    ] {
        assert_eq!(verdict(query, "all is well"), Verdict::of(want), "{query}");
    }
    assert_eq!(verdict("*", ""), Verdict::No);
    assert_eq!(verdict("=\"\"", ""), Verdict::Yes);
}

#[test]
fn whole_messages_and_regular_expressions_are_looked_for_as_far_as_they_go() {
    let message = "took 35 ms from blk_123";
    for (query, want) in [
        ("*", Verdict::Yes),
        ("=\"took 35 ms from blk_123\"", Verdict::Maybe),
        ("=\"took 1 ms from 2\"", Verdict::Maybe),
        ("=\"took 1 ms\"", Verdict::No),
        ("=\"took ms from\"", Verdict::No),
        (">took", Verdict::Maybe),
        ("~took", Verdict::Yes),
        ("~t[op]+k", Verdict::Yes),
        ("~took|lost", Verdict::Yes),
        ("~LOST|tooK", Verdict::No),
        (r#"~"took \d+ ms""#, Verdict::Maybe),
        (r#"~"took \d+ s""#, Verdict::Maybe),
        (r#"~"lost \d+ ms""#, Verdict::No),
        (r#"~"took .* lost$""#, Verdict::No),
        (r#"~"^(took|lost) \d""#, Verdict::Maybe),
        (r#"~"^(cost|lost) \d""#, Verdict::No),
        (r#"~"\btook\b""#, Verdict::Maybe),
        (r#"~"\blost\b""#, Verdict::No),
        (r#"~"^ook""#, Verdict::No),
        (r#"~"(lost)?""#, Verdict::Yes),
        (r#"~"(lost){2,}""#, Verdict::No),
        (r#"~"blk_\d+""#, Verdict::Maybe),
        (r#"~"klb_\d+""#, Verdict::No),
        // True of the template alone.
        (r#"~"took (?-u:\B)""#, Verdict::Maybe),
        (r#"~"(?-u:\xff)""#, Verdict::Maybe),
    ] {
        assert_eq!(verdict(query, message), want, "{query}");
    }
}

#[test]
fn tests_join_in_three_values() {
    for (query, want) in [
        ("", Verdict::Yes),
        ("-took", Verdict::No),
        ("-lost", Verdict::Yes),
        ("-35", Verdict::Maybe),
        ("took 35", Verdict::Maybe),
        ("took lost", Verdict::No),
        ("lost 35", Verdict::No),
        ("took OR lost", Verdict::Yes),
        ("took OR 35", Verdict::Yes),
        ("lost OR 35", Verdict::Maybe),
        ("-(lost OR 35)", Verdict::Maybe),
        ("level:info", Verdict::Yes),
        ("level:*", Verdict::Yes),
        ("level:>=warn", Verdict::No),
        ("-level:>=warn took", Verdict::Yes),
        ("service:LibraryService", Verdict::Yes),
        ("service:library*", Verdict::Yes),
        ("service:Other", Verdict::No),
        ("status:200", Verdict::Maybe),
        ("status:200 lost", Verdict::No),
        ("seq:7", Verdict::Maybe),
        ("ts:>2026-11-22", Verdict::Maybe),
    ] {
        assert_eq!(verdict(query, "took 35 ms"), want, "{query}");
    }
}

#[test]
fn without_a_template_only_level_and_service_are_known() {
    let kind = Kind { level: Level::Info, service: b"a:\\x3a b", template: None };
    let all = || Filter::parse("").unwrap();
    for (filter, want) in [
        (all(), Verdict::Yes),
        (Filter::parse("took").unwrap(), Verdict::Maybe),
        (Filter::parse("*").unwrap(), Verdict::Maybe),
        (Filter::parse("took level:warn").unwrap(), Verdict::No),
        (Filter::parse("service:\"a:: b\"").unwrap(), Verdict::Yes),
        (all().service("a:: b"), Verdict::Yes),
        (all().service("a"), Verdict::No),
        (all().min_level(Level::Info), Verdict::Yes),
        (all().min_level(Level::Warn), Verdict::No),
        // Where they are in time and in the log is not asked.
        (all().between(7, 8), Verdict::Yes),
    ] {
        assert_eq!(filter.verdict(&kind, &Runs::default()), want, "{filter:?}");
    }
}

#[test]
fn words_are_needed_where_they_must_be_whole() {
    let word = |word: &str| Needs::Word(hash(word));
    let all = |words: &[&str]| Needs::All(words.iter().copied().map(word).collect());
    for (query, want) in [
        ("", Needs::Anything),
        ("error", word("error")),
        ("Error", word("error")),
        ("ÜBER", word("über")),
        ("err*", Needs::Anything),
        ("*err", Needs::Anything),
        ("\"not found\"", all(&["not", "found"])),
        ("\"not fo\"*", word("not")),
        ("*x-y_1-z*", word("y_1")),
        ("foo-bar a foo", all(&["foo", "bar", "a"])),
        ("a OR b", Needs::Any(vec![word("a"), word("b")])),
        ("a OR b*", Needs::Anything),
        ("(a OR (b c)) d", Needs::All(vec![Needs::Any(vec![word("a"), all(&["b", "c"])]), word("d")])),
        ("-a", Needs::Anything),
        ("a -b", word("a")),
        ("*", Needs::Anything),
        (">a", Needs::Anything),
        ("=\"Not Found\"", all(&["not", "found"])),
        ("level:info service:x seq:1 ts:>2026-11-22", Needs::Anything),
        ("user.first-name:lee", all(&["user", "first", "name", "lee"])),
        ("status:>499", word("status")),
        ("user:*", word("user")),
        ("user:l*", word("user")),
        ("user:=\"Ann Lee\"", all(&["user", "ann", "lee"])),
        ("-user:lee", Needs::Anything),
        (r#"~"^GET .* (was )? (is) done$""#, all(&["get", "is", "done"])),
        (r#"~"one two three""#, word("two")),
        (r#"~" one | two ""#, Needs::Any(vec![word("one"), word("two")])),
        (r#"~" one |two""#, Needs::Anything),
        (
            r#"~"^(one|two (three|four)) five" "#,
            Needs::Any(vec![
                word("one"),
                Needs::All(vec![word("two"), Needs::Any(vec![word("three"), word("four")])]),
            ]),
        ),
        (r#"~"(one|two)$""#, Needs::Anything),
        (r#"~" (one|two)$""#, Needs::Any(vec![word("one"), word("two")])),
        (r#"~" (one|two)\b""#, Needs::Anything),
        (r#"~" (one|two)+ ""#, Needs::Anything),
        (r#"~" (one|two)[ab]""#, Needs::Anything),
        (r#"~" (one|two)x? ""#, Needs::Anything),
        (r#"~"( one )+""#, word("one")),
        (r#"~"( one )*""#, Needs::Anything),
        // To a regular expression "²" is no letter.
        (r#"~"\bone\b""#, Needs::Anything),
        (r#"~"(?m)^one$""#, word("one")),
    ] {
        assert_eq!(Filter::parse(query).unwrap().needs(), want, "{query}");
    }
}
