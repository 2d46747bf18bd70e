//! What the fields of a form must be, and the request that they become.
//!
//! Only what is certain is refused here; the daemons know the rest better, and
//! what they refuse is shown at the same field.

use super::{Form, FormKind};
use crate::action::Request;
use chrono::{DateTime, TimeDelta, Utc};
use shared::span::Span;
use shared::wire::library::{Lend, NewBook};
use shared::wire::log::{Level, NewRecord};
use shared::wire::monitor::{Maintenance, MaintenanceMode};
use shared::wire::registry::Register;
use std::collections::BTreeMap;
use std::str::FromStr;

/// How long a maintenance takes where no end is typed.
const MAINTENANCE_DEFAULT: TimeDelta = TimeDelta::hours(1);

/// The fields that are wrong, each with what is wrong with it.
type Faults = Vec<(&'static str, &'static str)>;

impl Form {
    /// The request that the form makes. None where a field is wrong: then every
    /// such field says so, and the first of them is typed into.
    pub fn check(&mut self, now: DateTime<Utc>) -> Option<Request> {
        self.error = None;
        for field in &mut self.fields {
            field.error = None;
        }
        let mut faults = Faults::new();
        let effect = self.to_request(now, &mut faults);
        // The last one marked is typed into: so the first fault goes last.
        for (name, message) in faults.iter().rev() {
            self.refuse(Some(name), (*message).to_owned());
        }
        faults.is_empty().then_some(effect)
    }

    /// Says what is wrong with the field that was typed into, before it is left
    /// for another. What is still empty may be filled in later.
    pub fn check_field(&mut self, now: DateTime<Utc>) {
        let mut faults = Faults::new();
        self.to_request(now, &mut faults);
        if let Some(field) = self.fields.get_mut(self.focus).filter(|field| !field.input.value().is_empty()) {
            let fault = faults.iter().find(|(name, _)| *name == field.name);
            field.error = fault.map(|(_, message)| (*message).to_owned());
        }
    }

    fn to_request(&self, now: DateTime<Utc>, faults: &mut Faults) -> Request {
        match self.kind {
            FormKind::Register => Request::Register(Box::new(self.to_register(faults))),
            FormKind::Send => Request::Send(Box::new(self.to_record(faults))),
            FormKind::Add => Request::AddBook(self.to_book(faults)),
            FormKind::Borrow => Request::Borrow(self.to_lend(faults)),
            FormKind::Return => Request::Return(self.to_lend(faults)),
            FormKind::Maintain => Request::BeginMaintenance(Box::new(self.to_maintenance(now, faults))),
            FormKind::Acknowledge(incident) => {
                Request::Acknowledge { incident, by: self.required("by", faults) }
            }
        }
    }

    fn required(&self, name: &'static str, faults: &mut Faults) -> String {
        let value = self.value(name);
        if value.is_empty() {
            faults.push((name, "is needed"));
        }
        value.to_owned()
    }

    fn optional(&self, name: &str) -> Option<String> {
        Some(self.value(name)).filter(|value| !value.is_empty()).map(ToOwned::to_owned)
    }

    /// A field that may be empty and else must read as a `T`.
    fn parsed<T: FromStr>(&self, name: &'static str, wrong: &'static str, faults: &mut Faults) -> Option<T> {
        let value = self.optional(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            faults.push((name, wrong));
        }
        parsed
    }

    /// A whole number of at least one, or nothing.
    fn count(&self, name: &'static str, faults: &mut Faults) -> Option<u32> {
        let wrong = "is a whole number from 1 on";
        let count: Option<u32> = self.parsed(name, wrong, faults);
        if count == Some(0) {
            faults.push((name, wrong));
        }
        count
    }

    fn words(&self, name: &str) -> Vec<String> {
        self.value(name).split(',').map(str::trim).filter(|w| !w.is_empty()).map(ToOwned::to_owned).collect()
    }

