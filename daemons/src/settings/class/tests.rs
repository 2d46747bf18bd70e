//! What a class says, and what is said of one that cannot be.

use super::*;

fn class(text: &str) -> Class {
    text.parse().unwrap()
}

#[test]
fn a_class_is_read_and_shown_in_one_way() {
    for (text, want) in [
        ("debug=1d level:<=debug", "debug=1d level:<=debug"),
        ("audit=365d service:audit*", "audit=365d service:audit*"),
        ("noise=12h service:proxy level:<info", "noise=12h service:proxy level:<=debug"),
        ("  a=90s\tlevel:>info  service:*x* ", "a=90s service:*x* level:>=warn"),
        ("a=2w level:WARNING", "a=2w level:warn"),
        ("a=2w level:=err", "a=2w level:error"),
        ("a=2w level:<debug", "a=2w level:trace"),
        ("a=2w level:>=info level:<error", "a=2w level:>=info level:<=warn"),
        ("a=2w level:>=trace service:s", "a=2w service:s"),
        ("legal_1=off service:a:b", "legal_1=off service:a:b"),
        ("legal_1=0 service:书*", "legal_1=off service:书*"),
    ] {
        let read = class(text);
        assert_eq!(read.to_string(), want, "{text}");
        assert_eq!(class(want), read, "{want} is read back as what it shows");
    }
}

#[test]
fn a_record_is_of_a_class_when_all_its_conditions_hold() {
    let noise = class("noise=12h service:proxy* level:<info");
    for (service, level, is) in [
        ("proxy", Level::Debug, true),
        ("proxy-eu", Level::Trace, true),
        ("proxy", Level::Info, false),
        ("Proxy", Level::Debug, false),
        ("api", Level::Debug, false),
    ] {
        assert_eq!(noise.has(service, level), is, "{service} {level}");
    }
}

#[test]
fn what_cannot_be_is_named_with_its_item() {
    let long = format!("{}=1d level:info", "a".repeat(33));
    for (text, reason) in [
        ("", "must begin with NAME=AGE"),
        ("level:info", "must begin with NAME=AGE"),
        ("Debug=1d level:info", "the name 'Debug'"),
        ("=1d level:info", "the name ''"),
        ("a/b=1d level:info", "the name 'a/b'"),
        (&long, "1 to 32"),
        ("a= level:info", "a=off for ever"),
        ("a=soon level:info", "'soon' is not a duration"),
        ("a=5 level:info", "'5' is not a duration"),
        ("a=0s level:info", "at least 1s"),
        ("a=1d", "neither a service: nor a level:"),
        ("a=1d level:loud", "the level 'loud'"),
        ("a=1d level:", "the level ''"),
        ("a=1d level:=>info", "compares levels by '=>'"),
        ("a=1d level:<trace", "<trace is none"),
        ("a=1d level:>fatal", ">fatal is none"),
        ("a=1d level:<info level:>warn", "no level that is all of these"),
        ("a=1d service:", "without a name"),
        ("a=1d service:x service:y", "more than one service"),
        ("a=1d colour:red", "'colour:red'"),
        ("a=1d info", "'info'"),
    ] {
        let error = text.parse::<Class>().unwrap_err().to_string();
        assert!(error.contains(reason) && error.starts_with(&format!("the class '{text}'")), "{error}");
    }
}

#[test]
fn classes_are_separated_by_semicolons_and_have_names_of_their_own() {
    let names = |text: &str| {
        let classes: Classes = text.parse().unwrap();
        classes.as_slice().iter().map(|class| class.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(""), Vec::<String>::new());
    assert_eq!(names("b=1d level:info; a=2d service:x,y ;"), ["b", "a"]);
    let twice = "a=1d level:info;a=2d level:warn".parse::<Classes>().unwrap_err().to_string();
    assert!(twice.contains("'a=2d level:warn' has the name"), "{twice}");
    let many: Vec<String> = (0..17).map(|n| format!("c{n}=1d level:info")).collect();
    let many = many.join(";").parse::<Classes>().unwrap_err().to_string();
    assert!(many.contains("c16=1d") && many.contains("at most 16"), "{many}");
}
