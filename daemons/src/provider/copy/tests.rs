use super::super::change::tests::{fleet, registration};
use super::super::outbox::{accepted, head};
use super::super::store::tests::database;
use super::*;
use proptest::prelude::*;
use shared::wire::provider::Notice;
use shared::wire::registry::ChangeKind;

const EPOCH: u64 = 7;

fn step(kind: ChangeKind, service: &str, instance: &str, revision: u64) -> Taken {
    let place = Place { epoch: EPOCH, revision };
    Taken::Change(place, Arc::new(Event { kind, registration: registration(service, instance, revision) }))
}

fn snapshot(epoch: u64, instances: &[(&str, &str, u64)]) -> Taken {
    let fleet = fleet(instances);
    let place = Some(Place { epoch, revision: fleet.revision });
    Taken::Fleet(Arc::new(Fleet { place, ..fleet }))
}

fn taken(connection: &Connection, steps: &[Taken]) -> Effects {
    take(connection, steps, Utc::now()).unwrap()
}

fn wish(service: &str, callback_url: &str) -> Wish {
    Wish { service: service.to_owned(), callback_url: callback_url.to_owned(), owner: None }
}

fn subscribed(connection: &Connection, url: &str) -> String {
    subscribe(connection, &wish("S", url), Utc::now(), &mut Effects::default()).unwrap()
}

/// Accepts the notice that is next.
fn accept(connection: &Connection, id: &str) -> Option<Notice> {
    let head = head(connection, id).unwrap()?;
    accepted(connection, id, &head, Utc::now()).unwrap();
    Some(serde_json::from_str(&head.body).unwrap())
}

/// A receiver that checks what it is told.
#[derive(Debug, Default)]
struct Receiver(BTreeSet<String>);

impl Receiver {
    fn hear(&mut self, notice: &Notice) {
        for gone in &notice.removed {
            assert!(self.0.remove(&gone.instance_id), "{} was not known", gone.instance_id);
        }
        for new in &notice.added {
            assert!(self.0.insert(new.instance_id.clone()), "{} was known", new.instance_id);
        }
        assert!(notice.updated.iter().all(|changed| self.0.contains(&changed.instance_id)));
    }
}

