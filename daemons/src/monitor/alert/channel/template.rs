//! A body made by a template (minijinja), which is given the notification.
//!
//! A template is tried on samples before it is used: an unknown name, or JSON
//! that is none as soon as a quote stands in a text, is found at the start and
//! by check-config, not in the night. Later a name that is missing is empty.

use minijinja::{Environment, UndefinedBehavior};
use shared::wire::alert::{Notification, NotificationKind};

/// Steps that a template may take.
const FUEL: u64 = 200_000;
/// The largest body that it may make.
const BODY_MAX: usize = 256 * 1024;

/// A template that was tried.
pub struct Template(Environment<'static>);

impl Template {
    /// Reads it and tries it.
    pub fn new(source: &str, is_json: bool) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.add_template_owned("body", source.to_owned()).map_err(|e| words(&e))?;
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut template = Self(environment);
        for sample in samples() {
            let body = template.render(&sample)?;
            if is_json && let Err(error) = serde_json::from_str::<serde_json::Value>(&body) {
                return Err(format!(
                    "what it makes is not JSON: {error}; write {{{{ title | tojson }}}} without quotes of your own"
                ));
            }
        }
        template.0.set_undefined_behavior(UndefinedBehavior::Chainable);
        Ok(template)
    }

    /// The body.
    pub fn render(&self, notification: &Notification) -> Result<String, String> {
        let body =
            self.0.get_template("body").and_then(|body| body.render(notification)).map_err(|e| words(&e))?;
        if body.len() > BODY_MAX {
            return Err(format!("the template made more than {BODY_MAX} bytes"));
        }
        Ok(body)
    }
}

fn words(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    match error.detail() {
        Some(detail) => format!("{line}{}: {detail}", error.kind()),
        None => format!("{line}{}", error.kind()),
    }
}

/// One of each kind, with what breaks quotes that are not escaped.
fn samples() -> impl Iterator<Item = Notification> {
    use NotificationKind::{Opened, Resolved, Test};
    [Opened, Resolved, Test].into_iter().map(|kind| {
        let mut sample = super::super::sample("sample", kind, String::new(), chrono::DateTime::UNIX_EPOCH);
        sample.text = "\"quoted\"\\\nand another line".to_owned();
        sample.title.clone_from(&sample.text);
        sample.incident.detail = Some(sample.text.clone());
        sample
    })
}

/// Any bytes as a template, for `daemons/fuzz`: one that was accepted fills
/// itself with every kind of notification, or says why not.
#[cfg(any(test, fuzzing))]
pub fn any_template(bytes: &[u8]) {
    let Some((kind, source)) = bytes.split_first() else { return };
    let Ok(template) = Template::new(&String::from_utf8_lossy(source), kind & 1 == 0) else { return };
    for sample in samples() {
        let body = template.render(&sample);
        assert!(body.is_ok_and(|body| body.len() <= BODY_MAX), "it was accepted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_template_cannot_do_is_found_before_it_is_needed() {
        for (source, said) in [
            ("{{ title", "syntax error"),
            ("{{ titel }}", "undefined value"),
            (r#"{"text": "{{ title }}"}"#, "not JSON"),
            ("{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}", "fuel"),
        ] {
            let error = Template::new(source, true).err().unwrap();
            assert!(error.contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn any_bytes_are_a_template_or_an_error() {
        proptest::proptest!(|(json in "[01]", text in "(\\{\\{|\\}\\}|\\{%|%\\}| |title|for|if|end|\"|\\|tojson|\\PC){0,12}")| {
            any_template(format!("{json}{text}").as_bytes());
        });
    }

    #[test]
    fn a_template_has_all_that_the_notification_says() {
        let source = r#"{"text": {{ title | tojson }}, "kind": "{{ kind }}", "n": {{ incident.id }},
            "phase": {{ evidence.phase | tojson }}}"#;
        let template = Template::new(source, true).unwrap();
        for sample in samples() {
            let body: serde_json::Value = serde_json::from_str(&template.render(&sample).unwrap()).unwrap();
            assert_eq!(
                (&body["text"], &body["kind"]),
                (&sample.title.clone().into(), &sample.kind.as_str().into())
            );
        }
        assert_eq!(
            Template::new("{{ service }} is down", false)
                .unwrap()
                .render(&samples().next().unwrap())
                .unwrap(),
            "sample is down"
        );
    }
}
