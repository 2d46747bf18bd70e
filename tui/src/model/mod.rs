//! The one state of the console. The update changes it, the view draws it;
//! neither asks a clock or a daemon.

mod confirm;
mod copy;
mod finder;
mod fleet;
mod form;
mod graph;
mod help;
mod histogram;
mod incidents;
mod library;
mod log;
mod palette;
mod seen;
mod selected;
mod services;
mod source;
mod study;
mod subject;
mod toast;

pub use confirm::Confirm;
pub use copy::{COPIED_BYTES_MAX, Copied, copied};
pub use finder::{Finder, Words};
pub(crate) use finder::{find_in, is_in};
pub use fleet::{Fleet, Instance, LATENCIES_MAX, Service, Tally};
pub use form::{Field, Form, FormKind};
pub use graph::{Branch, Drawn};
pub use help::HelpPage;
pub use histogram::{Gravity, Histogram, PARTS};
pub use incidents::{
    IncidentLists, IncidentRow, IncidentsPane, IncidentsView, OpenedIncident, PAST_FIRST, Period,
};
pub use library::{LibraryPane, ROWS_MAX, Side};
pub(crate) use log::{BESIDE_FROM, DETAIL_LINES_MAX, complete, decoded, holds, nearest, parse_moment, term};
pub use log::{
    BYTES_MAX, BackStep, Completion, Edge, Facet, Filter, Found, HitsSpan, LINES_MAX, Levels, Line, Lines,
    LogFeed, LogPane, MARKS_MAX, Marked, OpenAt, Opened, Prompt, PromptKind, RECENT_MAX, Recent,
    RecordDetail, RecordField, Seek, ServiceFilter, Side as LogSide, Sought, Spot, Stretch, Timeline,
};
pub use palette::{Palette, commands};
pub use seen::{Fitted, Seen};
pub use selected::Selected;
pub use services::{InstanceKey, ServicesPane, SortBy};
pub(crate) use source::elapsed;
pub use source::{Away, Source, SourceName, Sources};
pub use study::{Around, Lease, Study, around};
pub use subject::Subject;
pub use toast::{HISTORY_MAX, TOASTS_MAX, Toast, Toasts};

use crate::action::{Local, Request};
use crate::cli::Endpoints;
use crate::keys::{Keymap, Place};
use crate::theme::Theme;
use chrono::{DateTime, Utc};
use shared::wire::log::Record;
use shared::wire::registry::GuardStatus;
use std::collections::VecDeque;

/// How many of the latest errors the overview keeps.
pub const ERRORS_MAX: usize = 50;

/// One of the five screens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// How the fleet is.
    #[default]
    Overview,
    /// Who is registered.
    Services,
    /// What is logged.
    Log,
    /// What went wrong.
    Incidents,
    /// Books and loans.
    Library,
}

impl Tab {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Overview, Self::Services, Self::Log, Self::Incidents, Self::Library];

    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Services => "Services",
            Self::Log => "Log",
            Self::Incidents => "Incidents",
            Self::Library => "Library",
        }
    }

    /// The tab `steps` further on, round the end.
    #[must_use]
    pub fn step(self, steps: usize) -> Self {
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        Self::ALL.get((at + steps) % Self::ALL.len()).copied().unwrap_or(self)
    }
}

/// How many deeds are remembered, to be taken back.
pub const UNDO_MAX: usize = 50;

/// Something that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Undo {
    /// What was said about it.
    pub said: String,
    /// What takes it back; none where nothing does.
    pub request: Option<Request>,
}

/// What lies over the tab.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// The help.
    Help(HelpPage),
    /// A form.
    Form(Form),
    /// A question.
    Confirm(Confirm),
    /// The palette of commands.
    Palette(Palette),
    /// What happened so far, scrolled by so many lines.
    Messages(usize),
    /// Who depends on whom, scrolled by so many lines.
    Graph(usize),
}

/// Everything the console knows.
#[derive(Debug)]
pub struct Model {
    /// Where the daemons are.
    pub endpoints: Endpoints,
    /// The keys in force.
    pub keymap: Keymap,
    /// The styles in force.
    pub theme: Theme,
    /// The terminal's columns and lines.
    pub size: (u16, u16),
    /// The screen that is shown.
    pub tab: Tab,
    /// The screen from which something on this one was opened.
    pub came_from: Option<Tab>,
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// Outcomes that are shown for a while.
    pub toasts: Toasts,
    /// How each daemon was heard last.
    pub sources: Sources,
    /// Who is registered and how they are.
    pub fleet: Fleet,
    /// The latest errors, newest last.
    pub errors: VecDeque<Record>,
    /// The service that was looked at last, for whichever screen shows one.
    pub study: Option<Study>,
    /// How much was logged in the last hour; none before it was told.
    pub volume: Option<Histogram>,
    /// The service that is selected in the overview.
    pub overview: Selected<String>,
    /// Who operates this console, where that is known.
    pub operator: String,
    /// The table of services.
    pub services: ServicesPane,
    /// The log.
    pub log: LogPane,
    /// The incidents.
    pub incidents: IncidentsPane,
    /// The library.
    pub library: LibraryPane,
    /// Whether the registry holds expiry back, as far as it has said.
    pub guard: Option<GuardStatus>,
    /// What was done, the latest last, with what takes it back.
    pub undo: VecDeque<Undo>,
    /// How many requests forms have made so far.
    pub requests: u64,
    /// Whether the mouse is listened to.
    pub mouse: bool,
    /// How the daemons of `--local` are, where it was given.
    pub local: Option<Local>,
    /// What of lists and texts fitted into the last frame.
    pub seen: Seen,
    /// Whether something that is drawn changed since the last frame.
    pub changed: bool,
}

