//! Many instances a service; what changes a revision and what does not.

use super::*;

const ROOM: Capacity = Capacity { registrations_max: 100, leaseless_max: 100 };

fn register(name: &str, url: &str) -> Register {
    Register { service_name: name.to_owned(), service_url: url.to_owned(), ..Register::default() }
}

fn apply(state: &mut State, change: &Change) {
    state.apply(change.kind, &Arc::new(Entry::new(change.registration.clone(), 0)));
}

fn put(state: &mut State, register: Register) -> Registration {
    match state.register(register, Utc::now(), 0, ROOM).unwrap() {
        Registering::Renewed(entry) => entry.registration.clone(),
        Registering::Changed(change) => {
            apply(state, &change);
            change.registration
        }
    }
}

#[test]
fn a_second_url_never_replaces_the_first() {
    let mut state = State::default();
    let first = put(&mut state, register("S", "http://localhost:1"));
    let second = put(&mut state, register("S", "http://localhost:2"));
    assert_eq!((first.instance_id.as_str(), second.instance_id.as_str()), ("S-localhost-1", "S-localhost-2"));
    assert_eq!(state.service("S").count(), 2);
}

#[test]
fn urls_that_differ_only_in_their_scheme_or_path_are_two_instances() {
    let mut state = State::default();
    for url in ["http://h:9", "tcp://h:9", "http://h:9/a", "http://h:9/a/"] {
        put(&mut state, register("S", url));
    }
    assert_eq!(state.count(), 4);
}

#[test]
fn registering_the_same_again_changes_no_revision() {
    let mut state = State::default();
    let first = put(&mut state, register("S", "http://localhost:1"));
    let again = put(&mut state, register("S", "http://localhost:1"));
    assert_eq!((first, 1), (again, state.revision));
}

#[test]
fn registering_with_other_contents_updates_and_keeps_the_first_time() {
    let mut state = State::default();
    let first = put(&mut state, register("S", "http://localhost:1"));
    let tagged = Register { tags: vec!["blue".to_owned()], ..register("S", "http://localhost:1") };
    let second = put(&mut state, tagged);
    assert_eq!(second.revision, 2);
    assert_eq!(second.registered_at, first.registered_at);
    assert_eq!(state.count(), 1);
}

#[test]
fn removing_a_service_removes_each_instance_at_a_revision_of_its_own() {
    let mut state = State::default();
    put(&mut state, register("S", "http://localhost:1"));
    put(&mut state, register("S", "http://localhost:2"));
    put(&mut state, register("T", "http://localhost:1"));
    let changes = state.remove(&Selector::Service("S".to_owned()), ChangeKind::Deregistered);
    assert_eq!(changes.iter().map(|c| c.registration.revision).collect::<Vec<_>>(), [4, 5]);
    changes.iter().for_each(|change| apply(&mut state, change));
    assert_eq!((state.count(), state.revision), (1, 5));
}

#[test]
fn a_url_selects_across_services_unless_one_is_named() {
    let mut state = State::default();
    put(&mut state, register("S", "http://localhost:1"));
    put(&mut state, register("T", "http://localhost:1"));
    let select = |name: Option<&str>| {
        let selector = Selector::Url(name.map(str::to_owned), "http://localhost:1".to_owned());
        state.remove(&selector, ChangeKind::Deregistered).len()
    };
    assert_eq!((select(None), select(Some("T")), select(Some("U"))), (2, 1, 0));
}

#[test]
fn one_registration_too_many_is_refused_but_an_update_is_not() {
    let mut state = State::default();
    put(&mut state, register("S", "http://localhost:1"));
    let room = Capacity { registrations_max: 1, leaseless_max: 1 };
    let more = Register { ttl_seconds: Some(9), ..register("S", "http://localhost:2") };
    let more = state.register(more, Utc::now(), 0, room);
    assert_eq!(more.err(), Some(Refused::Full { max: 1 }));
    let tagged = Register { tags: vec!["x".to_owned()], ..register("S", "http://localhost:1") };
    assert!(state.register(tagged, Utc::now(), 0, room).is_ok());
}

#[test]
fn a_lease_runs_out_after_its_ttl_and_a_renewal_grants_it_afresh() {
    let mut state = State::default();
    let leased = Register { ttl_seconds: Some(10), ..register("S", "http://localhost:1") };
    put(&mut state, leased);
    put(&mut state, register("S", "http://localhost:2"));
    let expired = |state: &State, now| state.entries().filter(|e| e.has_expired(now)).count();
    assert_eq!((expired(&state, 10_000), expired(&state, 10_001)), (0, 1));
    state.get("S", "S-localhost-1").unwrap().renew(9_000);
    assert_eq!((expired(&state, 19_000), expired(&state, 19_001)), (0, 1));
}

#[test]
fn one_that_was_given_up_and_spared_is_as_old_as_it_was() {
    let mut state = State::default();
    let register = Register { ttl_seconds: Some(5), ..register("S", "http://localhost:1") };
    put(&mut state, register);
    let entry = state.entries().next().unwrap();
    assert!(entry.condemn(5_001) && !entry.renew(5_001) && !entry.has_expired(5_001));
    entry.spare();
    assert!(entry.has_expired(5_001), "nobody has renewed it");
    assert!(entry.renew(5_001) && !entry.has_expired(5_001), "and now somebody has");
    entry.spare();
    assert_eq!(entry.age_ms(5_001), 0);
}

#[test]
fn an_instance_keeps_its_url_until_its_lease_has_run_out() {
    let mut state = State::default();
    let named = |url: &str, ttl_seconds| Register {
        instance_id: Some("a".to_owned()),
        ttl_seconds,
        ..register("S", url)
    };
    put(&mut state, named("http://localhost:1", Some(10)));
    let moved = |now_ms| state.register(named("http://localhost:2", Some(10)), Utc::now(), now_ms, ROOM);
    let refused = moved(10_000).unwrap_err();
    assert!(matches!(refused, Refused::OtherUrl { .. }), "{refused}");
    assert!(refused.to_string().contains("registered at http://localhost:1"), "{refused}");
    assert!(moved(10_001).is_ok());
    put(&mut state, named("http://localhost:1", None));
    let refused = state.register(named("http://localhost:2", None), Utc::now(), u64::MAX, ROOM).unwrap_err();
    assert!(refused.to_string().contains("does not expire"), "{refused}");
}

#[test]
fn registrations_without_a_lease_have_a_bound_of_their_own() {
    let mut state = State::default();
    let room = Capacity { registrations_max: 100, leaseless_max: 1 };
    put(&mut state, register("S", "http://localhost:1"));
    let leased = |port: u16| Register { ttl_seconds: Some(9), ..register("S", &format!("http://h:{port}")) };
    let attempt = |state: &State, register| state.register(register, Utc::now(), 0, room).map(drop);
    let refused = Err(Refused::LeaselessFull { max: 1 });
    assert_eq!(attempt(&state, register("S", "http://localhost:2")), refused);
    assert_eq!(attempt(&state, leased(2)), Ok(()));
    put(&mut state, leased(2));
    assert_eq!(attempt(&state, register("S", "http://h:2")), refused, "it gives its lease up");
    put(&mut state, Register { ttl_seconds: Some(9), ..register("S", "http://localhost:1") });
    assert_eq!(state.leaseless(), 0);
    assert_eq!(attempt(&state, register("S", "http://localhost:2")), Ok(()));
}