    fn to_register(&self, faults: &mut Faults) -> Register {
        let service_name = self.required("serviceName", faults);
        let service_url = self.required("serviceUrl", faults);
        if !service_url.is_empty() && !is_url(&service_url, &["http://", "https://", "tcp://"]) {
            faults.push(("serviceUrl", "begins with http://, https:// or tcp:// and names a host"));
        }
        let mut metadata = BTreeMap::new();
        for pair in self.words("metadata") {
            match pair.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => {
                    metadata.insert(key.trim().to_owned(), value.trim().to_owned());
                }
                _ => faults.push(("metadata", "is key=value, key=value")),
            }
        }
        let health_check_url = self.optional("healthCheckUrl");
        if health_check_url.as_deref().is_some_and(|url| !is_url(url, &["http://", "https://", "tcp://"])) {
            faults.push(("healthCheckUrl", "begins with http://, https:// or tcp:// and names a host"));
        }
        Register {
            service_name,
            service_url,
            instance_id: self.optional("instanceId"),
            service_version: self.optional("serviceVersion"),
            tags: self.words("tags"),
            metadata,
            health_check_url,
            required_services: self.words("requiredServices"),
            service_update_url: None,
            ttl_seconds: self.count("ttlSeconds", faults),
        }
    }

    fn to_record(&self, faults: &mut Faults) -> NewRecord {
        let wrong = "is one of trace, debug, info, warn, error, fatal";
        let level: Option<Level> = self.parsed("level", wrong, faults);
        let message = self.required("message", faults);
        NewRecord { level, service: self.optional("service"), message, ..NewRecord::default() }
    }

    fn to_book(&self, faults: &mut Faults) -> NewBook {
        NewBook {
            title: self.required("title", faults),
            author: self.required("author", faults),
            copies: self.count("copies", faults),
            id: self.optional("id"),
        }
    }

    fn to_maintenance(&self, now: DateTime<Utc>, faults: &mut Faults) -> Maintenance {
        let mode = match self.value("mode") {
            "maintenance" => MaintenanceMode::Maintenance,
            "drain" => MaintenanceMode::Drain,
            _ => {
                faults.push(("mode", "is maintenance or drain"));
                MaintenanceMode::default()
            }
        };
        let until = match self.value("until") {
            "" => Some(now + MAINTENANCE_DEFAULT),
            "forever" => None,
            text => {
                let until = until(text, now);
                match until {
                    None => faults.push(("until", "is 2h, 2026-11-22T18:00:00Z or forever")),
                    Some(until) if until <= now => faults.push(("until", "has already passed")),
                    Some(_) => {}
                }
                until
            }
        };
        Maintenance {
            service: self.required("service", faults),
            instance: self.optional("instance"),
            mode,
            reason: self.value("reason").to_owned(),
            owner: self.value("owner").to_owned(),
            since: None,
            until,
        }
    }

    fn to_lend(&self, faults: &mut Faults) -> Lend {
        Lend { book_id: self.required("book_id", faults), borrower: self.required("borrower", faults) }
    }
}

