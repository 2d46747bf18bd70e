//! Tokens against a loop that cuts character by character, folding against the
//! matcher's own regular expressions.

use super::*;
use crate::log::limits::TEMPLATE_MAX;
use proptest::prelude::*;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
use std::collections::BTreeSet;

/// The template of a message, `*` for what is variable, and its words.
fn scan(message: &[u8]) -> (Option<String>, BTreeSet<u64>, Runs) {
    let (mut words, mut template, mut runs) = (BTreeSet::new(), Vec::new(), Runs::default());
    let has = scan_message(message, &mut runs, &mut template, |word| {
        words.insert(word);
    });
    let shown = template.iter().map(|b| if *b == VARIABLE { b'*' } else { *b }).collect();
    (has.then(|| String::from_utf8(shown).unwrap()), words, runs)
}

fn hashes<'w>(words: impl IntoIterator<Item = &'w str>) -> BTreeSet<u64> {
    words.into_iter().map(hash).collect()
}

fn fields(json: &str) -> BTreeSet<u64> {
    let mut words = BTreeSet::new();
    scan_fields(json.as_bytes(), |word| {
        words.insert(word);
    });
    words
}

fn folded(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    fold(&mut out, text);
    out
}

#[test]
fn a_template_has_no_variable_tokens() {
    for (message, want) in [
        ("", ""),
        ("took 35 ms from 10.0.0.1", "took * ms from *.*.*.*"),
        ("blk_-1608999 gone", "blk_-* gone"),
        ("blk_1608999", "*"),
        ("Receiving block 书3 at 书", "Receiving block * at 书"),
        ("no digits, none", "no digits, none"),
        ("x² is not 2²", "x² is not *"),
        ("7", "*"),
        ("a1\tb2\n", "*\t*\n"),
    ] {
        assert_eq!(scan(message.as_bytes()).0.as_deref(), Some(want), "{message}");
    }
}

#[test]
fn no_template_where_a_message_is_too_long_or_no_text() {
    let (long, short) = ("a ".repeat(TEMPLATE_MAX / 2 + 1), "a ".repeat(TEMPLATE_MAX / 2));
    assert_eq!(scan(long.as_bytes()).0, None);
    assert_eq!(scan(long.as_bytes()).1, hashes(["a"]));
    assert_eq!(scan(short.as_bytes()).0, Some(short));
    let (template, words, runs) = scan(b"one\xfftwo \xc3three b4c\xe4\xb9");
    assert_eq!((template, runs), (None, Runs::default()));
    assert_eq!(words, hashes(["one", "two", "three", "b4c"]));
}

#[test]
fn a_hash_stays_the_same_in_every_version() {
    for (word, want) in [
        ("", 0x2d06_8005_38d3_94c2),
        ("Error", 0x22ee_2725_9be2_8863),
        ("书", 0xa31f_3e0e_8c8d_f702),
        ("ÜBER", 0x567b_f157_b5bf_46ed),
    ] {
        assert_eq!(hash(word), want, "{word}: {:#x}", hash(word));
    }
}

