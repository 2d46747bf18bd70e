//! A large fleet, of which a part hangs.

use super::*;
use std::collections::BTreeMap;

#[tokio::test]
async fn of_500_instances_the_50_that_hang_hold_up_nobody() {
    let registry = Setup::new("registry").start().await;
    let (good, hanging) = (Endpoint::start(Mood::Good).await, Endpoint::start(Mood::Hang).await);
    for n in 0..500 {
        let server = if n % 10 == 0 { &hanging } else { &good };
        let id = json!({ "instanceId": format!("i{n:03}") });
        register(&registry, "fleet", &format!("{}/{n:03}", server.url), id).await;
    }
    let monitor = Setup::new("monitor").peers_of(&registry).flag("--monitor-interval", "3s").start().await;
    // How often each of the good was probed when the first of them was for the sixth time.
    let counts = eventually("one is probed six times", async || {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for call in good.calls() {
            *counts.entry(call.path).or_default() += 1;
            if counts.values().any(|count| *count == 6) {
                return Some(counts);
            }
        }
        None
    })
    .await;
    assert_eq!(counts.len(), 450, "each was probed");
    let fewest = counts.values().min().unwrap();
    assert!(*fewest >= 3, "one was probed {fewest} times while another was six times");
    assert!(hanging.calls().len() >= 50, "the others are tried all the while");
    let service = becomes(&monitor, "fleet", "healthy").await;
    assert_eq!(service["instances"].as_array().unwrap().len(), 500);
    eventually("those that hang are found", async || {
        let service = self::service(&monitor, "fleet").await?;
        let found = service["instances"].as_array()?.iter().filter(|i| i["status"] == "unhealthy");
        (found.count() == 50).then_some(())
    })
    .await;
}
