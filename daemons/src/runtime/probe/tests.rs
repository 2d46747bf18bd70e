//! Probes of servers of all kinds.
//!
//! `tests/certificate.der` and `key.der` are of `localhost`, signed by itself,
//! from 2020 to 2119: `openssl req -x509 -newkey ec -pkeyopt
//! ec_paramgen_curve:prime256v1 -nodes`.

use super::*;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, TXT};
use hickory_proto::rr::{RData, Record, RecordType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

const CERTIFICATE: &[u8] = include_bytes!("tests/certificate.der");
const KEY: &[u8] = include_bytes!("tests/key.der");

/// The phase that failed and the words; empty where it went well.
async fn found(url: &str, metadata: &[(&str, &str)]) -> (Option<Phase>, String) {
    let metadata = metadata.iter().map(|(key, value)| (format!("distlog.probe{key}"), (*value).to_owned()));
    let spec = Spec::of(url, &metadata.collect());
    let outcome = Prober::new().unwrap().probe(&spec, Duration::from_secs(20)).await;
    let failure = outcome.failure.map(|failure| (Some(failure.phase), failure.detail));
    failure.unwrap_or((None, outcome.warning.unwrap_or_default()))
}

/// A body that begins and does not end.
fn endless() -> impl Stream<Item = Result<&'static str, std::io::Error>> {
    stream::once(std::future::ready(Ok("tick"))).chain(stream::pending())
}

async fn website() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let here = url.clone();
    let router = Router::new()
        .route("/", get(async || ([("x-kind", "good")], "all is well")))
        .route("/endless", get(async || Body::from_stream(endless())))
        .route("/closed", get(async || StatusCode::UNAUTHORIZED))
        .route("/away", get(async || Redirect::temporary("/")))
        .route("/metadata", get(async || Redirect::temporary("http://169.254.169.254/latest/meta-data")))
        .route("/round", get(async move || Redirect::temporary(&format!("{here}/round"))))
        .route(
            "/secret",
            get(async |headers: HeaderMap| match headers.get("authorization") {
                Some(value) if value == "Bearer x" => StatusCode::OK,
                _ => StatusCode::FORBIDDEN,
            }),
        );
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn an_answer_has_to_be_what_is_expected() {
    let url = website().await;
    let good = (None, String::new());
    for (path, metadata, want) in [
        ("/", &[][..], None),
        ("/", &[(".body", "is well"), (".expect_header", "X-Kind: ~^g"), (".status", "200")], None),
        ("/", &[(".body", "is bad")], Some((Phase::Body, "the body does not hold 'is bad'"))),
        ("/", &[(".expect_header", "x-none: 1")], Some((Phase::Http, "the header x-none does not hold '1'"))),
        ("/endless", &[], None),
        (
            "/endless",
            &[(".body", "tock"), (".timeout", "50ms")],
            Some((Phase::Timeout, "no answer within 50 ms")),
        ),
        ("/closed", &[], Some((Phase::Http, "status 401 Unauthorized"))),
        ("/closed", &[(".status", "200-299,401")], None),
        ("/secret", &[], Some((Phase::Http, "status 403 Forbidden"))),
        ("/secret", &[(".header", "Authorization: Bearer x")], None),
        ("/", &[(".status", "nonsense")], Some((Phase::Config, "distlog.probe.status: 'nonsense'"))),
    ] {
        let (phase, detail) = found(&format!("{url}{path}"), metadata).await;
        match want {
            None => assert_eq!((phase, detail), good, "{path} {metadata:?}"),
            Some((want, words)) => {
                assert!(phase == Some(want) && detail.starts_with(words), "{path}: {phase:?} {detail}")
            }
        }
    }
}

#[tokio::test]
async fn redirects_are_followed_where_that_is_asked_for_and_never_to_a_metadata_service() {
    let url = website().await;
    let follow = [(".follow", "true")];
    let (phase, detail) = found(&format!("{url}/away"), &[]).await;
    assert!(phase == Some(Phase::Http) && detail.contains("redirects are not followed"), "{detail}");
    assert_eq!(found(&format!("{url}/away"), &follow).await.0, None);
    let (phase, detail) = found(&format!("{url}/metadata"), &follow).await;
    assert_eq!((phase, detail.contains("169.254.169.254")), (Some(Phase::Policy), true), "{detail}");
    let (phase, detail) = found(&format!("{url}/round"), &follow).await;
    assert_eq!((phase, detail.contains("more than 5")), (Some(Phase::Http), true), "{detail}");
}

