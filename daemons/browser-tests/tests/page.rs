//! What a visitor of the page sees and does.

use crate::browser::{Browser, LOOKS};
use crate::harness::{Running, Setup, eventually};
use serde_json::json;

const HOSTILE: &str = "<img src=x onerror=\"document.title='broken'\"> \u{1b}[31m\u{202e}desrever";
const HARMLESS: &str = "<img src=x onerror=\"document.title='broken'\"> \\x1b[31m\\u{202e}desrever";

/// All six daemons, looked at often.
pub async fn fleet() -> Running {
    let fleet = Setup::new("all").flag("--monitor-interval", "200ms").start().await;
    // Each has registered, and was found to answer.
    eventually("six services are healthy", async || {
        let services = fleet.get("monitor", "/monitor/health").await.json();
        let healthy = services.as_array()?.iter().filter(|service| service["status"] == "healthy");
        (healthy.count() == 6).then_some(())
    })
    .await;
    fleet
}

#[tokio::test]
async fn a_visitor_follows_the_log_and_borrows_a_book() {
    let fleet = fleet().await;
    let browser = Browser::start().await;
    browser.goto(&fleet.url("web")).await;
    browser.sees("#summary", "6 of 6 services healthy").await;
    browser.sees("#services tbody", "LibraryService").await;
    browser.sees("#log .fresh", "live").await;

    // A record is sent and arrives live, and so does one from elsewhere.
    browser.type_into("#send [name=message]", "hello from the page").await;
    browser.click("#send button").await;
    browser.sees("#records", "hello from the page").await;
    fleet.post("log", "/log?service=curl&level=warn", "hello from elsewhere").await.ok();
    browser.sees("#records li:first-child", "hello from elsewhere").await;
    browser.sees("#records li:first-child .level", "warn").await;

    // Without a borrower the library refuses, and the field is pointed at.
    browser.click("[data-key='b 1']").await;
    browser.sees("#lend .error", "borrower: must not be empty").await;
    let invalid =
        browser.run("return document.activeElement.name + document.activeElement.ariaInvalid").await;
    assert_eq!(invalid, "borrowertrue");

    // A book is borrowed, told of in the log, and returned.
    browser.type_into("#lend [name=borrower]", "韩梅梅").await;
    browser.click("[data-key='b 1']").await;
    browser.sees("#lend .done", "‘Go编程实战’ is lent to 韩梅梅.").await;
    browser.sees("#books tbody tr:first-child .num", "0 of 1").await;
    browser.sees("#records", "book borrowed: 'Go编程实战' by 韩梅梅").await;
    assert_eq!(browser.text("#lend .error").await, "");
    browser.click("#loans button").await;
    browser.sees("#lend .done", "‘Go编程实战’ is back.").await;
    browser.sees("#loans", "Nothing is out.").await;

    // A book is added.
    browser.click("#books summary").await;
    browser.click("#add button").await;
    browser.sees("#add .error", "title: must not be empty").await;
    browser.type_into("#add [name=title]", "Rust 权威指南").await;
    browser.type_into("#add [name=author]", "Jim Blandy").await;
    browser.type_into("#add [name=copies]", "3").await;
    browser.click("#add button").await;
    browser.sees("#lend .done", "‘Rust 权威指南’ is on the shelf as 4.").await;
    browser.sees("#books tbody tr:last-child", "Rust 权威指南").await;
    browser.sees("#records", "book added: 'Rust 权威指南' by Jim Blandy").await;
}

