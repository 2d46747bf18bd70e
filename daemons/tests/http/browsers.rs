//! A browser is not a user: what its pages may ask and show.

use crate::harness::{Answer, DAEMONS, Running, Setup};
use reqwest::Method;
use serde_json::json;

async fn from_page(fleet: &Running, daemon: &str, path: &str, mode: &str, dest: &str) -> Answer {
    let request = fleet
        .request(Method::GET, daemon, path)
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", mode)
        .header("sec-fetch-dest", dest);
    Answer::of(request).await
}

#[tokio::test]
async fn what_is_no_page_is_neither_framed_nor_cached_nor_embedded() {
    let fleet = Setup::new("all").start().await;
    for daemon in DAEMONS {
        for path in ["/health", "/metrics", "/openapi.json", "/nowhere"] {
            let answer = fleet.get(daemon, path).await;
            for (name, value) in [
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("cache-control", "no-store"),
                ("cross-origin-resource-policy", "same-origin"),
                ("x-content-type-options", "nosniff"),
            ] {
                assert_eq!(answer.header(name), value, "{daemon}{path}: {name}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_of_another_site_gets_the_page_and_badges_and_nothing_else() {
    let fleet = Setup::new("all").start().await;
    let service = json!({"serviceName": "Shop", "serviceUrl": "http://localhost:1"});
    fleet.post_json("registry", "/services", service).await.ok();
    from_page(&fleet, "registry", "/health/Shop", "no-cors", "image").await.problem(403);
    from_page(&fleet, "registry", "/services", "navigate", "document").await.problem(403);
    from_page(&fleet, "log", "/log", "no-cors", "script").await.problem(403);
    from_page(&fleet, "web", "/web", "navigate", "iframe").await.problem(403);
    from_page(&fleet, "web", "/proxy/log", "cors", "empty").await.problem(403);
    // Alerts link to the incidents.
    from_page(&fleet, "monitor", "/monitor/incidents", "navigate", "document").await.ok();
    from_page(&fleet, "monitor", "/monitor/incidents", "cors", "empty").await.problem(403);
    let page = from_page(&fleet, "web", "/web", "navigate", "document").await.ok();
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
    // The badge may be unknown to the monitor still: it is not the gate that refuses.
    let badge = from_page(&fleet, "monitor", "/monitor/badge/Shop.svg", "no-cors", "image").await;
    assert!([200, 404].contains(&badge.status), "{}", badge.body);
    let image = from_page(&fleet, "monitor", "/monitor/health", "no-cors", "image").await;
    image.problem(403);
}
