//! Who is told, how often, and what a fault on the way does to it.

use super::{Fleet, accepted, body, outbox, webhook};
use crate::harness::endpoint::{Endpoint, Mood};
use crate::harness::{Setup, eventually};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_root_with_28_dependents_is_one_page_with_its_evidence_and_one_when_it_is_over() {
    let fleet = Fleet::start().await;
    let log = Setup::new("log").start().await;
    for n in 0..12 {
        let record = json!({ "service": "shop", "level": "warn", "message": format!("record {n}") });
        log.post_json("log", "/log", record).await.ok();
    }
    let receiver = Endpoint::start(Mood::Good).await;
    for n in 0..28 {
        fleet.register(&format!("dependent-{n}"), json!({ "requiredServices": ["shop"] })).await;
    }
    fleet.register("shop", json!({ "ttlSeconds": 600 })).await;
    let setup = fleet.setup(&webhook("ops", &receiver, ""));
    let monitor = setup.flag("--log-url", log.url("log")).start().await;
    for service in ["shop", "dependent-0", "dependent-27"] {
        fleet.is_seen(&monitor, service, "healthy").await;
    }
    fleet.endpoint.set(Mood::Bad);
    let page = body(&accepted(&receiver, 1).await[0]);
    assert_eq!((&page["kind"], &page["service"]), (&json!("opened"), &json!("shop")));
    let evidence = &page["evidence"];
    assert_eq!((&evidence["phase"], &evidence["status"]), (&json!("http"), &json!("unhealthy")));
    assert_eq!(evidence["instances"][0]["lease"], "held");
    assert!(evidence["streak"].as_i64().unwrap() <= -3 && evidence["last_good_latency"].is_u64(), "{page}");
    let told: Vec<&Value> = evidence["log"].as_array().unwrap().iter().map(|r| &r["message"]).collect();
    let last_ten: Vec<String> = (2..12).map(|n| format!("record {n}")).collect();
    assert_eq!(json!(told), json!(last_ten));
    assert!(page["text"].as_str().unwrap().contains("record 11"), "{page}");
    eventually("all that are down with it are listed", async || {
        let incidents = monitor.get("monitor", "/monitor/incidents?open=true").await.json();
        (incidents[0]["affected"].as_array()?.len() == 28).then_some(())
    })
    .await;
    fleet.endpoint.set(Mood::Good);
    let over = body(&accepted(&receiver, 2).await[1]);
    assert_eq!((&over["kind"], &over["service"]), (&json!("resolved"), &json!("shop")));
    assert_eq!(over["incident"]["affected"].as_array().unwrap().len(), 28);
    fleet.is_seen(&monitor, "dependent-27", "healthy").await;
    eventually("nothing waits", async || {
        outbox(&monitor).await.iter().all(|one| one["state"] == "delivered").then_some(())
    })
    .await;
    assert_eq!(receiver.calls().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_hangs_delays_no_other_and_is_told_when_it_is_well_with_the_same_key() {
    let fleet = Fleet::start().await;
    let (hangs, quick) = (Endpoint::start(Mood::Hang).await, Endpoint::start(Mood::Good).await);
    let more = "timeout = \"1s\"";
    let channels = [webhook("hangs", &hangs, more), webhook("quick", &quick, "")].concat();
    let monitor = fleet.monitor(&channels).await;
    fleet.endpoint.set(Mood::Bad);
    accepted(&quick, 1).await;
    fleet.endpoint.set(Mood::Good);
    accepted(&quick, 2).await;
    assert_eq!(hangs.accepted().len(), 0);
    eventually("it was tried twice", async || (hangs.calls().len() >= 2).then_some(())).await;
    let health = eventually("health tells", async || {
        let health = monitor.get("monitor", "/health").await.json();
        (health["checks"]["alerts"]["status"] == "warn").then_some(health)
    })
    .await;
    assert!(health["checks"]["alerts"]["output"].as_str().unwrap().contains("hangs"), "{health}");
    hangs.set(Mood::Good);
    let kinds: Vec<Value> = accepted(&hangs, 2).await.iter().map(|call| body(call)["kind"].clone()).collect();
    assert_eq!(kinds, ["opened", "resolved"], "in order");
    let keys: BTreeSet<String> = hangs.calls().into_iter().map(|call| call.key).collect();
    assert_eq!(keys.len(), 2, "a repetition has the key of the first attempt: {keys:?}");
    let bodies: BTreeSet<String> = hangs.calls().into_iter().map(|call| call.body).collect();
    assert_eq!(bodies.len(), 2, "and its words");
}

#[tokio::test]
async fn killed_before_it_was_sent_and_killed_before_the_answer_it_is_sent_again_with_the_same_key() {
    let fleet = Fleet::start().await;
    let receiver = Endpoint::start(Mood::Hang).await;
    // A log service that does not answer holds up the first attempt for a moment.
    let log = Endpoint::start(Mood::Hang).await;
    fleet.register("shop", json!({})).await;
    let setup = fleet.setup(&webhook("ops", &receiver, "timeout = \"1m\""));
    let mut monitor = setup.flag("--log-url", &log.url).start().await;
    fleet.is_seen(&monitor, "shop", "healthy").await;
    fleet.endpoint.set(Mood::Bad);
    eventually("its evidence is asked for", async || (!log.calls().is_empty()).then_some(())).await;
    monitor.kill();
    let mut monitor = monitor.restart().await;
    let key = eventually("it is in the outbox", async || {
        Some(outbox(&monitor).await.first()?["notification"]["key"].clone())
    })
    .await;
    eventually("the receiver has it", async || (!receiver.calls().is_empty()).then_some(())).await;
    monitor.kill();
    receiver.set(Mood::Good);
    let monitor = monitor.restart().await;
    accepted(&receiver, 1).await;
    eventually("it is known to be delivered", async || {
        outbox(&monitor).await.iter().all(|one| one["state"] == "delivered").then_some(())
    })
    .await;
    let keys: BTreeSet<String> = receiver.calls().into_iter().map(|call| call.key).collect();
    assert_eq!(json!(keys), json!([key]));
    assert_eq!(receiver.accepted().len(), 1);
    assert!(receiver.calls().len() >= 2);
    let page = body(&receiver.accepted()[0]);
    assert!(page["evidence"]["log_missing"].as_str().unwrap().contains("did not answer"), "{page}");
    // A restart pages nobody again.
    let monitor = monitor.restart().await;
    fleet.is_seen(&monitor, "shop", "unhealthy").await;
    fleet.endpoint.set(Mood::Good);
    let calls = accepted(&receiver, 2).await;
    assert_eq!(body(&calls[1])["kind"], "resolved");
    assert_eq!(calls.len(), 2);
}

#[tokio::test]
async fn killed_at_any_moment_each_incident_is_told_and_so_is_its_end_with_one_key_each() {
    let fleet = Fleet::start().await;
    let receiver = Endpoint::start(Mood::Good).await;
    let mut monitor = fleet.monitor(&webhook("ops", &receiver, "")).await;
    for round in 0..6 {
        for (mood, kind) in [(Mood::Bad, "opened"), (Mood::Good, "resolved")] {
            let told = |count: usize| {
                let calls = receiver.accepted().into_iter().filter(|call| body(call)["kind"] == kind);
                calls.map(|call| call.key).collect::<BTreeSet<_>>().len() == count
            };
            let (before, probed, filed) =
                (receiver.accepted().len(), fleet.endpoint.calls().len(), outbox(&monitor).await.len());
            fleet.endpoint.set(mood);
            // The blow falls about when the status flips, once it is on disk, once it was told.
            match round % 3 {
                0 => {
                    let enough = probed + if mood == Mood::Bad { 3 } else { 2 };
                    eventually("it is probed", async || {
                        (fleet.endpoint.calls().len() >= enough).then_some(())
                    })
                    .await;
                }
                1 => {
                    eventually("it is on disk", async || {
                        (outbox(&monitor).await.len() > filed).then_some(())
                    })
                    .await;
                }
                _ => {
                    eventually("it is told", async || (receiver.calls().len() > before).then_some(())).await;
                }
            }
            monitor = monitor.restart().await;
            eventually("it is told", async || told(round + 1).then_some(())).await;
        }
    }
    let incidents = monitor.get("monitor", "/monitor/incidents").await.ok().json();
    let mut wanted: Vec<String> = incidents
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|incident| ["opened", "resolved"].map(|kind| format!("{}-{kind}-ops", incident["id"])))
        .collect();
    let keys: BTreeSet<String> = receiver.accepted().into_iter().map(|call| call.key).collect();
    let mut told: Vec<String> = keys.iter().map(|key| key.split_once('-').unwrap().1.to_owned()).collect();
    wanted.sort();
    told.sort();
    assert_eq!((wanted.len(), told), (12, wanted));
}

#[tokio::test]
async fn what_a_channel_cannot_deliver_in_time_its_fallback_gets_once() {
    let fleet = Fleet::start().await;
    let (first, second) = (Endpoint::start(Mood::Bad).await, Endpoint::start(Mood::Good).await);
    let more = "fallback = \"second\"\nfallback_after = \"1s\"";
    let channels = [webhook("first", &first, more), webhook("second", &second, "")].concat();
    let monitor = fleet.monitor(&channels).await;
    fleet.endpoint.set(Mood::Bad);
    let page = body(&accepted(&second, 1).await[0]);
    assert_eq!((&page["kind"], &page["channel"]), (&json!("opened"), &json!("second")));
    let handed = outbox(&monitor).await.into_iter().find(|one| one["channel"] == "second").unwrap();
    assert_eq!(handed["fallback_of"], "first");
    fleet.endpoint.set(Mood::Good);
    assert_eq!(body(&accepted(&second, 2).await[1])["kind"], "resolved");
    first.set(Mood::Good);
    accepted(&first, 2).await;
    // What the fallback was not needed for it does not hear of.
    fleet.endpoint.set(Mood::Bad);
    accepted(&first, 3).await;
    fleet.endpoint.set(Mood::Good);
    accepted(&first, 4).await;
    assert_eq!(second.calls().len(), 2);
}

#[tokio::test]
async fn a_channel_that_is_new_is_told_what_is_open_and_one_that_is_gone_keeps_nothing_waiting() {
    let fleet = Fleet::start().await;
    let (old, new) = (Endpoint::start(Mood::Bad).await, Endpoint::start(Mood::Good).await);
    let monitor = fleet.monitor(&webhook("old", &old, "")).await;
    fleet.endpoint.set(Mood::Bad);
    eventually("it was tried", async || (!old.calls().is_empty()).then_some(())).await;
    std::fs::write(monitor.dir().join("distlog.toml"), webhook("new", &new, "")).unwrap();
    let monitor = monitor.restart().await;
    let page = body(&accepted(&new, 1).await[0]);
    assert_eq!((&page["kind"], &page["service"]), (&json!("opened"), &json!("shop")));
    let left = eventually("the other is given up", async || {
        let left = monitor.get("monitor", "/monitor/alerts?state=given_up&channel=old").await.json();
        left.as_array()?.first().cloned()
    })
    .await;
    assert_eq!(left["last_error"], "the channel is no longer configured");
    fleet.endpoint.set(Mood::Good);
    assert_eq!(body(&accepted(&new, 2).await[1])["kind"], "resolved");
}

#[tokio::test]
async fn quiet_hours_hold_back_a_page_and_a_short_outage_in_them_pages_nobody() {
    let fleet = Fleet::start().await;
    let (quiet, loud) = (Endpoint::start(Mood::Good).await, Endpoint::start(Mood::Good).await);
    let channels = [webhook("quiet", &quiet, "quiet = \"00:00-24:00\""), webhook("loud", &loud, "")].concat();
    let monitor = fleet.monitor(&channels).await;
    fleet.endpoint.set(Mood::Bad);
    accepted(&loud, 1).await;
    let waiting = monitor.get("monitor", "/monitor/alerts?state=pending&channel=quiet").await.json();
    assert_eq!((waiting.as_array().unwrap().len(), &waiting[0]["attempts"]), (1, &json!(0)));
    fleet.endpoint.set(Mood::Good);
    accepted(&loud, 2).await;
    let list = monitor.get("monitor", "/monitor/alerts?channel=quiet").await.json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["state"]), (1, &json!("suppressed")), "{list}");
    assert_eq!(quiet.calls().len(), 0);
    // A test is one that somebody waits for.
    monitor.post_json("monitor", "/monitor/alerts/test", json!({ "channel": "quiet" })).await.ok();
    assert_eq!(quiet.accepted().len(), 1);
}

#[tokio::test]
async fn a_dead_mans_switch_is_called_while_the_monitor_works() {
    let fleet = Fleet::start().await;
    let watched = Endpoint::start(Mood::Good).await;
    fleet.register("shop", json!({})).await;
    let setup = fleet.setup("").flag("--monitor-heartbeat-url", format!("{}/ping", watched.url));
    let monitor = setup.flag("--monitor-heartbeat-interval", "1s").start().await;
    accepted(&watched, 2).await;
    assert!(watched.calls().iter().all(|call| call.path == "/ping"));
    monitor.signal("STOP");
    let before = watched.calls().len();
    let began = std::time::Instant::now();
    eventually("two intervals pass", async || (began.elapsed().as_secs() >= 2).then_some(())).await;
    // One may have been under way.
    assert!(watched.calls().len() <= before + 1);
    monitor.signal("CONT");
    accepted(&watched, before + 2).await;
}
