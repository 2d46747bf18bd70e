//! One fault, one incident; written as `name status requirements`.

mod properties;

use super::graph::Node;
use super::*;
use chrono::TimeDelta;
use shared::wire::monitor::Phase;

/// `a D b,c` is down and requires b and c; `W` wavers, `H` is well, `M` under
/// maintenance, `?` unknown, `E` down but excused, `F` well but flapping, `N`
/// well and not probed since the others began to fail; `d` has been down since
/// long before the others were seen well last. Who stands first failed first.
fn graph(lines: &'static [&'static str]) -> Graph<'static> {
    let start = DateTime::UNIX_EPOCH;
    lines
        .iter()
        .zip(0..)
        .map(|(line, second)| {
            let words: Vec<&str> = line.split(' ').collect();
            let status = match words[1] {
                "D" | "E" | "d" => Status::Unhealthy,
                "H" | "W" | "F" | "N" => Status::Healthy,
                "M" => Status::Maintenance,
                _ => Status::Unknown,
            };
            let second = if words[1] == "d" { second } else { second + 1_000 };
            let node = Node {
                status,
                failing_since: Some(start + TimeDelta::seconds(990)),
                last_good: Some(start + TimeDelta::seconds(if words[1] == "N" { 500 } else { 995 })),
                recovered_by: Some(start + TimeDelta::seconds(second + 100)),
                flapping: words[1] == "F",
                wavering: words[1] == "W",
                excused: words[1] == "E",
                since: Some(start + TimeDelta::seconds(second)),
                requires: words.get(2).map(|all| all.split(',').collect()).unwrap_or_default(),
                reason: Some(Phase::Connect),
                detail: Some("refused"),
            };
            (words[0], node)
        })
        .collect()
}

fn found(lines: &'static [&'static str]) -> String {
    let graph = graph(lines);
    let verdict = judge(&graph, &BTreeSet::new(), DateTime::UNIX_EPOCH);
    verdict
        .roots
        .iter()
        .map(|(root, behind)| format!("{root}<{}", behind.affected.join(",")))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_root_is_what_all_that_is_down_requires() {
    assert_eq!(found(&["a D", "b H"]), "a<");
    assert_eq!(found(&["a D b", "b D c", "c D", "d H c"]), "c<a,b");
    assert_eq!(found(&["a D b,c", "b D", "c D"]), "b<a c<a");
    assert_eq!(found(&["a D b", "b H c", "c D"]), "a< c<", "what does well passes nothing on");
    assert_eq!(found(&["a D b", "b ? c", "c D"]), "c<a");
    assert_eq!(found(&["a D nobody"]), "a<");
}

#[test]
fn in_a_circle_the_first_to_fail_is_the_root() {
    assert_eq!(found(&["b D c", "a D b", "c D a"]), "b<a,c");
    assert_eq!(found(&["a D a"]), "a<");
    assert_eq!(found(&["a D b", "b D a,c", "c D"]), "c<a,b");
}

#[test]
fn a_service_waits_while_what_it_requires_wavers_and_while_it_is_excused() {
    assert_eq!(found(&["a D b", "b W"]), "");
    assert_eq!(found(&["a E"]), "");
    let graph = graph(&["a D b", "b W"]);
    let verdict = judge(&graph, &BTreeSet::from(["a"]), Utc::now());
    assert_eq!(verdict.roots.len(), 1, "unless its incident is open");
}

fn dependents(open: &BTreeMap<u64, Incident>, id: u64) -> String {
    let word =
        |d: &Dependent| format!("{} {}{}", d.service, d.effect.as_str(), if d.own_cause { "!" } else { "" });
    open[&id].dependents.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// The incidents that are new or changed.
fn drawn(open: &BTreeMap<u64, Incident>, graph: &Graph<'_>, next: impl FnMut() -> u64) -> Vec<Incident> {
    let now = Utc::now();
    reconcile(open, graph, &judge(graph, &holders(open), now), now, next)
}

/// Reconciles, and keeps what is open; tells `id service<affected` of all that
/// changed, with `!` where it was resolved.
fn step(open: &mut BTreeMap<u64, Incident>, lines: &'static [&'static str]) -> Vec<String> {
    let mut next = open.keys().max().copied().unwrap_or(0);
    let changed = drawn(open, &graph(lines), || {
        next += 1;
        next
    });
    changed
        .into_iter()
        .map(|incident| {
            let over = if incident.resolved_at.is_some() { "!" } else { "" };
            let text = format!("{} {}<{}{over}", incident.id, incident.service, incident.affected.join(","));
            open.insert(incident.id, incident.clone());
            open.retain(|_, incident| incident.resolved_at.is_none());
            text
        })
        .collect()
}

#[test]
fn one_fault_is_one_incident_from_beginning_to_end() {
    let mut open = BTreeMap::new();
    assert_eq!(step(&mut open, &["a H b", "b D", "c H b"]), ["1 b<"]);
    assert_eq!(step(&mut open, &["a H b", "b D", "c H b"]), [""; 0]);
    assert_eq!(step(&mut open, &["a D b", "b D", "c D b"]), ["1 b<a,c"]);
    assert_eq!(step(&mut open, &["a E b", "b H", "c E b"]), ["1 b<a,c!"]);
    assert_eq!(step(&mut open, &["a H b", "b H", "c D b"]), ["1 c<"], "c has a cause of its own");
}

#[test]
fn a_root_that_is_found_late_takes_over_the_incidents_of_those_it_affects() {
    let mut open = BTreeMap::new();
    assert_eq!(step(&mut open, &["a D b", "b H", "c D b"]), ["1 a<", "2 c<"]);
    assert_eq!(step(&mut open, &["a D b", "b D", "c D b"]), ["1 b<a,c", "2 c<!"]);
}

#[test]
fn everything_that_depends_on_a_root_is_listed_with_how_it_is_affected() {
    let mut open = BTreeMap::new();
    step(&mut open, &["a D b", "b D", "c H b", "d H c", "e ? b", "f M b", "g D d", "h H"]);
    assert_eq!(
        dependents(&open, 1),
        "a down, c at_risk, d at_risk, e unknown, f maintenance, g down!",
        "g is down although what it requires is well"
    );
    assert_eq!((open[&2].service.as_str(), open[&2].affected.len()), ("g", 0));
}

#[test]
fn who_was_down_while_the_root_was_well_keeps_an_incident_of_its_own() {
    let mut open = BTreeMap::new();
    assert_eq!(step(&mut open, &["a d b", "b H", "c H b,a"]), ["1 a<"]);
    assert_eq!(step(&mut open, &["a d b", "b D", "c D b,a"]), ["1 a<c", "2 b<c"]);
    assert_eq!(dependents(&open, 2), "a down!, c down");
    assert_eq!(step(&mut open, &["a d b", "b D", "c D b,a"]), [""; 0]);
    assert_eq!(step(&mut open, &["a d b", "b H", "c D b,a"]), ["2 b<c!"], "c is down for a too");
    // Without an incident of its own it was not told of yet: it is part of the root's.
    assert_eq!(found(&["a d b", "b D"]), "b<a");
}

#[test]
fn what_flaps_is_one_incident_whether_it_is_up_or_down() {
    let mut open = BTreeMap::new();
    assert_eq!(step(&mut open, &["a D", "b D a"]), ["1 a<b"]);
    step(&mut open, &["a F", "b D a"]);
    assert_eq!((open[&1].kind, open.len()), (IncidentKind::Flapping, 1));
    assert_eq!(step(&mut open, &["a F", "b H a"]).len(), 1, "its dependents change");
    assert_eq!(step(&mut open, &["a F", "b D a"]).len(), 1);
    assert_eq!(step(&mut open, &["a H", "b E a"]), ["1 a<b!"]);
}

#[test]
fn a_service_waits_until_what_it_requires_was_probed_but_not_for_ever() {
    let graph = graph(&["a D b", "b N"]);
    let roots = |seconds| {
        judge(&graph, &BTreeSet::new(), DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)).roots.len()
    };
    assert_eq!((roots(1_050), roots(1_200)), (0, 1));
    let verdict = judge(&graph, &BTreeSet::new(), DateTime::UNIX_EPOCH);
    assert_eq!(verdict.waits["a"], Wait::Unseen("b"));
}