#[tokio::test]
async fn no_kind_of_probe_goes_to_a_link_local_address() {
    for (url, kind) in [
        ("http://169.254.169.254/", "http"),
        ("https://[fe80::1]/", "https"),
        ("tcp://169.254.0.1:80", "tcp"),
        ("tcp://[::ffff:169.254.169.254]:80", "tcp"),
        ("tcp://100.100.100.200:443", "tls"),
    ] {
        assert_eq!(found(url, &[("", kind)]).await.0, Some(Phase::Policy), "{url}");
    }
    let dns = [("", "dns"), (".query", "a")];
    assert_eq!(found("tcp://169.254.169.253:53", &dns).await.0, Some(Phase::Policy));
}

#[tokio::test]
async fn what_does_not_answer_says_in_which_phase() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for scheme in ["http", "https", "tcp"] {
        assert_eq!(found(&format!("{scheme}://{closed}"), &[]).await.0, Some(Phase::Connect), "{scheme}");
    }
    assert_eq!(found("http://nobody.invalid/", &[]).await.0, Some(Phase::Dns));
    assert_eq!(found("tcp://nobody.invalid:1", &[]).await.0, Some(Phase::Dns));
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", deaf.local_addr().unwrap());
    assert_eq!(
        found(&url, &[(".timeout", "50ms")]).await,
        (Some(Phase::Timeout), "no answer within 50 ms".to_owned())
    );
}

/// Shows the certificate to whoever asks.
fn shop() -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], PrivateKeyDer::try_from(KEY).unwrap())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = stream.unwrap();
            let mut session = rustls::Stream::new(&mut connection, &mut stream);
            let _ = session.read(&mut [0; 512]);
        }
    });
    address.to_string()
}

#[tokio::test]
async fn a_certificate_is_read_whoever_signed_it_and_an_https_probe_asks_who_did() {
    let place = shop().replace("127.0.0.1", "localhost");
    assert_eq!(found(&format!("tcp://{place}"), &[("", "tls")]).await, (None, String::new()));
    let (phase, warning) = found(&format!("tls://{place}"), &[(".warn", "5200w")]).await;
    assert!(phase.is_none() && warning.contains("ends in"), "{warning}");
    assert_eq!(found(&format!("https://{place}"), &[]).await.0, Some(Phase::Tls));
    let plain = website().await.replace("http://", "tls://");
    assert_eq!(found(&plain, &[]).await.0, Some(Phase::Tls));
}

#[tokio::test]
async fn a_certificate_of_another_host_is_a_failure_of_a_tls_probe() {
    let (phase, detail) = found(&format!("tls://{}", shop()), &[]).await;
    assert_eq!(phase, Some(Phase::Tls));
    assert!(detail.contains("not valid for name") && detail.contains("localhost"), "{detail}");
}

/// The text, as gzip writes it.
fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn a_compressed_or_long_body_is_decoded_and_the_failure_says_what_was_read() {
    let encoded = |encoding: &'static str, body: Vec<u8>| {
        get(async move || ([("content-encoding", encoding)], body.clone()))
    };
    let long = format!("{}all is well", "x".repeat(64 * 1024));
    let router = Router::new()
        .route("/gzip", encoded("gzip", gzip("all is well")))
        .route("/bomb", encoded("gzip", gzip(&long)))
        .route("/wrong", encoded("gzip", b"all is well".to_vec()))
        .route("/br", encoded("br", b"?".to_vec()))
        .route("/long", get(async || long));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let wanted = [(".body", "is well")];
    assert_eq!(found(&format!("{url}/gzip"), &wanted).await, (None, String::new()));
    for (path, words) in [
        ("/long", "'is well' is not in the first 64 KiB of the body"),
        ("/bomb", "'is well' is not in the first 64 KiB of the body"),
        ("/wrong", "the body says that it is gzip, and is not"),
        ("/br", "the body is encoded as 'br', which no probe decodes"),
    ] {
        let (phase, detail) = found(&format!("{url}{path}"), &wanted).await;
        assert!(phase == Some(Phase::Body) && detail.starts_with(words), "{path}: {detail}");
    }
    let (_, detail) = found(&format!("{url}/gzip"), &[(".body", "is bad")]).await;
    assert_eq!(detail, "the body does not hold 'is bad'");
}

