//! Forms: what is typed, and what is wrong with it.
//!
//! A form is data. What it asks is in the function that makes it, as
//! [`Form::register`]; what its fields must be, and what they become, is in
//! [`Form::check`].

mod check;

use shared::wire::library::{Book, Loan};
use shared::wire::monitor::Incident;
use tui_input::Input;

/// What a form is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormKind {
    /// Register an instance of a service.
    Register,
    /// Send a record to the log.
    Send,
    /// Add a book.
    Add,
    /// Lend a copy.
    Borrow,
    /// Take a copy back.
    Return,
    /// Put a service or an instance under maintenance, or drain it.
    Maintain,
    /// Say who looks after this incident.
    Acknowledge(u64),
}

impl FormKind {
    /// The form's heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Register => "Register an instance",
            Self::Send => "Send a record",
            Self::Add => "Add a book",
            Self::Borrow => "Borrow a book",
            Self::Return => "Return a book",
            Self::Maintain => "Maintenance",
            Self::Acknowledge(_) => "Acknowledge incident",
        }
    }
}

/// One line of a form.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name on the wire: a daemon's refusal names it.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What it is to be, in a few words.
    pub hint: &'static str,
    /// What was typed.
    pub input: Input,
    /// What it may be, where that is one of a few.
    pub choices: &'static [&'static str],
    /// What is wrong with it.
    pub error: Option<String>,
}

impl Field {
    /// Takes the next or the previous of the few that it may be, round the end.
    /// False where it may be anything.
    pub fn choose(&mut self, forward: bool) -> bool {
        let Some(last) = self.choices.len().checked_sub(1) else { return false };
        let at = self.choices.iter().position(|choice| *choice == self.input.value());
        let next = match (at, forward) {
            (Some(at), true) if at < last => at + 1,
            (None, true) | (Some(_), true) => 0,
            (Some(at), false) if at > 0 => at - 1,
            (None | Some(_), false) => last,
        };
        self.input = Input::new(self.choices.get(next).copied().unwrap_or_default().to_owned());
        true
    }
}

/// The values between which a field chooses; none where it may be anything.
fn choices(name: &str) -> &'static [&'static str] {
    match name {
        "mode" => &["maintenance", "drain"],
        "level" => &["trace", "debug", "info", "warn", "error", "fatal"],
        _ => &[],
    }
}

/// A form that is being filled in.
#[derive(Debug, Clone)]
pub struct Form {
    /// What it is for.
    pub kind: FormKind,
    /// Its heading.
    pub title: String,
    /// Its lines.
    pub fields: Vec<Field>,
    /// The line that is typed into.
    pub focus: usize,
    /// What is wrong with the whole.
    pub error: Option<String>,
    /// The number of the request whose answer is being waited for.
    pub sending: Option<u64>,
    /// Whether its fields are asked one by one, as the palette does, until the
    /// whole is sent or something in it is wrong.
    pub stepwise: bool,
}