#[test]
fn fields_are_read_as_they_are_matched() {
    for (json, want) in [
        ("{}", vec![]),
        (
            r#"{"book_id":"x-1","n":2.5,"ok":true,"a.b":null}"#,
            vec!["book_id", "x", "1", "n", "2", "5", "ok", "true", "a", "b", "null"],
        ),
        // Decoded; the escape itself is no word.
        (r#"{"a":"x\ty\u00fcz","\u0062":1}"#, vec!["a", "x", "yüz", "b", "1"]),
        (r#"{"a":"q\"w\\e"}"#, vec!["a", "q", "w", "e"]),
        // Within an object both ways.
        (r#"{"a":{"b":"x\ty"},"c":"x\nz"}"#, vec!["a", "b", "x", "y", "ty", "c", "z"]),
        (r#"{"a":["\u0062"],"c":"\u0064"}"#, vec!["a", "b", "u0062", "c", "d"]),
        // Half a character: matched as it is written.
        (r#"{"a":"x\ud800 y"}"#, vec!["a", "x", "ud800", "y"]),
        (r#"{"a":"never ends\"#, vec!["a", "never", "ends"]),
    ] {
        assert_eq!(fields(json), hashes(want), "{json}");
    }
}

#[test]
fn a_number_that_is_not_in_its_plain_form_has_the_hash_of_its_value() {
    let value = |text: &str| hash_number(&Decimal::parse(text).unwrap());
    for (json, number, has) in [
        (r#"{"a":1.50}"#, "1.5", true),
        (r#"{"a":{"b":[1,1E3]}}"#, "1000", true),
        (r#"{"a":"x\"y","b":-0}"#, "0", true),
        (r#"{"a":1e400}"#, "10e399", true),
        (r#"{"a":1.5}"#, "1.5", false),
        (r#"{"a":1000}"#, "1000", false),
        (r#"{"a":"1.50","b":2.0}"#, "1.5", false),
    ] {
        assert_eq!(fields(json).contains(&value(number)), has, "{json}");
    }
}

#[test]
fn colours_are_part_of_no_word_and_of_no_template() {
    let (template, words, _) = scan(b"\x1b[31merror\x1b[0m 35 left");
    assert_eq!(template.as_deref(), Some("\u{1b}error\u{1b} * left"));
    assert_eq!(words, hashes(["error", "35", "left"]));
    assert_eq!(fields(r#"{"a":"\u001b[31merror"}"#), hashes(["a", "error"]));
    assert_eq!(fields(r#"{"a":{"b":"\u001b[1mx"}}"#), hashes(["a", "b", "x"]));
}

#[test]
fn runs_know_the_letters_between_digits() {
    let runs = scan(b"blk_123 constant 0xDEADbeef9 i18n 1\xc3\xbc\xc3\xbc\xc3\xbc ab1").2;
    for (letters, want) in [
        ("blk_", true),
        ("BLK", true),
        ("deadbeef", true),
        ("beef", true),
        ("xdead", true),
        ("constant", false),
        ("blk_x", false),
        ("n", true),
        ("zz", true),
        ("zzz", false),
        ("ééé", true),
        ("éé_", false),
    ] {
        assert_eq!(runs.may_contain(letters), want, "{letters}");
    }
    assert!(!Runs::default().may_contain("abc") && Runs::default().may_contain("ab"));
}

#[test]
fn runs_come_back_from_a_file() {
    let (one, both) = (scan(b"abc1").2, scan(b"abc1 xyz1").2);
    assert!(both.may_contain("abc") && both.may_contain("xyz") && !both.may_contain("bcx"));
    for runs in [&one, &both, &Runs::default()] {
        assert_eq!(Runs::from_bytes(&runs.to_bytes()).as_ref(), Some(runs));
    }
    assert_eq!(Runs::from_bytes(&[0; 2_744]), Some(Runs::default()));
    for len in [1, 8, 2_743, 2_745, 2_752] {
        assert_eq!(Runs::from_bytes(&vec![1; len]), None, "{len}");
    }
}

/// Characters that a regular expression takes for this one in any case.
fn orbit(c: char) -> impl Iterator<Item = char> {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    class.case_fold_simple();
    class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect::<Vec<_>>().into_iter()
}

#[test]
fn characters_that_differ_in_case_alone_fold_alike_and_are_alike_part_of_words() {
    let mut cased = 0;
    // Beyond are Chinese characters, tags and nothing yet.
    for c in '\0'..'\u{20000}' {
        assert_eq!(is_word(c), c.is_alphanumeric() || c == '_', "{c}");
        let here = folded(c.encode_utf8(&mut [0; 4]));
        assert!(here.len() <= c.len_utf8() && !here.contains(&VARIABLE), "{c}");
        assert!(here != [CASED] || is_word(c), "{c:?}");
        for other in orbit(c).filter(|other| *other != c) {
            cased += 1;
            assert_eq!(here, folded(other.encode_utf8(&mut [0; 4])), "{c} {other}");
            assert_eq!(is_word(c), is_word(other), "{c} {other}");
            assert_eq!(c.is_ascii_digit(), other.is_ascii_digit(), "{c} {other}");
        }
    }
    assert!(cased > 2_000);
}

const ODD_WORD: &str = "[a-zA-Z0-9_ .:σςΣßẞıİKkſsᎠꭰꮵǆǅǄμµΜιΙ\u{345}\u{1fbe}ⓐⒶ书²½\u{300}\u{200b}-]{1,6}";
const ODD_TEXT: &str = "[a-zA-Z0-9_ .σςẞıİKkſᎠǅµΙ\u{345}ⓐ书²½\u{300}\u{200b}-]{0,200}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn words_that_match_in_any_case_hash_alike(
        one in prop_oneof![ODD_WORD, any::<String>()], at in any::<prop::sample::Index>(),
    ) {
        // The same word, every character in some other case.
        let other: String = one.chars().map(|c| {
            let all: Vec<char> = orbit(c).chain([c]).collect();
            *at.get(&all)
        }).collect();
        let escaped: String = one.chars().map(|c| format!("\\x{{{:x}}}", u32::from(c))).collect();
        let regex = Regex::builder()
            .syntax(syntax::Config::new().case_insensitive(true))
            .build(&format!("^(?:{escaped})$"))
            .unwrap();
        prop_assert!(regex.is_match(&other));
        prop_assert_eq!(hash(&one), hash(&other));
    }

    #[test]
    fn tokens_are_the_maximal_runs(text in prop_oneof![
        ODD_TEXT, any::<String>(), "[a-z0-9]{50,80} ?书{15,25}[é ]{0,9}[a-z]{60,70}",
    ]) {
        let mut want: Vec<(usize, String)> = Vec::new();
        let mut open = false;
        for (at, c) in text.char_indices() {
            match want.last_mut() {
                Some((_, last)) if open && is_word(c) => last.push(c),
                _ if is_word(c) => want.push((at, c.to_string())),
                _ => {}
            }
            open = is_word(c);
        }
        let mut got: Vec<Token<'_>> = Vec::new();
        tokens(&text, |token| got.push(token));
        let mut hasher = Hasher::new(&text);
        for token in &got {
            prop_assert_eq!(token.variable, token.text.bytes().any(|b| b.is_ascii_digit()));
            prop_assert!(token.folds || folded(token.text) == token.text.as_bytes());
            prop_assert_eq!(hasher.hash(token), hash(token.text));
            prop_assert_eq!(text.get(token.start..token.end()), Some(token.text));
        }
        let cut: Vec<(usize, String)> = got.iter().map(|t| (t.start, t.text.to_owned())).collect();
        prop_assert_eq!(cut, want);
    }
}
