use super::*;
use axum::response::IntoResponse;

const RULES: CrossSite = CrossSite { pages: &["/web"], images: &["/badge/{file}"] };

fn status(route: &str, headers: &[(&'static str, &str)]) -> u16 {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    let admission = Admission::new(["box1".to_owned()], RULES);
    match admission.check(&Method::GET, &Uri::from_static("/"), route, &map) {
        Ok(()) => 200,
        Err(refusal) => refusal.into_response().status().as_u16(),
    }
}

#[test]
fn only_loopback_and_configured_names_are_hosts() {
    for (host, want) in [
        ("localhost:4000", 200),
        ("LOCALHOST", 200),
        ("localhost:", 200),
        ("127.0.0.1:4000", 200),
        ("127.9.9.9", 200),
        ("[::1]:4000", 200),
        ("box1:4000", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("10.0.0.1:4000", 421),
        ("", 421),
        ("evil@localhost", 400),
        ("evil:pass@localhost:4000", 400),
        ("localhost:4000:4000", 400),
        ("localhost:99999", 400),
        ("localhost:+80", 400),
        ("localhost/evil", 400),
        ("localhost, evil.example", 400),
        ("[::1", 400),
        ("[::1]4000", 400),
        ("[localhost]", 400),
        ("::1", 400),
        (":4000", 400),
    ] {
        assert_eq!(status("/", &[("host", host)]), want, "{host}");
    }
    assert_eq!(status("/", &[]), 400);
    assert_eq!(status("/", &[("host", "localhost"), ("host", "localhost")]), 400);
}

#[test]
fn only_the_own_origin_may_call() {
    for (host, origin, want) in [
        ("localhost:4000", "http://localhost:4000", 200),
        ("localhost:4000", "HTTP://LOCALHOST:4000", 200),
        ("localhost", "http://localhost:80", 200),
        ("localhost:80", "http://localhost", 200),
        ("localhost:443", "https://localhost", 200),
        ("localhost:4000", "http://localhost:5002", 403),
        ("localhost:4000", "http://localhost", 403),
        ("localhost:4000", "http://evil@localhost:4000", 403),
        ("localhost:4000", "http://evil.example", 403),
        ("localhost:4000", "null", 403),
        ("localhost:4000", "", 403),
    ] {
        assert_eq!(status("/", &[("host", host), ("origin", origin)]), want, "{origin}");
    }
}

#[test]
fn a_page_of_another_site_may_open_the_page_and_show_images_and_nothing_else() {
    for (route, site, mode, dest, want) in [
        ("/services", "none", "navigate", "document", 200),
        ("/services", "same-origin", "cors", "empty", 200),
        ("/services", "cross-site", "no-cors", "image", 403),
        ("/services", "same-site", "no-cors", "script", 403),
        ("/services", "cross-site", "navigate", "document", 403),
        ("/web", "cross-site", "navigate", "document", 200),
        ("/web", "cross-site", "navigate", "iframe", 403),
        ("/web", "same-site", "cors", "empty", 403),
        ("/badge/{file}", "cross-site", "no-cors", "image", 200),
        ("/badge/{file}", "same-site", "navigate", "document", 200),
        ("/badge/{file}", "cross-site", "no-cors", "script", 403),
    ] {
        let headers = [
            ("host", "localhost"),
            ("sec-fetch-site", site),
            ("sec-fetch-mode", mode),
            ("sec-fetch-dest", dest),
        ];
        assert_eq!(status(route, &headers), want, "{route} {site} {mode} {dest}");
    }
}

#[test]
fn a_head_over_the_limit_is_431_to_the_byte() {
    let base = head_len(&Method::GET, &Uri::from_static("/"), &{
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("localhost"));
        headers.insert("x", HeaderValue::from_static(""));
        headers
    });
    assert_eq!(base, "GET / HTTP/1.1\r\nhost: localhost\r\nx: \r\n\r\n".len());
    for (len, want) in [(HEAD_MAX - base, 200), (HEAD_MAX - base + 1, 431)] {
        assert_eq!(status("/", &[("host", "localhost"), ("x", &"x".repeat(len))]), want);
    }
}

#[test]
fn chunked_is_the_only_transfer_coding() {
    for (codings, want) in [
        (["chunked"].as_slice(), 200),
        (&["Chunked"], 200),
        (&["gzip, chunked"], 501),
        (&["gzip", "chunked"], 501),
        (&["identity"], 501),
        (&["chunked", "chunked"], 501),
    ] {
        let headers: Vec<_> = codings.iter().map(|coding| ("transfer-encoding", *coding)).collect();
        assert_eq!(
            status("/", &[[("host", "localhost")].as_slice(), &headers].concat()),
            want,
            "{codings:?}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_head_enters_under_a_foreign_host(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
        any_head::any_head(&bytes);
    }

    #[test]
    fn no_likely_head_enters_under_a_foreign_host(text in "(localhost|127\\.0\\.0\\.1|\\[::1\\]|evil)?[:@.0-9]{0,6}\n(http://|HTTPS://|null)?(localhost|evil|\\[::1\\])?[:@.0-9]{0,6}") {
        any_head::any_head(text.as_bytes());
    }
}