impl Form {
    fn new(kind: FormKind, fields: &[(&'static str, &'static str, &'static str, &str)]) -> Self {
        let fields = fields
            .iter()
            .map(|(name, label, hint, value)| Field {
                name,
                label,
                hint,
                input: Input::new((*value).to_owned()),
                choices: choices(name),
                error: None,
            })
            .collect();
        Self {
            kind,
            title: kind.title().to_owned(),
            fields,
            focus: 0,
            error: None,
            sending: None,
            stepwise: false,
        }
    }

    /// Registers an instance.
    pub fn register() -> Self {
        Self::new(
            FormKind::Register,
            &[
                ("serviceName", "Service", "the name that all instances share", ""),
                ("serviceUrl", "URL", "http://, https:// or tcp://host:port", ""),
                ("instanceId", "Instance", "derived from name and URL when empty", ""),
                ("serviceVersion", "Version", "such as 1.0.0", ""),
                ("tags", "Tags", "words, separated by commas", ""),
                ("metadata", "Metadata", "zone=a, rack=7", ""),
                ("requiredServices", "Requires", "services, separated by commas", ""),
                ("healthCheckUrl", "Health URL", "what is probed; the URL when empty", ""),
                ("ttlSeconds", "Lease", "seconds that it lives without a heartbeat; empty: for ever", ""),
            ],
        )
    }

    /// Sends a record.
    pub fn send() -> Self {
        let mut form = Self::new(
            FormKind::Send,
            &[
                ("service", "Service", "who says it", "Console"),
                ("level", "Level", "← → choose: trace, debug, info, warn, error or fatal", "info"),
                ("message", "Message", "what happened", ""),
            ],
        );
        form.focus = 2;
        form
    }

    /// Adds a book.
    pub fn add() -> Self {
        Self::new(
            FormKind::Add,
            &[
                ("title", "Title", "the title of the book", ""),
                ("author", "Author", "who wrote it", ""),
                ("copies", "Copies", "how many the library has; one when empty", ""),
                ("id", "Id", "the next free number when empty", ""),
            ],
        )
    }

    /// Lends a copy, of the selected book unless another is typed.
    pub fn borrow_book(book: Option<&Book>) -> Self {
        let id = book.map_or("", |book| book.id.as_str());
        let mut form = Self::new(
            FormKind::Borrow,
            &[("book_id", "Book", "the id of the book", id), ("borrower", "Borrower", "who takes it", "")],
        );
        form.focus = usize::from(!id.is_empty());
        form
    }

    /// Takes a copy back, of the selected loan unless another is typed.
    pub fn return_book(loan: Option<&Loan>, book: Option<&Book>) -> Self {
        let id = loan.map(|loan| loan.book_id.as_str()).or(book.map(|book| book.id.as_str()));
        let borrower = loan.map_or("", |loan| loan.borrower.as_str());
        let mut form = Self::new(
            FormKind::Return,
            &[
                ("book_id", "Book", "the id of the book", id.unwrap_or("")),
                ("borrower", "Borrower", "who brings it back", borrower),
            ],
        );
        form.focus = usize::from(id.is_some());
        form
    }

    /// Puts an instance under maintenance, or without one the whole service.
    pub fn maintain(service: &str, instance: Option<&str>, owner: &str) -> Self {
        let mut form = Self::new(
            FormKind::Maintain,
            &[
                ("service", "Service", "the service", service),
                (
                    "instance",
                    "Instance",
                    "one of its instances; all of them when empty",
                    instance.unwrap_or(""),
                ),
                (
                    "mode",
                    "Mode",
                    "← → choose: maintenance: it is worked on; drain: it gets no new work",
                    "maintenance",
                ),
                ("reason", "Reason", "why, for whoever looks at it", ""),
                ("owner", "Owner", "who says so", owner),
                ("until", "Until", "1h when empty; 30m, 2026-11-22T18:00:00Z or forever", ""),
            ],
        );
        form.focus = 2;
        form
    }

    /// Says who looks after an incident.
    pub fn acknowledge(incident: &Incident, by: &str) -> Self {
        let kind = FormKind::Acknowledge(incident.id);
        let title = format!("{} {} of {}", kind.title(), incident.id, incident.service);
        Self { title, ..Self::new(kind, &[("by", "By", "who looks after it", by)]) }
    }

    /// What was typed into a field, without spaces around it.
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.name == name).map_or("", |field| field.input.value().trim())
    }

    /// The field that is typed into.
    pub fn focused(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.focus)
    }

    /// Moves to the next or the previous field, round the end.
    pub const fn step(&mut self, forward: bool) {
        let len = self.fields.len();
        // Asked one by one, those that are still to come are not known yet.
        let round = self.stepwise && (self.focus + 1 == len && forward || self.focus == 0 && !forward);
        if len > 0 && !round {
            self.focus = (self.focus + if forward { 1 } else { len - 1 }) % len;
        }
    }

    /// Whether another field is to be asked before all is sent.
    pub const fn asks_on(&self) -> bool {
        self.stepwise && self.focus + 1 < self.fields.len()
    }

    /// Marks a field as wrong and moves there; an unknown field's error is the
    /// form's. What is wrong is seen best in the whole form.
    pub fn refuse(&mut self, name: Option<&str>, message: String) {
        self.stepwise = false;
        let at = name.and_then(|name| self.fields.iter().position(|field| field.name == name));
        match at.and_then(|at| Some((at, self.fields.get_mut(at)?))) {
            Some((at, field)) => {
                // It stands at the field: its name on the wire says nothing more.
                let told = message.strip_prefix(field.name).and_then(|rest| rest.strip_prefix(": "));
                let message = told.map(str::to_owned).unwrap_or(message);
                field.error = Some(message);
                self.focus = at;
            }
            None => self.error = Some(message),
        }
    }
}