#[test]
fn whoever_is_down_for_a_maintenance_waits() {
    assert_eq!(found(&["a D b", "b D c", "c M", "d D c,e", "e D"]), "e<d");
    let graph = graph(&["a D b", "b D c", "c M"]);
    let verdict = judge(&graph, &BTreeSet::new(), DateTime::UNIX_EPOCH);
    assert_eq!((verdict.waits["a"], verdict.waits["b"]), (Wait::Planned("c"), Wait::Planned("c")));
}

#[test]
fn an_incident_ends_with_its_service_but_not_while_it_is_unknown() {
    for (after, ended) in [("a ?", 0), ("a H", 1), ("a M", 1), ("z H", 1)] {
        let mut open = BTreeMap::new();
        step(&mut open, &["a D"]);
        let lines: &'static [&'static str] = Box::leak(Box::new([after]));
        assert_eq!(step(&mut open, lines).len(), ended, "{after}");
    }
}

#[test]
fn two_thousand_that_fail_with_one_root_are_one_incident() {
    let names: Vec<String> = (0..2_000).map(|n| format!("s{n:04}")).collect();
    let node = |requires: Option<&'static str>| Node {
        status: Status::Unhealthy,
        since: Some(Utc::now()),
        requires: requires.into_iter().collect(),
        ..Node::default()
    };
    let mut graph: Graph<'_> = names.iter().map(|name| (name.as_str(), node(Some("root")))).collect();
    // Each had an incident of its own before the root was seen to be down.
    let mut open: BTreeMap<u64, Incident> = drawn(&BTreeMap::new(), &graph, {
        let mut next = 0..;
        move || next.next().unwrap()
    })
    .into_iter()
    .map(|incident| (incident.id, incident))
    .collect();
    assert_eq!(open.len(), 2_000);
    graph.insert("root", node(None));
    let changed = drawn(&open, &graph, || unreachable!());
    open.extend(changed.into_iter().map(|incident| (incident.id, incident)));
    open.retain(|_, incident| incident.resolved_at.is_none());
    assert_eq!((open.len(), open[&0].service.as_str(), open[&0].affected.len()), (1, "root", 2_000));
}
