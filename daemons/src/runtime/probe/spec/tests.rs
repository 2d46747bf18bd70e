//! What a URL and metadata say of a probe.

use super::*;

fn parse(url: &str, metadata: &[(&str, &str)]) -> Result<Spec, String> {
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Spec::parse(url, &metadata).map_err(|fault| fault.to_string())
}

#[test]
fn the_url_says_what_is_probed_where_the_metadata_does_not() {
    assert!(matches!(parse("http://h:1/x", &[]).unwrap().kind, Kind::Http(_)));
    assert!(matches!(parse("tcp://h:1", &[("weight", "3")]).unwrap().kind, Kind::Tcp(_)));
    assert!(matches!(parse("http://h:1/", &[("distlog.probe", "lease")]).unwrap().kind, Kind::Lease));
    let Kind::Tls { place, .. } = parse("https://[::1]", &[("distlog.probe", "tls")]).unwrap().kind else {
        panic!("no tls probe")
    };
    assert_eq!(place, Place { host: "::1".to_owned(), port: 443 });
}

#[test]
fn every_key_is_taken_up() {
    let metadata = [
        ("distlog.probe.status", "200-299,401"),
        ("distlog.probe.body", "~ok$"),
        ("distlog.probe.header", "Authorization: Bearer x\nX-Two: 2"),
        ("distlog.probe.expect_header", "Content-Type: json"),
        ("distlog.probe.follow", "true"),
        ("distlog.probe.interval", "30s"),
        ("distlog.probe.timeout", "500ms"),
        ("distlog.failures", "5"),
    ];
    let spec = parse("http://h:1/", &metadata).unwrap();
    let Kind::Http(http) = spec.kind else { panic!("no http probe") };
    assert_eq!((http.headers.len(), http.expect_headers.len(), http.follow), (2, 1, true));
    assert_eq!((spec.interval, spec.failures), (Some(Duration::from_secs(30)), Some(5)));
    let dns = [("distlog.probe", "dns"), ("distlog.probe.query", "a.example"), ("distlog.probe.type", "srv")];
    let Kind::Dns(dns) = parse("tcp://127.0.0.1:5353", &dns).unwrap().kind else { panic!("no dns probe") };
    assert_eq!(
        (dns.server.port, dns.kind, dns.name.to_string().as_str()),
        (5353, RecordType::SRV, "a.example.")
    );
}

#[test]
fn what_makes_no_sense_is_named() {
    for (metadata, want) in [
        (("distlog.probe", "smoke"), "distlog.probe: 'smoke' is no probe"),
        (("distlog.probe.status", "2xx"), "distlog.probe.status: '2xx' is no list"),
        (("distlog.probe.body", "~("), "distlog.probe.body: is no regular expression"),
        (("distlog.probe.stauts", "200"), "distlog.probe.stauts: says nothing"),
        (("distlog.probe.header", "no colon"), "distlog.probe.header: must be written"),
        (("distlog.probe.interval", "1ms"), "distlog.probe.interval: must be from 100ms"),
        (("distlog.probe.timeout", "1h"), "distlog.probe.timeout: must be from 10ms to 1m"),
        (("distlog.failures", "0"), "distlog.failures: must be a whole number from 1"),
        (("distlog.probe", "dns"), "distlog.probe.query: is missing"),
    ] {
        let error = parse("http://h:1/", &[metadata]).unwrap_err();
        assert!(error.starts_with(want), "{error}");
    }
}
