//! Which files go, which stay, and what holds of every decision.

use super::*;
use crate::settings::Classes;
use proptest::prelude::*;
use std::collections::BTreeSet;

const DAY_NS: i64 = 86_400_000_000_000;
const NOW_NS: i64 = 20_000 * DAY_NS;

fn policy(classes: &str, keep_days: Option<u64>, keep_bytes: Option<u64>) -> Policy {
    let classes: Classes = classes.parse().unwrap();
    let keep_age = keep_days.map(|days| Duration::from_secs(days * 86_400));
    Policy { classes: classes.as_slice().to_vec(), keep_age, keep_bytes }
}

/// A file of 10 bytes whose newest record is so many days old.
fn file(name: &str, class: Option<&str>, days_old: i64) -> Candidate {
    let newest_ns = NOW_NS - days_old * DAY_NS;
    Candidate {
        name: name.to_owned(),
        class: class.map(str::to_owned),
        bytes: 10,
        oldest_ns: newest_ns - DAY_NS,
        newest_ns,
        sealed_ns: newest_ns,
        first_seq: 1,
        records: 1,
    }
}

/// The names of the files that go, in that order, with the reason's initial.
fn gone(policy: &Policy, files: &[Candidate], active_bytes: u64) -> String {
    let deletions = decide(policy, files, active_bytes, NOW_NS);
    let words = deletions.iter().map(|deletion| {
        let reason = if deletion.reason == Reason::Age { "age" } else { "bytes" };
        format!("{}:{reason}", files[deletion.index].name)
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_record_is_of_the_first_class_that_has_it() {
    let policy = policy("debug=1d level:<=debug; audit=365d service:audit*", None, None);
    let name = |service, level| policy.class_of(service, level).map(|class| class.name.as_str());
    assert_eq!(name("audit-eu", Level::Debug), Some("debug"));
    assert_eq!(name("audit-eu", Level::Info), Some("audit"));
    assert_eq!(name("shop", Level::Info), None);
}

#[test]
fn without_a_limit_nothing_goes() {
    let files = [file("a", None, 9_999), file("b", Some("debug"), 9_999)];
    assert_eq!(gone(&policy("debug=off level:<=debug", None, None), &files, u64::MAX), "");
}

#[test]
fn a_file_goes_when_its_newest_record_is_older_than_its_class_is_kept() {
    let policy =
        policy("debug=1d level:<=debug; audit=365d service:audit; law=off service:law", Some(30), None);
    let files = [
        file("plain-31", None, 31),
        file("plain-30", None, 30),
        file("debug-2", Some("debug"), 2),
        file("debug-1", Some("debug"), 1),
        file("audit-366", Some("audit"), 366),
        file("audit-31", Some("audit"), 31),
        file("law-999", Some("law"), 999),
    ];
    assert_eq!(gone(&policy, &files, 0), "plain-31:age audit-366:age debug-2:age");
}

#[test]
fn a_class_that_is_configured_no_more_is_kept_as_everything_else() {
    let files = [file("old", Some("removed"), 31), file("new", Some("removed"), 29)];
    assert_eq!(gone(&policy("", Some(30), None), &files, 0), "old:age");
    assert_eq!(gone(&policy("", None, None), &files, 0), "");
}

#[test]
fn the_oldest_make_room_and_those_of_a_class_last() {
    let files = [
        file("audit-9", Some("audit"), 9),
        file("plain-3", None, 3),
        file("plain-1", None, 1),
        file("plain-2", None, 2),
        file("audit-8", Some("audit"), 8),
    ];
    let gone = |keep_bytes| gone(&policy("audit=365d service:audit", None, Some(keep_bytes)), &files, 5);
    assert_eq!(gone(55), "");
    assert_eq!(gone(54), "plain-3:bytes");
    assert_eq!(gone(26), "plain-3:bytes plain-2:bytes plain-1:bytes");
    assert_eq!(gone(15), "plain-3:bytes plain-2:bytes plain-1:bytes audit-9:bytes");
    assert_eq!(gone(0), "plain-3:bytes plain-2:bytes plain-1:bytes audit-9:bytes audit-8:bytes");
}

#[test]
fn what_goes_by_age_makes_room_for_the_rest() {
    let files = [file("debug-2", Some("debug"), 2), file("plain-3", None, 3)];
    assert_eq!(gone(&policy("debug=1d level:debug", None, Some(10)), &files, 0), "debug-2:age");
}

#[test]
fn files_of_one_age_go_in_the_order_of_their_records() {
    let files = [
        Candidate { first_seq: 30, ..file("c", None, 1) },
        Candidate { first_seq: 10, ..file("b", None, 1) },
        Candidate { first_seq: 10, ..file("a", None, 1) },
    ];
    assert_eq!(gone(&policy("", None, Some(10)), &files, 0), "a:bytes b:bytes");
}

#[test]
fn a_record_of_the_future_keeps_its_file_only_as_if_it_had_been_sealed_with_it() {
    let future =
        |name, days_old| Candidate { newest_ns: NOW_NS + 9_999 * DAY_NS, ..file(name, None, days_old) };
    let files = [future("sealed-31", 31), future("sealed-29", 29), file("plain-28", None, 28)];
    assert_eq!(gone(&policy("", Some(30), None), &files, 0), "sealed-31:age");
    assert_eq!(gone(&policy("", None, Some(10)), &files, 0), "sealed-31:bytes sealed-29:bytes");
}

#[test]
fn records_of_long_ago_age_by_their_own_time() {
    let imported = Candidate { sealed_ns: NOW_NS, ..file("imported", None, 900) };
    assert_eq!(gone(&policy("", Some(30), None), &[imported], 0), "imported:age");
}

#[test]
fn a_clock_set_back_deletes_nothing() {
    let files = [file("a", None, -1), Candidate { sealed_ns: i64::MAX, ..file("b", None, -9_000) }];
    assert_eq!(gone(&policy("", Some(1), None), &files, 0), "");
    let ends =
        [i64::MIN, i64::MAX].map(|ns| Candidate { newest_ns: ns, sealed_ns: ns, ..file("end", None, 0) });
    assert_eq!(decide(&policy("", Some(1), None), &ends, 0, i64::MIN), []);
    assert_eq!(decide(&policy("", Some(1), None), &ends, 0, i64::MAX).len(), 1);
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let days = || proptest::option::of(0..12_u64);
    (days(), days(), days(), proptest::option::of(0..400_u64)).prop_map(|(a, b, keep_days, keep_bytes)| {
        let mut policy = policy("a=1d level:<info; b=1d service:b", keep_days, keep_bytes);
        for (class, days) in policy.classes.iter_mut().zip([a, b]) {
            class.keep = days.map(|days| Duration::from_secs(days * 86_400));
        }
        policy
    })
}

fn any_files() -> impl Strategy<Value = Vec<Candidate>> {
    let class = prop_oneof![Just(None), Just(Some("a")), Just(Some("b")), Just(Some("removed"))];
    // Days around now, on both sides of it, close enough to be alike.
    let one = (class, 0..60_u64, -4..15_i64, -4..15_i64, 0..4_u64);
    proptest::collection::vec(one, 0..12).prop_map(|files| {
        let numbered = files.into_iter().enumerate();
        numbered
            .map(|(n, (class, bytes, newest, sealed, first_seq))| Candidate {
                bytes,
                first_seq,
                sealed_ns: NOW_NS - sealed * DAY_NS,
                ..file(&format!("{n:02}"), class, newest)
            })
            .collect()
    })
}

/// What is left after the decision.
fn rest(files: &[Candidate], deletions: &[Deletion]) -> Vec<Candidate> {
    let gone: BTreeSet<usize> = deletions.iter().map(|deletion| deletion.index).collect();
    assert_eq!(gone.len(), deletions.len(), "no file is deleted twice");
    let left = files.iter().enumerate().filter(|(index, _)| !gone.contains(index));
    left.map(|(_, file)| file.clone()).collect()
}

fn total(files: &[Candidate], active_bytes: u64) -> u64 {
    active_bytes + files.iter().map(|file| file.bytes).sum::<u64>()
}

/// Whether the rule of age asks for a file, said once more and plainly.
fn is_old(policy: &Policy, file: &Candidate, now_ns: i64) -> bool {
    let keep = match policy.classes.iter().find(|class| Some(&class.name) == file.class.as_ref()) {
        Some(class) => class.keep,
        None => policy.keep_age,
    };
    let newest_ns = file.newest_ns.min(file.sealed_ns);
    keep.is_some_and(|keep| now_ns - newest_ns > i64::try_from(keep.as_nanos()).unwrap())
}

proptest! {
    #[test]
    fn the_rest_is_within_the_limit_or_there_is_none(
        policy in any_policy(), files in any_files(), active in 0..200_u64,
    ) {
        let left = rest(&files, &decide(&policy, &files, active, NOW_NS));
        if let Some(keep_bytes) = policy.keep_bytes {
            prop_assert!(total(&left, active) <= keep_bytes || total(&left, 0) == 0);
        }
        prop_assert!(left.iter().all(|file| !is_old(&policy, file, NOW_NS)));
    }

    #[test]
    fn nothing_goes_that_no_rule_asks_for(
        policy in any_policy(), files in any_files(), active in 0..200_u64,
    ) {
        let deletions = decide(&policy, &files, active, NOW_NS);
        for (at, deletion) in deletions.iter().enumerate() {
            let file = &files[deletion.index];
            match deletion.reason {
                Reason::Age => prop_assert!(is_old(&policy, file, NOW_NS)),
                Reason::Bytes => {
                    // Had this and all that went for want of room after it stayed, it would be too much.
                    let spared = deletions[at..].iter().filter(|d| d.reason == Reason::Bytes);
                    let spared: Vec<Candidate> = spared.map(|d| files[d.index].clone()).collect();
                    let left = total(&rest(&files, &deletions), active);
                    prop_assert!(left + total(&spared, 0) > policy.keep_bytes.unwrap());
                }
            }
        }
    }

    #[test]
    fn what_goes_for_want_of_room_is_never_newer_than_what_stays(
        policy in any_policy(), files in any_files(), active in 0..200_u64,
    ) {
        let deletions = decide(&policy, &files, active, NOW_NS);
        let in_class = |file: &Candidate| matches!(file.class.as_deref(), Some("a" | "b"));
        let key = |file: &Candidate| (in_class(file), file.newest_ns.min(file.sealed_ns));
        let left = rest(&files, &deletions);
        for deletion in deletions.iter().filter(|deletion| deletion.reason == Reason::Bytes) {
            let stays = left.iter().filter(|file| file.bytes > 0);
            prop_assert!(stays.map(key).all(|stays| stays >= key(&files[deletion.index])));
        }
    }

    #[test]
    fn as_time_goes_on_more_is_too_old_and_nothing_less(
        policy in any_policy(), files in any_files(), later_ns in 0..20 * DAY_NS,
    ) {
        let old = |now_ns| {
            let deletions = decide(&policy, &files, 0, now_ns).into_iter();
            deletions.filter(|d| d.reason == Reason::Age).map(|d| d.index).collect::<BTreeSet<_>>()
        };
        prop_assert!(old(NOW_NS).is_subset(&old(NOW_NS + later_ns)));
    }

    #[test]
    fn wherever_deleting_stops_the_rest_is_decided_again_and_in_the_end_nothing(
        policy in any_policy(), files in any_files(), active in 0..200_u64, done in 0..13_usize,
    ) {
        let deletions = decide(&policy, &files, active, NOW_NS);
        let (done, to_do) = deletions.split_at(done.min(deletions.len()));
        let left = rest(&files, done);
        let again = decide(&policy, &left, active, NOW_NS);
        let names = |files: &[Candidate], deletions: &[Deletion]| -> Vec<String> {
            deletions.iter().map(|d| files[d.index].name.clone()).collect()
        };
        prop_assert_eq!(names(&left, &again), names(&files, to_do));
    }

    #[test]
    fn the_order_in_which_files_are_listed_does_not_matter(
        policy in any_policy(), files in any_files(), active in 0..200_u64,
    ) {
        let names = |files: &[Candidate]| -> Vec<(String, Reason)> {
            let deletions = decide(&policy, files, active, NOW_NS).into_iter();
            deletions.map(|d| (files[d.index].name.clone(), d.reason)).collect()
        };
        let reversed: Vec<Candidate> = files.iter().rev().cloned().collect();
        prop_assert_eq!(names(&files), names(&reversed));
    }
}