fn rows(connection: &Connection, table: &str) -> u32 {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn a_step_that_is_told_again_changes_nothing() {
    let connection = database();
    let id = subscribed(&connection, "http://h/");
    taken(&connection, &[snapshot(EPOCH, &[("S", "a", 1)])]);
    let steps = [step(ChangeKind::Registered, "S", "b", 2), step(ChangeKind::Updated, "S", "b", 3)];
    for _ in 0..2 {
        taken(&connection, &steps);
        assert_eq!(store::get(&connection, &id).unwrap().unwrap().pending, 3);
    }
    taken(&connection, &[snapshot(EPOCH, &[("S", "a", 1), ("S", "b", 3)])]);
    assert_eq!(store::get(&connection, &id).unwrap().unwrap().pending, 3, "and nor does what is there");
}

#[test]
fn what_is_left_of_another_history_is_not_taken() {
    let connection = database();
    let id = subscribed(&connection, "http://h/");
    taken(&connection, &[snapshot(EPOCH + 1, &[("S", "a", 1)]), step(ChangeKind::Registered, "S", "b", 2)]);
    assert_eq!(store::get(&connection, &id).unwrap().unwrap().pending, 1);
    assert_eq!(load(&mut Loading::new(&connection, false), Utc::now()).unwrap().registrations().count(), 1);
}

#[test]
fn a_change_is_written_once_however_many_hear_of_it_and_not_for_nobody() {
    let connection = database();
    let ids: Vec<_> = (0..5).map(|n| subscribed(&connection, &format!("http://h/{n}"))).collect();
    taken(&connection, &[snapshot(EPOCH, &[("T", "t", 1)]), step(ChangeKind::Registered, "T", "u", 2)]);
    assert_eq!((rows(&connection, "notices"), rows(&connection, "outbox")), (0, 0));
    let woken = taken(&connection, &[step(ChangeKind::Registered, "S", "a", 3)]).woken;
    assert_eq!(woken, ids.iter().cloned().collect());
    assert_eq!((rows(&connection, "notices"), rows(&connection, "outbox")), (1, 5));
    store::delete(&connection, &ids[0], &mut Effects::default()).unwrap();
    ids.iter().skip(1).for_each(|id| assert!(accept(&connection, id).is_some()));
    assert_eq!((rows(&connection, "notices"), rows(&connection, "outbox")), (0, 0), "nothing is left behind");
}

#[test]
fn what_waits_for_one_who_is_dead_is_bounded_and_nothing_is_lost() {
    let connection = database();
    let (dead, alive) = (subscribed(&connection, "http://dead/"), subscribed(&connection, "http://alive/"));
    taken(&connection, &[snapshot(EPOCH, &[("S", "0", 1)])]);
    let under_way = head(&connection, &dead).unwrap().unwrap();
    let mut told = 0;
    for revision in 2..3_500 {
        let instance = (revision / 2).to_string();
        let kind = if revision % 2 == 0 { ChangeKind::Registered } else { ChangeKind::Deregistered };
        taken(&connection, &[step(kind, "S", &instance, revision)]);
        while accept(&connection, &alive).is_some() {
            told += 1;
        }
        assert!(rows(&connection, "outbox") <= 1_001);
    }
    assert_eq!(told, 3_499, "one who hears is told each");
    let standing = store::get(&connection, &dead).unwrap().unwrap();
    assert!(standing.folded >= 3_000 && standing.pending <= 1_001, "{standing:?}");
    assert_eq!(standing.pending, u64::from(rows(&connection, "outbox")));
    assert_eq!(head(&connection, &dead).unwrap().unwrap(), under_way, "what may be under way stays");
    let mut receiver = Receiver::default();
    while let Some(notice) = accept(&connection, &dead) {
        receiver.hear(&notice);
    }
    assert_eq!(receiver.0, BTreeSet::from(["0".to_owned()]));
    assert_eq!(store::get(&connection, &dead).unwrap().unwrap().pending, 0);
}

#[test]
fn one_who_is_told_anew_again_and_again_and_never_hears_is_told_once() {
    let connection = database();
    let many: Vec<String> = (0..450).map(|n| n.to_string()).collect();
    let many: Vec<_> = many.iter().map(|id| ("S", id.as_str(), 1)).collect();
    taken(&connection, &[snapshot(EPOCH, &many)]);
    for revision in 2..50 {
        let mut registration = registration("O", "o", revision);
        registration.required_services = vec!["S".to_owned()];
        registration.service_update_url = Some("http://dead/".to_owned());
        let place = Place { epoch: EPOCH, revision };
        let event = Event { kind: ChangeKind::Updated, registration };
        taken(&connection, &[Taken::Change(place, Arc::new(event))]);
        assert!(rows(&connection, "outbox") <= 9);
    }
    let id = store::list(&connection).unwrap().remove(0).id;
    let mut known = BTreeSet::new();
    while let Some(notice) = accept(&connection, &id) {
        assert!(notice.initial && notice.removed.is_empty() && notice.updated.is_empty());
        known.extend(notice.added.into_iter().map(|registration| registration.instance_id));
    }
    assert_eq!(known.len(), 450);
}

#[test]
fn who_subscribes_is_told_that_it_is_what_exists_however_much_that_is_and_however_early() {
    let connection = database();
    let early = subscribed(&connection, "http://early/");
    let many: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    let many: Vec<_> = many.iter().map(|id| ("S", id.as_str(), 1)).collect();
    taken(&connection, &[snapshot(EPOCH, &many)]);
    let late = subscribed(&connection, "http://late/");
    taken(&connection, &[step(ChangeKind::Registered, "S", "new", 2)]);
    for id in [early, late] {
        let told: Vec<Notice> = std::iter::from_fn(|| accept(&connection, &id)).collect();
        let existing: usize = told.iter().filter(|notice| notice.initial).map(|n| n.added.len()).sum();
        assert_eq!((existing, told.last().map(|notice| notice.initial)), (2_000, Some(false)));
    }
}

#[test]
fn registrations_that_found_no_room_are_subscribed_when_there_is_some() {
    let connection = database();
    let asking = |instance: &str, requires: usize, revision| {
        let mut registration = registration("O", instance, revision);
        registration.required_services = (0..requires).map(|n| n.to_string()).collect();
        registration.service_update_url = Some("http://h/".to_owned());
        let place = Place { epoch: EPOCH, revision };
        Taken::Change(place, Arc::new(Event { kind: ChangeKind::Registered, registration }))
    };
    taken(&connection, &[snapshot(EPOCH, &[("T", "t", 1)]), asking("many", 4_095, 2)]);
    assert!(!is_anyone_left_out(&connection).unwrap());
    assert_eq!(taken(&connection, &[asking("late", 3, 3)]).left_out, Some(true));
    assert!(is_anyone_left_out(&connection).unwrap(), "a restart finds it");
    assert_eq!(rows(&connection, "subscriptions"), 4_096);
    let after = taken(&connection, &[step(ChangeKind::Expired, "O", "many", 4)]);
    assert_eq!((after.left_out, after.gone.len()), (Some(false), 4_095));
    assert!(!is_anyone_left_out(&connection).unwrap());
    assert_eq!(rows(&connection, "subscriptions"), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever hears what it is told, whenever it subscribed and however slowly
    /// it accepts, ends with what there is.
    #[test]
    fn everyone_knows_what_there_is_when_nothing_waits(
        steps in proptest::collection::vec((0..10_u8, 0..5_u8), 1..80),
    ) {
        let connection = database();
        taken(&connection, &[snapshot(EPOCH, &[("T", "t", 1)])]);
        let mut here: BTreeSet<String> = BTreeSet::new();
        let mut receivers: Vec<(String, Receiver)> = Vec::new();
        for ((what, who), revision) in steps.into_iter().zip(2..) {
            let name = who.to_string();
            match what {
                0 => {
                    let url = format!("http://h/{}", receivers.len());
                    receivers.push((subscribed(&connection, &url), Receiver::default()));
                }
                1 => {
                    // Seen only as a whole: an instance or two have gone or come.
                    if !here.remove(&name) {
                        here.insert(name);
                    }
                    let all: Vec<_> = here.iter().map(|id| ("S", id.as_str(), 0)).collect();
                    let all = [("T", "t", 1)].into_iter().chain(all).collect::<Vec<_>>();
                    let fleet = Fleet { revision, place: Some(Place { epoch: EPOCH, revision }), ..fleet(&all) };
                    taken(&connection, &[Taken::Fleet(Arc::new(fleet))]);
                }
                2 | 3 => {
                    here.remove(&name);
                    taken(&connection, &[step(ChangeKind::Deregistered, "S", &name, revision)]);
                }
                4..=6 => {
                    here.insert(name.clone());
                    taken(&connection, &[step(ChangeKind::Registered, "S", &name, revision)]);
                }
                _ => {
                    let count = receivers.len().max(1);
                    if let Some((id, receiver)) = receivers.get_mut(usize::from(who) % count)
                        && let Some(notice) = accept(&connection, id)
                    {
                        receiver.hear(&notice);
                    }
                }
            }
        }
        for (id, receiver) in &mut receivers {
            while let Some(notice) = accept(&connection, id) {
                receiver.hear(&notice);
            }
            prop_assert_eq!(&receiver.0, &here);
        }
        prop_assert_eq!(rows(&connection, "notices"), 0);
    }
}