impl Model {
    /// Before anything was heard.
    pub fn new(endpoints: Endpoints, theme: Theme, size: (u16, u16)) -> Self {
        Self {
            endpoints,
            keymap: Keymap::default(),
            theme,
            size,
            tab: Tab::default(),
            came_from: None,
            overlay: None,
            toasts: Toasts::default(),
            sources: Sources::default(),
            fleet: Fleet::default(),
            errors: VecDeque::new(),
            study: None,
            volume: None,
            overview: Selected::default(),
            operator: String::new(),
            services: ServicesPane::default(),
            log: LogPane::default(),
            incidents: IncidentsPane::default(),
            library: LibraryPane::default(),
            guard: None,
            undo: VecDeque::new(),
            requests: 0,
            mouse: false,
            local: None,
            seen: Seen::default(),
            changed: true,
        }
    }

    /// Where the console is: decides what keys mean.
    pub fn place(&self) -> Place {
        match &self.overlay {
            Some(Overlay::Help(help)) if help.finder.typing => Place::Find,
            Some(Overlay::Help(_)) => Place::Help,
            Some(Overlay::Form(_)) => Place::Form,
            Some(Overlay::Confirm(_)) => Place::Confirm,
            Some(Overlay::Palette(_)) => Place::Palette,
            Some(Overlay::Messages(_)) => Place::Messages,
            Some(Overlay::Graph(_)) => Place::Graph,
            None => self.place_below(),
        }
    }

    /// Where the console is, whatever lies over it.
    pub const fn place_below(&self) -> Place {
        self.place_in(self.tab)
    }

    /// Where the console is once it shows a tab.
    pub const fn place_in(&self, tab: Tab) -> Place {
        match tab {
            Tab::Overview => Place::Overview,
            Tab::Services if self.services.finder.typing => Place::Find,
            Tab::Services if self.services.detail.is_some() => Place::Service,
            Tab::Services => Place::Services,
            Tab::Log if self.log.prompt.is_some() => Place::Prompt,
            Tab::Log if self.log.detail.is_some() => Place::Record,
            Tab::Log if self.log.facet.is_some() => Place::Facets,
            Tab::Log if self.log.timeline.cursor.is_some() => Place::Timeline,
            Tab::Log => Place::Log,
            Tab::Incidents if self.incidents.opened.is_some() => Place::Incident,
            Tab::Incidents => Place::Incidents,
            Tab::Library if self.library.finder.typing => Place::Find,
            Tab::Library => Place::Library,
        }
    }

    /// Whether the screen shows something that ages by the second.
    pub fn is_ageing(&self) -> bool {
        !self.toasts.is_empty()
            || self.sources.iter().any(|(_, source)| source.away.is_some())
            || self.guard.as_ref().is_some_and(|guard| guard.engaged)
            || (matches!(self.tab, Tab::Overview | Tab::Incidents) && self.incidents.open_total() > 0)
            || (self.tab == Tab::Services && self.services.detail.is_some() && self.services.lease.is_some())
    }

    /// Whether the screen shows something that moves on with the time, though not
    /// by the second.
    pub const fn is_sliding(&self) -> bool {
        matches!(self.tab, Tab::Log) && self.log.timeline.slides
    }

    /// Rows that a screenful holds, for paging.
    pub fn page(&self) -> usize {
        self.seen.rows.unwrap_or_else(|| usize::from(self.size.1).saturating_sub(8)).max(1)
    }

    /// The service that is to be looked at closely, if any is.
    pub fn study_wanted(&self) -> Option<&str> {
        match self.tab {
            Tab::Services => self.services.detail.as_ref().map(|(service, _)| service.as_str()),
            Tab::Incidents => self.incidents.service(&self.fleet),
            _ => None,
        }
    }

    /// The row of the overview that is selected: until one has moved, the first,
    /// which is the worst.
    pub fn overview_row(&self) -> Option<usize> {
        self.overview.index(self.fleet.services.len())
    }

    /// The service that keys act upon, on the screens that have one.
    pub fn subject(&self) -> Option<&str> {
        match self.tab {
            Tab::Overview => self.fleet.worst(self.overview_row()?).map(|service| service.name.as_str()),
            Tab::Services => {
                let opened = || self.services.detail.as_ref().map(|(service, _)| service.as_str());
                self.services
                    .subject(&self.fleet)
                    .map(|instance| instance.registration.service_name.as_str())
                    .or_else(opened)
            }
            Tab::Incidents => self.incidents.service(&self.fleet),
            Tab::Log | Tab::Library => None,
        }
    }

    /// Adds a toast.
    pub fn say(&mut self, toast: Toast, now: DateTime<Utc>) {
        self.toasts.push(toast, now);
    }
}
