//! The page with more entries, longer names and larger numbers than usual.

use crate::browser::{Browser, Look};
use crate::harness::{Answer, eventually};
use crate::page::fleet;
use reqwest::Method;
use serde_json::json;

const fn look(width: u32, height: u32, scheme: &'static str) -> Look {
    Look { name: "crowd", width, height, scheme }
}

#[tokio::test]
async fn long_names_and_many_services_hide_nothing() {
    let fleet = fleet().await;
    let long = "L".repeat(200);
    let url = format!("http://localhost:1/{}", "u".repeat(300));
    fleet.post_json("registry", "/services", json!({"serviceName": long, "serviceUrl": url})).await.ok();
    let healthy = format!("{}/health", fleet.url("monitor"));
    for n in 0..110 {
        let service = json!({"serviceName": format!("Crowd-{n:03}"), "serviceUrl": healthy});
        fleet.post_json("registry", "/services", service).await.ok();
    }
    let book = json!({"title": "T".repeat(300), "author": "A".repeat(150)});
    fleet.post_json("library", "/library/books", book).await.ok();
    let lend = json!({"book_id": "1", "borrower": "B".repeat(150)});
    fleet.post_json("library", "/library/borrow", lend).await.ok();
    fleet.post("log", &format!("/log?service={}", "S".repeat(100)), "W".repeat(400)).await.ok();

    let browser = Browser::start().await;
    browser.goto(&fleet.url("web")).await;
    // By its name it would be among the last, of which not all are listed.
    browser.sees("#services tbody tr:first-child", "unhealthy").await;
    browser.sees("#services .more", "100 of 117 services, the worst first").await;
    browser.sees("#loans", "BBB").await;
    for (width, height, scheme) in
        [(1280, 800, "light"), (400, 800, "light"), (1280, 2000, "light"), (1280, 800, "dark")]
    {
        browser.look(look(width, height, scheme)).await;
        let wide = "return [document.documentElement, ...document.querySelectorAll('.scroll')] \
            .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.outerHTML.slice(0, 80))";
        assert_eq!(browser.run(wide).await, json!([]), "at {width} it scrolls sideways");
        let hidden = "return [...document.querySelectorAll('button')].filter((button) => { \
            const at = button.getBoundingClientRect(); \
            return at.width > 0 && (at.left < 0 || at.right > innerWidth); }).map((button) => button.textContent)";
        assert_eq!(browser.run(hidden).await, json!([]), "at {width} buttons are out of sight");
        assert_eq!(browser.serious_findings().await, json!([]), "at {width} in {scheme}");
        if width > 1000 {
            let high = "return document.querySelector('#log').offsetHeight / innerHeight";
            let share = browser.run(high).await.as_f64().unwrap();
            assert!(share > 0.9, "at {height} the log takes {share} of the height");
        }
    }
    browser.picture("crowd").await;
}

#[tokio::test]
async fn numbers_keep_every_digit_with_and_without_javascript() {
    let fleet = fleet().await;
    let record = |n: u32| {
        format!(
            r#"{{"message":"exact {n}","a":646586703926004764,"b":1e400,"d":{{"e":[18446744073709551617]}},"s":"12"}}"#
        )
    };
    let send = async |n| {
        let request = fleet.request(Method::POST, "log", "/log").header("content-type", "application/json");
        Answer::of(request.body(record(n))).await.ok();
    };
    send(1).await;
    let browser = Browser::start().await;
    let shown = async |row: &str, n: u32| {
        browser.sees(&format!("{row} .message"), &format!("exact {n}")).await;
        let fields = browser.text(&format!("{row} .fields")).await;
        for field in ["a=646586703926004764", "b=1e400", r#"d={"e":[18446744073709551617]}"#, "s=12"] {
            assert!(fields.contains(field), "{field} is not in {fields}");
        }
    };
    browser.scripting(false).await;
    browser.goto(&fleet.url("web")).await;
    shown("#records li:first-child", 1).await;
    browser.scripting(true).await;
    browser.goto(&fleet.url("web")).await;
    browser.sees("#log .fresh", "live").await;
    shown("#records li:first-child", 1).await;
    send(2).await;
    shown("#records li:first-child", 2).await;
}

#[tokio::test]
async fn a_ninth_tab_follows_the_log_as_the_first_did() {
    let fleet = fleet().await;
    let browser = Browser::start().await;
    for tab in 0..9 {
        if tab > 0 {
            browser.new_tab().await;
        }
        browser.goto(&fleet.url("web")).await;
        browser.sees("#log .fresh", "live").await;
    }
    fleet.post("log", "/log", "seen in the last tab").await.ok();
    browser.sees("#records", "seen in the last tab").await;
    // One that comes back into sight has what was logged meanwhile.
    browser.first_tab().await;
    browser.sees("#records", "seen in the last tab").await;
    browser.sees("#log .fresh", "live").await;
    eventually("the first tab follows the log", async || {
        fleet.post("log", "/log", "seen in the first tab").await.ok();
        browser.text("#records").await.contains("seen in the first tab").then_some(())
    })
    .await;
}