/// A span from now on, or a moment.
fn until(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match text.parse::<Span>() {
        Ok(Span(span)) => now.checked_add_signed(TimeDelta::from_std(span).ok()?),
        Err(_) => DateTime::parse_from_rfc3339(text).ok().map(Into::into),
    }
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    let host = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    host.is_some_and(|host| {
        !host.is_empty() && !host.starts_with(['/', ':']) && !text.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::wire::monitor::Incident;
    use tui_input::Input;

    fn filled(mut form: Form, values: &[(&str, &str)]) -> Form {
        for (name, value) in values {
            let field = form.fields.iter_mut().find(|field| field.name == *name).unwrap();
            field.input = Input::new((*value).to_owned());
        }
        form
    }

    fn now() -> DateTime<Utc> {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn faults(form: &Form) -> Vec<&str> {
        form.fields.iter().filter(|field| field.error.is_some()).map(|field| field.name).collect()
    }

    #[test]
    fn every_fault_is_shown_at_its_field_and_the_first_is_typed_into() {
        for (form, values, wrong) in [
            (Form::register(), vec![], vec!["serviceName", "serviceUrl"]),
            (
                Form::register(),
                vec![
                    ("serviceName", "A"),
                    ("serviceUrl", "localhost:1"),
                    ("ttlSeconds", "0"),
                    ("metadata", "zone"),
                ],
                vec!["serviceUrl", "metadata", "ttlSeconds"],
            ),
            (Form::add(), vec![("title", " "), ("author", "A"), ("copies", "two")], vec!["title", "copies"]),
            (Form::borrow_book(None), vec![("book_id", "1")], vec!["borrower"]),
            (Form::send(), vec![("level", "loud")], vec!["level", "message"]),
            (Form::maintain("S", None, ""), vec![("mode", "off"), ("until", "soon")], vec!["mode", "until"]),
            (Form::maintain("S", None, ""), vec![("until", "2026-11-22T09:59:59Z")], vec!["until"]),
            (Form::acknowledge(&Incident::default(), ""), vec![], vec!["by"]),
        ] {
            let mut form = filled(form, &values);
            assert_eq!(form.check(now()), None);
            assert_eq!(faults(&form), wrong);
            assert_eq!(Some(form.fields[form.focus].name), wrong.first().copied());
        }
    }

    #[test]
    fn a_form_without_faults_becomes_its_request() {
        let mut form = filled(
            Form::register(),
            &[
                ("serviceName", "A"),
                ("serviceUrl", "tcp://h:1"),
                ("tags", "x, y,"),
                ("metadata", "zone=a"),
                ("ttlSeconds", "15"),
            ],
        );
        let Some(Request::Register(register)) = form.check(now()) else { panic!("{:?}", faults(&form)) };
        assert_eq!(register.tags, ["x", "y"]);
        assert_eq!(register.metadata.get("zone").map(String::as_str), Some("a"));
        assert_eq!((register.ttl_seconds, register.instance_id.as_deref()), (Some(15), None));

        let mut form = filled(Form::add(), &[("title", "分布式"), ("author", "李四")]);
        let book =
            NewBook { title: "分布式".to_owned(), author: "李四".to_owned(), id: None, copies: None };
        assert_eq!(form.check(now()), Some(Request::AddBook(book)));
    }

    #[test]
    fn a_maintenance_ends_after_a_span_or_at_a_moment_and_has_no_end_only_where_that_is_typed() {
        for (typed, until) in [
            ("", Some("2026-11-22T11:00:00Z")),
            (" ", Some("2026-11-22T11:00:00Z")),
            ("forever", None),
            ("2h", Some("2026-11-22T12:00:00Z")),
            ("2026-11-22T18:00:00+01:00", Some("2026-11-22T17:00:00Z")),
        ] {
            let mut form =
                filled(Form::maintain("S", Some("S-1"), "Ann"), &[("mode", "drain"), ("until", typed)]);
            let Some(Request::BeginMaintenance(maintenance)) = form.check(now()) else { panic!("{typed}") };
            assert_eq!(maintenance.until, until.map(|until| until.parse().unwrap()), "{typed}");
            assert_eq!(
                (maintenance.mode, maintenance.instance.as_deref(), &*maintenance.owner),
                (MaintenanceMode::Drain, Some("S-1"), "Ann")
            );
        }
    }

    #[test]
    fn a_field_that_is_left_says_what_is_wrong_and_an_empty_one_says_nothing_yet() {
        let mut form = filled(Form::register(), &[("serviceUrl", "localhost:1")]);
        form.check_field(now());
        assert_eq!(faults(&form), [] as [&str; 0]);
        form.focus = 1;
        form.check_field(now());
        assert_eq!(faults(&form), ["serviceUrl"]);
    }

    #[test]
    fn what_a_daemon_refuses_is_shown_at_its_field_or_at_the_form() {
        let mut form = Form::borrow_book(None);
        form.refuse(Some("borrower"), "has five books already".to_owned());
        assert_eq!((faults(&form), form.focus), (vec!["borrower"], 1));
        form.refuse(Some("borrower"), "borrower: is too long".to_owned());
        assert_eq!(form.fields.get(1).and_then(|field| field.error.as_deref()), Some("is too long"));
        form.refuse(Some("elsewhere"), "no copy is in".to_owned());
        assert_eq!(form.error.as_deref(), Some("no copy is in"));
    }
}
