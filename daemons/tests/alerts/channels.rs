//! What each kind of channel makes of a notification.

use super::smtp_server::SmtpServer;
use super::{Fleet, accepted, body, channel, webhook};
use crate::harness::endpoint::{Endpoint, Mood};
use crate::harness::{Setup, eventually};
use serde_json::json;

#[tokio::test]
async fn a_template_makes_the_body_and_a_token_file_the_header() {
    let fleet = Fleet::start().await;
    let receiver = Endpoint::start(Mood::Good).await;
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "hush\n").unwrap();
    let more = format!(
        "template = '{{\"what\": {{{{ title | tojson }}}}, \"n\": {{{{ incident.id }}}}}}'\ntoken_file = \"{}\"",
        token.display()
    );
    let monitor = fleet.monitor(&webhook("ops", &receiver, &more)).await;
    fleet.endpoint.set(Mood::Bad);
    let call = &accepted(&receiver, 1).await[0];
    let what = "shop is down: http: status 500 Internal Server Error";
    assert_eq!(body(call), json!({ "what": what, "n": 1 }));
    assert_eq!(call.authorization, "Bearer hush");
    assert!(call.key.ends_with("-1-opened-ops"), "{}", call.key);
    let channels = monitor.get("monitor", "/monitor/channels").await.ok();
    assert!(!channels.body.contains("hush"));
}

#[tokio::test]
async fn alertmanager_slack_ntfy_and_a_command_each_get_what_they_take() {
    let fleet = Fleet::start().await;
    let receiver = Endpoint::start(Mood::Good).await;
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let channels = [
        channel("am", "alertmanager", &receiver.url, "labels = { team = \"core\" }"),
        channel("slack", "slack", &format!("{}/slack", receiver.url), ""),
        channel("ntfy", "ntfy", &format!("{}/ntfy", receiver.url), "topic = \"alerts\""),
        format!(
            "[[channel]]\nname = \"run\"\ntype = \"command\"\nargv = [\"sh\", \"-c\", 'printf \"%s %s\\n\" \"$DISTLOG_KIND\" \"$(cat)\" >> \"$0\"', \"{}\"]",
            out.display()
        ),
    ];
    let monitor = fleet.monitor(&channels.concat()).await;
    fleet.endpoint.set(Mood::Bad);
    let calls = accepted(&receiver, 3).await;
    fleet.endpoint.set(Mood::Good);
    let all = accepted(&receiver, 6).await;
    let of = |calls: &[crate::harness::endpoint::Call], path: &str| {
        calls.iter().filter(|call| call.path == path).map(body).collect::<Vec<_>>()
    };
    let alerts = of(&all, "/api/v2/alerts");
    let (opened, over) = (&alerts[0][0], &alerts[1][0]);
    assert_eq!(opened["labels"], over["labels"], "it is known by its labels");
    assert_eq!((&opened["labels"]["service"], &opened["labels"]["team"]), (&json!("shop"), &json!("core")));
    let time =
        |value: &serde_json::Value| value.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(time(&opened["endsAt"]) > chrono::Utc::now(), "it burns on");
    assert!(time(&over["endsAt"]) <= chrono::Utc::now(), "it is over");
    let slack = of(&calls, "/slack")[0]["text"].as_str().unwrap().to_owned();
    assert!(slack.contains("*shop is down: http: status 500 Internal Server Error*"), "{slack}");
    assert_eq!(of(&calls, "/ntfy")[0]["topic"], "alerts");
    let text = eventually("the command ran twice", async || {
        std::fs::read_to_string(&out).ok().filter(|text| text.lines().count() == 2)
    })
    .await;
    assert!(text.starts_with("opened {") && text.lines().nth(1).unwrap().starts_with("resolved {"), "{text}");
    let list = monitor.get("monitor", "/monitor/alerts?format=text&limit=3").await.ok().body;
    assert!(list.starts_with("ID") && list.lines().count() == 5 && list.contains("(3 of 8)"), "{list}");
}

