//! What a `[[channel]]` may say.

use super::*;

#[derive(Debug, Deserialize)]
struct File {
    channel: Vec<Channel>,
}

fn read(text: &str) -> Result<Vec<Channel>, String> {
    let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
    check(&file.channel)?;
    Ok(file.channel)
}

const TWO: &str = r#"
[[channel]]
name = "ops"
type = "webhook"
url = "https://hooks.example/secret"
headers = { "X-Key" = "hidden" }
quiet = ["22:00-07:00", "sat-sun 00:00-24:00"]
services = ["shop*"]
fallback = "mail"

[[channel]]
name = "mail"
type = "smtp"
host = "localhost"
tls = "none"
from = "distlog@example.org"
to = ["ops@example.org"]
timeout = "10s"
"#;

#[test]
fn channels_of_several_types_stand_in_one_file() {
    let channels = read(TWO).unwrap();
    let shown: Vec<String> = channels.iter().map(|channel| format!("{}: {channel}", channel.name)).collect();
    assert_eq!(
        shown,
        [
            "ops: webhook https://hooks.example/…, quiet 22:00-07:00; sat-sun 00:00-24:00, then mail after 1m",
            "mail: smtp localhost for ops@example.org"
        ]
    );
    assert!(channels[0].hears_of("shop-cart") && !channels[0].hears_of("bank"));
    assert!(channels[1].hears_of("bank"));
    let debug = format!("{channels:?}");
    assert!(!debug.contains("hidden") && !debug.contains("hooks.example/secret"), "{debug}");
}

#[test]
fn what_is_wrong_is_named_with_its_channel() {
    let hook = "[[channel]]\nname = \"x\"\ntype = \"webhook\"\nurl = \"http://h\"\n";
    let one = |more: &str| format!("[[channel]]\nname = \"x\"\n{more}");
    for (text, said) in [
        (one("type = \"webhook\"\nurrl = \"http://h\""), "channel 'x': unknown field `urrl`"),
        (one("type = \"webhook\""), "channel 'x': missing field `url`"),
        (one("type = \"pigeon\""), "type 'pigeon' is none of"),
        (one("type = \"webhook\"\nurl = \"secret\""), "not a URL"),
        (one("type = \"command\"\nargv = []"), "names no program"),
        (one("type = \"slack\""), "one of url and url_file"),
        (format!("{hook}fallback = \"y\""), "there is no channel 'y'"),
        (
            format!("{hook}fallback = \"y\"\n{}services = [\"a\"]\n", hook.replace("\"x\"", "\"y\"")),
            "'y' may name no services",
        ),
        (format!("{hook}quiet = \"at night\""), "no quiet hours"),
        (format!("{hook}timeout = \"5m\""), "at most 1m"),
        (format!("{hook}{hook}"), "two of this name"),
        ("[[channel]]\ntype = \"webhook\"".to_owned(), "needs a name"),
        (hook.replace("\"x\"", "\"a b\""), "a name is"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.contains(said), "{said}: {error}");
        assert!(!error.contains("secret' is"), "{error}");
    }
}