#[tokio::test]
async fn the_log_can_be_searched_and_held() {
    let fleet = fleet().await;
    let browser = Browser::start().await;
    for message in ["the kettle boils", "the cat sleeps"] {
        fleet.post("log", "/log?service=home", message).await.ok();
    }
    browser.goto(&fleet.url("web")).await;
    browser.sees("#records", "the kettle boils").await;
    browser.type_into("#filter [name=q]", "cat OR dog").await;
    browser.click("#filter button").await;
    browser.sees("#records li:first-child", "the cat sleeps").await;
    eventually("the kettle is gone", async || {
        (!browser.text("#records").await.contains("kettle")).then_some(())
    })
    .await;
    fleet.post("log", "/log?service=home", "the kettle boils again").await.ok();
    fleet.post("log", "/log?service=home", "the dog barks").await.ok();
    browser.sees("#records li:first-child", "the dog barks").await;
    assert!(!browser.text("#records").await.contains("kettle"));

    browser.click("#pause").await;
    fleet.post("log", "/log?service=home", "the dog sleeps").await.ok();
    browser.sees("#pause", "Go on (1)").await;
    assert!(!browser.text("#records").await.contains("the dog sleeps"));
    browser.click("#pause").await;
    browser.sees("#records li:first-child", "the dog sleeps").await;

    browser.type_into("#filter [name=q]", "cat (").await;
    browser.click("#filter button").await;
    browser.sees("#filter .error", "").await;
    eventually("what is wrong with the query is said", async || {
        (!browser.text("#filter .error").await.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let fleet = fleet().await;
    let record = json!({"message": HOSTILE, "service": HOSTILE, HOSTILE: HOSTILE});
    fleet.post_json("log", "/log", record.clone()).await.ok();
    let browser = Browser::start().await;

    browser.scripting(false).await;
    browser.goto(&fleet.url("web")).await;
    browser.sees("#records .message", HARMLESS).await;
    browser.scripting(true).await;
    browser.goto(&fleet.url("web")).await;
    browser.sees("#log .fresh", "live").await;
    fleet.post_json("log", "/log", record).await.ok();
    eventually("both are there", async || {
        (browser.run("return document.querySelectorAll('#records .message').length").await.as_u64()? > 1)
            .then_some(())
    })
    .await;
    browser.sees("#records li:first-child .message", HARMLESS).await;
    browser.sees("#records li:first-child .service", HARMLESS).await;
    browser.sees("#records li:first-child .fields", HARMLESS).await;
    assert_eq!(browser.run("return document.querySelectorAll('main img').length").await, 0);
    assert_eq!(browser.run("return document.title").await, "distlog");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn without_javascript_the_page_can_be_read() {
    let fleet = fleet().await;
    fleet.post("log", "/log", "written before the visit").await.ok();
    let lend = json!({"book_id": "2", "borrower": "Ann"});
    fleet.post_json("library", "/library/borrow", lend).await.ok();
    let browser = Browser::start().await;
    browser.scripting(false).await;
    browser.goto(&format!("{}/web", fleet.url("web"))).await;
    browser.sees("#summary", "6 of 6 services healthy").await;
    browser.sees("#services tbody", "MonitorService").await;
    browser.sees("#records", "written before the visit").await;
    browser.sees("#books tbody", "分布式系统设计").await;
    browser.sees("#loans", "Ann").await;
    browser.sees(".notice", "needs JavaScript").await;
    // What cannot work is not there.
    assert_eq!(browser.text("#send").await, "");
    browser.picture("no-javascript").await;
}

#[tokio::test]
async fn a_daemon_that_is_away_is_named_and_its_section_comes_back() {
    let mut log = Setup::new("log").start().await;
    let library = Setup::new("library").start().await;
    let web = Setup::new("web").peers_of(&log).peers_of(&library).start().await;
    let browser = Browser::start().await;
    browser.goto(&web.url("web")).await;
    browser.sees("#services .away", "the registry is away").await;
    browser.sees("#services .away", "the monitor is away").await;
    browser.sees("#log .fresh", "live").await;
    browser.sees("#books tbody", "Go编程实战").await;

    log.kill();
    browser.sees("#log .away", "the log is away").await;
    browser.sees("#log .fresh", "as of").await;
    browser.type_into("#send [name=message]", "is anybody there").await;
    browser.click("#send button").await;
    browser.sees("#send .error", "the log is away").await;
    browser.picture("away").await;

    let log = log.restart().await;
    log.post("log", "/log", "written while the page could not see it").await.ok();
    browser.sees("#records", "written while the page could not see it").await;
    browser.sees("#log .fresh", "live").await;
    assert_eq!(browser.text("#log .away").await, "");
}

#[tokio::test]
async fn it_fits_on_a_phone_in_light_and_dark() {
    let fleet = fleet().await;
    let browser = Browser::start().await;
    let records = [
        ("info", "Gateway", "GET /orders/4711 answered in 12 ms"),
        ("debug", "Gateway", "cache miss for key orders:4711, asking the store"),
        ("warn", "Disk", "only 3 % of /var is free"),
        ("error", "Payments", "the bank did not answer within 3 s; the payment is tried again in a minute"),
    ];
    for (level, service, message) in records {
        let record = json!({"level": level, "service": service, "message": message, "order": 4711});
        fleet.post_json("log", "/log", record).await.ok();
    }
    let long = "x".repeat(300);
    fleet.post("log", "/log?service=long", format!("a word that does not end: {long}")).await.ok();
    let lend = json!({"book_id": "2", "borrower": "Ann"});
    fleet.post_json("library", "/library/borrow", lend).await.ok();
    let gone = json!({"serviceName": "Payments", "serviceUrl": "http://localhost:1/"});
    fleet.post_json("registry", "/services", gone).await.ok();
    browser.goto(&fleet.url("web")).await;
    browser.sees("#services", "unhealthy").await;
    browser.sees("#summary", "6 of 7 services healthy").await;
    browser.sees("#records", "book borrowed").await;
    for look in LOOKS {
        browser.look(look).await;
        let overflow = "const e = document.documentElement; return e.scrollWidth - e.clientWidth";
        assert_eq!(browser.run(overflow).await, 0, "{}: the page scrolls sideways", look.name);
        browser.picture(look.name).await;
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
