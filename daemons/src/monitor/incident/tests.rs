//! One fault, one incident; written as `name status requirements`.

use super::*;
use chrono::TimeDelta;

/// `a D b,c` is down and requires b and c; `W` wavers, `H` is well, `M` under
/// maintenance, `?` unknown, `E` down but excused. Who stands first failed first.
fn graph(lines: &'static [&'static str]) -> Graph<'static> {
    let start = Utc::now();
    lines
        .iter()
        .zip(0..)
        .map(|(line, second)| {
            let words: Vec<&str> = line.split(' ').collect();
            let status = match words[1] {
                "D" | "E" => Status::Unhealthy,
                "H" | "W" => Status::Healthy,
                "M" => Status::Maintenance,
                _ => Status::Unknown,
            };
            let node = Node {
                status,
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
    let roots = roots(&graph(lines), &BTreeSet::new());
    roots
        .iter()
        .map(|(root, affected)| format!("{root}<{}", affected.join(",")))
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
    assert_eq!(roots(&graph, &BTreeSet::from(["a"])).len(), 1, "unless its incident is open");
}

/// Reconciles, and keeps what is open; tells `id service<affected` of all that
/// changed, with `!` where it was resolved.
fn step(open: &mut BTreeMap<u64, Incident>, lines: &'static [&'static str]) -> Vec<String> {
    let mut next = open.keys().max().copied().unwrap_or(0);
    let changed = reconcile(open, &graph(lines), Utc::now(), || {
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
        wavering: false,
        excused: false,
        since: Some(Utc::now()),
        requires: requires.into_iter().collect(),
        reason: None,
        detail: None,
    };
    let mut graph: Graph<'_> = names.iter().map(|name| (name.as_str(), node(Some("root")))).collect();
    // Each had an incident of its own before the root was seen to be down.
    let mut open: BTreeMap<u64, Incident> = reconcile(&BTreeMap::new(), &graph, Utc::now(), {
        let mut next = 0..;
        move || next.next().unwrap()
    })
    .into_iter()
    .map(|incident| (incident.id, incident))
    .collect();
    assert_eq!(open.len(), 2_000);
    graph.insert("root", node(None));
    let changed = reconcile(&open, &graph, Utc::now(), || unreachable!());
    open.extend(changed.into_iter().map(|incident| (incident.id, incident)));
    open.retain(|_, incident| incident.resolved_at.is_none());
    assert_eq!((open.len(), open[&0].service.as_str(), open[&0].affected.len()), (1, "root", 2_000));
}
