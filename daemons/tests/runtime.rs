//! What all six have in common.

use crate::harness::lines::Lines;
use crate::harness::raw::raw;
use crate::harness::{Answer, DAEMONS, DEADLINE, Setup, client, eventually};
use reqwest::Method;
use serde_json::json;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

#[tokio::test]
async fn every_daemon_tells_its_health_its_metrics_and_its_routes() {
    let fleet = Setup::new("all").start().await;
    for daemon in DAEMONS {
        let health = fleet.get(daemon, "/health").await.ok();
        assert_eq!(health.header("content-type"), "application/health+json");
        assert!(["pass", "warn"].contains(&health.json()["status"].as_str().unwrap()), "{}", health.body);
        let metrics = fleet.get(daemon, "/metrics").await.ok();
        assert!(metrics.body.contains("distlog_http_requests_total{method=\"GET\""), "{}", metrics.body);
        assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let api = fleet.get(daemon, "/openapi.json").await.ok().json();
        assert!(api["paths"]["/health"]["get"]["responses"]["200"].is_object(), "{daemon}");
    }
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let fleet = Setup::new("all").start().await;
    for daemon in DAEMONS {
        fleet.get(daemon, "/nowhere").await.problem(404);
        let wrong = Answer::of(fleet.request(Method::PATCH, daemon, "/health")).await;
        wrong.problem(405);
        assert!(wrong.header("allow").contains("GET"));
        let host = fleet.request(Method::GET, daemon, "/health").header("host", "rebound.example");
        Answer::of(host).await.problem(421);
        let origin = fleet.request(Method::GET, daemon, "/health").header("origin", "http://evil.example");
        let refused = Answer::of(origin).await;
        refused.problem(403);
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
    let registry = |body: &str, media_type: &str| {
        fleet
            .request(Method::POST, "registry", "/services")
            .header("content-type", media_type)
            .body(body.to_owned())
    };
    Answer::of(registry("{", "application/json")).await.problem(400);
    Answer::of(registry("", "application/json")).await.problem(400);
    Answer::of(registry("<a/>", "application/xml")).await.problem(415);
    Answer::of(registry(&"x".repeat(300 * 1024), "application/json")).await.problem(413);
    let deep = format!("{{\"tags\":{}1{}}}", "[".repeat(9_000), "]".repeat(9_000));
    assert_eq!(Answer::of(registry(&deep, "application/json")).await.problem(422)["field"], "tags[0]");
    let wrong_type =
        Answer::of(registry("{\"serviceName\":5,\"serviceUrl\":\"http://a\"}", "application/json")).await;
    assert_eq!(wrong_type.problem(422)["field"], "serviceName");
    fleet.get("registry", "/services?colour=red").await.problem(400);
}

#[tokio::test]
async fn a_request_id_is_taken_over_or_made() {
    let registry = Setup::new("registry").start().await;
    let given = registry.request(Method::GET, "registry", "/health").header("x-request-id", "abc-1");
    assert_eq!(Answer::of(given).await.header("x-request-id"), "abc-1");
    assert_eq!(registry.get("registry", "/health").await.header("x-request-id").len(), 16);
}

#[tokio::test]
async fn a_client_that_trickles_does_not_hold_its_connection() {
    let registry = Setup::new("registry")
        .flag("--header-timeout", "300ms")
        .flag("--body-timeout", "300ms")
        .start()
        .await;
    let port = registry.ports["registry"];
    for begun in [b"".as_slice(), b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\n"] {
        let (_, held) = raw(port, begun);
        assert!(held < DEADLINE / 2, "{held:?}");
    }
    let head = b"POST /services HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{\"serviceName\"";
    let (answer, _) = raw(port, head);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("problem+json"), "{answer}");
    let (answer, _) =
        raw(port, format!("GET /health HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000)).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_connection_over_the_limit_is_refused_and_the_others_are_served() {
    let registry = Setup::new("registry").flag("--connections-max", 4).start().await;
    let port = registry.ports["registry"];
    let held: Vec<TcpStream> = (0..4).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    let refused = eventually("all four are held", async || {
        let (answer, _) = raw(port, b"");
        answer.starts_with("HTTP/1.1 503 ").then_some(answer)
    })
    .await;
    assert!(refused.to_lowercase().contains("retry-after: 1"));
    drop(held);
    eventually("there is room again", async || {
        client()
            .get(format!("{}/health", registry.url("registry")))
            .send()
            .await
            .ok()
            .filter(|a| a.status() == 200)
    })
    .await;
}

#[tokio::test]
async fn a_stop_ends_open_streams_and_long_polls_and_deregisters() {
    let mut fleet = Setup::new("all").start().await;
    fleet.line(|line| line == "Log Service registered successfully").await;
    let mut watch = Lines::open(fleet.request(Method::GET, "registry", "/services/watch")).await;
    let mut tail = Lines::open(fleet.request(Method::GET, "log", "/log/tail?format=text")).await;
    let poll = fleet.request(Method::GET, "registry", "/services?index=99999&wait=10m").send();
    watch.event().await.unwrap();
    let dir = fleet.dir().to_owned();
    let keep = Setup::new("registry").in_dir_of(&fleet);
    let ((status, took, diagnostics), _) =
        tokio::join!(async { tokio::task::spawn_blocking(move || fleet.terminate()).await.unwrap() }, poll);
    assert!(status.success(), "{diagnostics}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    while watch.event().await.is_some() {}
    while tail.next().await.is_some() {}
    assert!(dir.join("distlog-data").exists());
    let registry = keep.flag("--lease", "1h").start().await;
    let services = registry.get("registry", "/services").await.ok().json();
    let others = services.as_array().unwrap().iter().filter(|s| s["serviceName"] != "RegistryService");
    assert_eq!(others.count(), 0, "{services}");
}

#[tokio::test]
async fn a_daemon_registers_when_the_registry_comes_and_again_when_it_was_forgotten() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let mut log = Setup::new("log").flag("--registry-url", &url).flag("--lease", "1s").start().await;
    assert_eq!(log.post("log", "/log", "while the registry is away").await.status, 200);
    let registry = Setup::new("registry").flag("--registry-port", port).start().await;
    log.line(|line| line == "Log Service registered successfully").await;
    registry.delete("registry", "/services/LogService").await.ok();
    log.line(|line| line == "Log Service registered successfully").await;
    registry.get("registry", "/services/LogService").await.ok();
}

#[test]
fn what_cannot_be_used_is_named_and_nothing_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let fault = |setup: Setup| {
        let (status, message) = setup.run_to_end();
        assert!(!status.success());
        message
    };
    let message = fault(Setup::new("registry").flag("--registry-port", port));
    assert!(
        message.contains(&format!("port {port} is taken")) && message.contains("--registry-port"),
        "{message}"
    );

    let setup = Setup::new("registry");
    std::fs::write(setup.dir().join("file"), "").unwrap();
    let message = fault(setup.flag("--data-dir", "file/below"));
    assert!(message.contains("file/below") && message.contains("--data-dir"), "{message}");

    let message = fault(Setup::new("log").flag("--log-file", "/nowhere/at/all.log"));
    assert!(message.contains("/nowhere/at/all.log") && message.contains("--log-file"), "{message}");

    let beyond = |command| fault(Setup::new(command).flag("--bind", "0.0.0.0"));
    let message = beyond("registry");
    assert!(message.contains("0.0.0.0") && message.contains("--insecure"), "{message}");
    assert_eq!(beyond("check-config"), message, "the check says what the start says");

    let open_to_all = |command| {
        let setup = Setup::new(command);
        let path = setup.dir().join("distlog.toml");
        std::fs::write(&path, "[general]\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        fault(setup)
    };
    let message = open_to_all("monitor");
    assert!(message.contains("distlog.toml") && message.contains("chmod o-w"), "{message}");
    assert_eq!(open_to_all("check-config"), message);

    let same_port = |command| Setup::new(command).flag("--log-port", 22050).flag("--web-port", 22050);
    for command in ["all", "check-config"] {
        let message = fault(same_port(command));
        assert!(message.contains("log.port and web.port are both 22050"), "{message}");
    }
    let elsewhere = same_port("check-config").flag("--web-url", "http://another:22050");
    assert!(elsewhere.run_to_end().0.success(), "on another machine it may be the same");

    let setup = Setup::new("all");
    std::fs::write(setup.dir().join("distlog.toml"), "[monitor]\nintervall = \"1s\"\n").unwrap();
    let message = fault(setup);
    assert!(message.contains("intervall") && message.contains("line 2"), "{message}");
}

#[test]
fn a_secret_that_every_user_can_read_is_named_by_the_check() {
    let setup = Setup::new("check-config");
    let token = setup.dir().join("token");
    std::fs::write(&token, "t").unwrap();
    let file = setup.dir().join("distlog.toml");
    let channel = |secret: &str| {
        format!("[[channel]]\nname = \"n\"\ntype = \"ntfy\"\nurl = \"http://h\"\ntopic = \"t\"\n{secret}\n")
    };
    let said = |secret: &str, mode: u32| {
        std::fs::write(&file, channel(secret)).unwrap();
        for path in [&file, &token] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let (status, text) = setup.run_to_end_saying();
        assert!(status.success());
        text
    };
    assert!(said("token = \"s3cret\"", 0o644).contains("distlog.toml holds secrets"));
    assert!(said("token_file = \"token\"", 0o644).contains("token is a secret"));
    assert!(!said("token = \"s3cret\"", 0o600).contains("warning"));
    assert!(!said("", 0o644).contains("warning"));
}

#[tokio::test]
async fn the_upkeep_of_the_log_has_a_lower_priority_than_its_writer() {
    let log = Setup::new("log").start().await;
    let nice = |thread: &str| {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", log.pid())).unwrap();
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok()).find_map(
            |stat| {
                let (head, rest) = stat.rsplit_once(')')?;
                // The 17th of the fields after the name (proc(5)).
                head.ends_with(thread).then(|| rest.split_whitespace().nth(16).unwrap().to_owned())
            },
        )
    };
    eventually("the upkeep runs", async || (nice("log-upkeep")? == "10").then_some(())).await;
    assert_eq!(nice("log-write").unwrap(), "0");
}

#[tokio::test]
async fn two_processes_do_not_share_a_directory() {
    let first = Setup::new("registry").start().await;
    let (status, message) = Setup::new("registry").in_dir_of(&first).run_to_end();
    assert!(!status.success() && message.contains("another distlogd uses it"), "{message}");
}

#[tokio::test]
async fn lists_are_aligned_text_where_that_is_asked_for() {
    let registry = Setup::new("registry").start().await;
    let register = json!({"serviceName": "书店 \"x\"", "serviceUrl": "http://localhost:9"});
    registry.post_json("registry", "/services", register).await.ok();
    let text = registry.get("registry", "/services?format=text").await.ok();
    assert!(text.header("content-type").starts_with("text/plain"));
    assert!(text.body.starts_with("SERVICE"), "{}", text.body);
}

#[tokio::test]
async fn tables_of_a_usual_fleet_fit_into_120_columns() {
    let fleet = Setup::new("all").flag("--monitor-interval", "200ms").start().await;
    let needed = json!(["LogService", "LibraryService"]);
    for port in [1, 2] {
        let body = json!({ "serviceName": "CheckoutService", "serviceUrl": format!("http://localhost:{port}"),
            "serviceVersion": "2.14.3", "tags": ["core", "zone-a"], "ttlSeconds": 300, "requiredServices": needed });
        fleet.post_json("registry", "/services", body).await.ok();
    }
    eventually("there is an incident", async || {
        let incidents = fleet.get("monitor", "/monitor/incidents").await.ok().json();
        incidents.as_array().filter(|all| !all.is_empty()).map(drop)
    })
    .await;
    for (daemon, path) in [
        ("registry", "/services"),
        ("registry", "/services/history"),
        ("provider", "/providers"),
        ("provider", "/discovery"),
        ("monitor", "/monitor/health"),
        ("monitor", "/monitor/history/CheckoutService"),
        ("monitor", "/monitor/incidents"),
        ("monitor", "/monitor/uptime"),
    ] {
        let text = fleet.get(daemon, &format!("{path}?format=text")).await.ok().body;
        assert!(text.contains("CheckoutService"), "{path}: {text}");
        let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= 120, "{path}: {widest}");
    }
}

#[tokio::test]
async fn when_a_later_daemon_cannot_start_those_already_started_are_stopped_in_order() {
    let setup = Setup::new("all");
    let data = setup.dir().join("distlog-data");
    std::fs::create_dir_all(data.join("library/library.db")).unwrap();
    let (status, diagnostics) = setup.run_to_end();
    assert_eq!(status.code(), Some(1), "{diagnostics}");
    assert!(diagnostics.contains("library.db"), "{diagnostics}");
    // Closed in order, the registry's write-ahead log is part of its database.
    assert!(data.join("registry/registry.db").exists());
    assert!(!data.join("registry/registry.db-wal").exists());
}