#[tokio::test]
async fn a_mail_that_is_sent_again_has_the_same_id_and_the_end_answers_the_beginning() {
    let fleet = Fleet::start().await;
    let server = SmtpServer::start().await;
    server.turn_away(1);
    let monitor = fleet
        .monitor(&format!(
            "[[channel]]\nname = \"mail\"\ntype = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             from = \"distlog <distlog@example.org>\"\nto = [\"ops@example.org\", \"boss@example.org\"]\n",
            server.port
        ))
        .await;
    fleet.endpoint.set(Mood::Bad);
    eventually("a mail is accepted", async || (!server.accepted().is_empty()).then_some(())).await;
    fleet.endpoint.set(Mood::Good);
    eventually("two are", async || (server.accepted().len() == 2).then_some(())).await;
    let (mails, tried) = (server.accepted(), server.tried());
    assert_eq!(
        (mails[0].recipients, mails[0].header("From")),
        (2, "distlog <distlog@example.org>".to_owned())
    );
    assert!(mails[0].header("Subject").starts_with("[distlog] shop is down"));
    assert!(mails[1].header("Subject").starts_with("[distlog] shop is well again"));
    assert_eq!(tried[0].header("Message-ID"), mails[0].header("Message-ID"));
    assert_eq!(mails[1].header("In-Reply-To"), mails[0].header("Message-ID"));
    assert!(
        monitor.get("monitor", "/monitor/channels?format=text").await.ok().body.contains("ops@example.org")
    );
}

#[tokio::test]
async fn the_test_button_tells_of_each_channel_whether_it_works() {
    let fleet = Fleet::start().await;
    let (good, bad) = (Endpoint::start(Mood::Good).await, Endpoint::start(Mood::Bad).await);
    let channels = [webhook("good", &good, ""), webhook("bad", &bad, "")].concat();
    let setup = fleet.setup(&channels).flag("--monitor-alert-webhook", format!("{}/s/secret", good.url));
    let monitor = setup.start().await;
    let tested = monitor.post("monitor", "/monitor/alerts/test", "").await.ok().json();
    let told: Vec<_> = tested.as_array().unwrap().iter().map(|one| (&one["channel"], &one["ok"])).collect();
    assert_eq!(
        told,
        [(&json!("good"), &json!(true)), (&json!("bad"), &json!(false)), (&json!("webhook"), &json!(true))]
    );
    assert!(tested[1]["error"].as_str().unwrap().contains("500"), "{tested}");
    assert_eq!(body(&good.accepted()[0])["kind"], "test");
    assert_eq!(super::outbox(&monitor).await.len(), 0, "a test is no alert");
    let path = "/monitor/alerts/test";
    monitor.post_json("monitor", path, json!({ "channel": "nobody" })).await.problem(404);
    monitor.post_json("monitor", path, json!({ "chanel": "good" })).await.problem(422);
    monitor.get("monitor", "/monitor/alerts?state=lost").await.problem(400);
    for path in ["/monitor/channels", "/monitor/channels?format=text"] {
        let list = monitor.get("monitor", path).await.ok().body;
        assert!(list.contains("webhook") && !list.contains("secret"), "{list}");
    }
    let none = Setup::new("monitor").start().await;
    none.post("monitor", path, "").await.problem(409);
}

#[tokio::test]
async fn a_channel_that_could_never_send_is_refused_at_the_start() {
    let fleet = Fleet::start().await;
    for (channels, said) in [
        (
            channel("ops", "webhook", "http://h/", "template = '{{ titel }}'"),
            "channel 'ops': template: line 1",
        ),
        (channel("ops", "webhook", "http://h/", "template = '{\"a\": \"{{ title }}\"}'"), "not JSON"),
        (channel("ops", "webhook", "http://h/", "template_file = '/no/such'"), "cannot read /no/such"),
        (channel("ops", "webhook", "http://h/", "retries = 3"), "unknown field `retries`"),
        (channel("ops", "alertmanager", "http://h/", "token_file = '/no/such'"), "cannot read /no/such"),
        (
            "[[channel]]\nname = \"m\"\ntype = \"smtp\"\nhost = \"h\"\nfrom = \"x\"\nto = [\"a@b\"]"
                .to_owned(),
            "from: 'x' is no mail address",
        ),
    ] {
        let (status, said_so) = fleet.setup(&channels).run_to_end();
        assert!(!status.success() && said_so.contains(said), "{said}: {said_so}");
    }
}