#[test]
fn a_certificate_warns_from_fourteen_days_before_its_end_and_fails_after_it() {
    let warn = Duration::from_secs(14 * 86_400);
    // The eighth of December 2119.
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(4_731_436_800);
    let day = Duration::from_secs(86_400);
    let judge = |now| certificate::judge(CERTIFICATE, warn, now);
    assert_eq!(judge(end - day * 15), Ok(None));
    assert_eq!(
        judge(end - day * 3),
        Ok(Some("its certificate ends in 3d, at 2119-12-08T00:00:00Z".to_owned()))
    );
    let failure = judge(end + day).unwrap_err();
    assert_eq!(failure, Failure::new(Phase::Tls, "its certificate ended at 2119-12-08T00:00:00Z"));
    assert_eq!(judge(SystemTime::UNIX_EPOCH).unwrap_err().phase, Phase::Tls, "it has not begun");
}

/// Answers `a.example` with an address, `big.example` over TCP only, and
/// nothing else.
async fn name_server() -> String {
    // Until a port is free for both.
    let (tcp, udp) = loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            break (tcp, udp);
        }
    };
    let address = udp.local_addr().unwrap();
    let answer = |bytes: &[u8], cut: bool| {
        let question = Message::from_vec(bytes).unwrap();
        let name = question.queries[0].name().clone();
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.queries = question.queries;
        match (name.to_string().as_str(), answer.queries[0].query_type()) {
            ("a.example.", RecordType::A) => {
                answer.add_answer(Record::from_rdata(name, 1, RData::A(A::new(10, 0, 0, 7))));
            }
            ("a.example.", _) => {}
            ("big.example.", _) if cut => answer.metadata.truncation = true,
            ("big.example.", _) => {
                answer.add_answer(Record::from_rdata(
                    name,
                    1,
                    RData::TXT(TXT::new(vec!["large".to_owned()])),
                ));
            }
            _ => answer.metadata.response_code = ResponseCode::NXDomain,
        }
        answer.to_vec().unwrap()
    };
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((count, from)) = udp.recv_from(&mut buffer).await {
            // What is no answer to the question comes first, and is passed over.
            udp.send_to(b"nonsense", from).await.unwrap();
            udp.send_to(&answer(&buffer[..count], true), from).await.unwrap();
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let count = stream.read_u16().await.unwrap();
            let mut bytes = vec![0; usize::from(count)];
            stream.read_exact(&mut bytes).await.unwrap();
            let answer = answer(&bytes, false);
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    });
    format!("dns://{address}")
}

#[tokio::test]
async fn a_name_server_is_asked_over_udp_and_over_tcp_where_the_answer_is_cut() {
    let url = name_server().await;
    for (query, kind, expect, want) in [
        ("a.example", "a", "10.0.0.7", None),
        ("a.example.", "A", "~^10[.]", None),
        ("a.example", "A", "10.0.0.8", Some((Phase::Body, "no answer holds '10.0.0.8': 10.0.0.7"))),
        ("a.example", "AAAA", "::1", Some((Phase::Dns, "a.example. has no AAAA record"))),
        ("none.example", "A", "1", Some((Phase::Dns, "none.example. A: Non-Existent Domain"))),
        ("big.example", "TXT", "large", None),
    ] {
        let metadata = [(".query", query), (".type", kind), (".expect", expect)];
        let (phase, detail) = found(&url, &metadata).await;
        let want = want.map_or((None, String::new()), |(phase, words)| (Some(phase), words.to_owned()));
        assert_eq!((phase, detail), want, "{query} {kind}");
    }
}
