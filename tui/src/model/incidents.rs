//! Incidents: what is open with those that follow from it, what is over, and
//! how often each service did well.

use super::graph::{Drawn, Requirers, tree};
use super::{Around, Fleet, Selected};
use chrono::{DateTime, TimeDelta, Utc};
use shared::client::Part;
use shared::wire::monitor::{Dependent, Incident, UptimeReport};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How many resolved incidents are fetched at first.
pub const PAST_FIRST: usize = 100;
/// How many more are fetched when the operator nears the last one.
const PAST_STEP: usize = 200;
/// How many are fetched at most.
const PAST_MAX: usize = 1_000;
/// More are fetched when the selection is as close to the last row.
const PAST_MARGIN: usize = 20;
/// For how long the uptimes of all services need not be asked for again, in seconds.
const UPTIMES_FRESH_S: i64 = 30;

/// What the upper half of the tab lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IncidentsView {
    /// Incidents.
    #[default]
    Incidents,
    /// Every service and its uptime.
    Uptime,
}

/// How far back incidents that are over are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Period {
    /// 24 hours.
    Day,
    /// 7 times 24 hours.
    Week,
    /// 30 times 24 hours.
    #[default]
    Month,
}

impl Period {
    /// The next longer one, round to the shortest.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Day => Self::Week,
            Self::Week => Self::Month,
            Self::Month => Self::Day,
        }
    }

    /// Its name in a sentence.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    const fn days(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }
}

/// An incident, or one of the services that depend on its root.
pub type RowKey = (u64, Option<String>);

/// Open and resolved incidents, as the monitor lists them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IncidentLists {
    /// Open ones.
    pub open: Part<Incident>,
    /// The ones that were resolved last.
    pub past: Part<Incident>,
}

impl From<Vec<Incident>> for IncidentLists {
    fn from(incidents: Vec<Incident>) -> Self {
        let (open, past): (Vec<_>, Vec<_>) =
            incidents.into_iter().partition(|incident| incident.resolved_at.is_none());
        Self { open: open.into(), past: past.into() }
    }
}

/// The subject of the detail page. It is held by value, so that the page keeps it
/// when the list below changes.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenedIncident {
    /// The service whose evidence is shown.
    pub service: String,
    /// The incident; none for a row of the uptimes.
    pub incident: Option<Incident>,
}

/// One row of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentRow {
    /// The incident, as a place in [`IncidentsPane::incidents`].
    pub incident: usize,
    /// The service that depends on its root, as a place among its dependents;
    /// none for the incident itself.
    pub dependent: Option<usize>,
    /// What is drawn before the service: its place in the tree.
    pub stem: String,
}

/// The state of the incidents tab.
#[derive(Debug, Clone, Default)]
pub struct IncidentsPane {
    /// Open ones, the newest first; then resolved ones, the last resolved first.
    pub incidents: Vec<Incident>,
    /// How many are open.
    open_total: usize,
    /// How many resolved ones the monitor keeps.
    past_total: usize,
    /// How many resolved ones to fetch beyond [`PAST_FIRST`].
    past_more: usize,
    /// What is listed: each incident, and below an open one its dependents.
    pub rows: Vec<IncidentRow>,
    keys: Vec<RowKey>,
    /// The selected row.
    pub selected: Selected<RowKey>,
    /// What is listed.
    pub view: IncidentsView,
    /// How far back.
    pub period: Period,
    /// Only incidents that this service has a part in.
    pub only: Option<String>,
    /// The subject of the detail page, while it is open.
    pub opened: Option<OpenedIncident>,
    /// By how many lines the evidence is scrolled.
    pub scroll: usize,
    /// The log around the selected incident.
    pub around: Option<Around>,
    /// Every service's uptime, by name.
    pub uptimes: Vec<UptimeReport>,
    /// When that was told.
    pub uptimes_at: Option<DateTime<Utc>>,
    uptime_keys: Vec<String>,
    /// The selected service among them.
    pub uptime: Selected<String>,
}

impl IncidentsPane {
    /// Takes over what the monitor says. False where nothing is new.
    pub fn set(&mut self, lists: IncidentLists) -> bool {
        let IncidentLists { open, past } = lists;
        let totals = (open.total, past.total);
        // One that was resolved between the two answers is in both: the later holds.
        let resolved: BTreeSet<u64> = past.rows.iter().map(|incident| incident.id).collect();
        let open = open.rows.into_iter().filter(|incident| !resolved.contains(&incident.id));
        let mut incidents: Vec<Incident> = open.chain(past.rows).collect();
        incidents.sort_by_key(|i| {
            (i.resolved_at.is_some(), Reverse((i.resolved_at.unwrap_or(i.opened_at), i.id)))
        });
        incidents.dedup_by_key(|incident| incident.id);
        if let Some(shown) = self.opened.as_mut().and_then(|opened| opened.incident.as_mut())
            && let Some(now) = incidents.iter().find(|incident| incident.id == shown.id)
        {
            shown.clone_from(now);
        }
        let news = self.incidents != incidents || (self.open_total, self.past_total) != totals;
        self.incidents = incidents;
        (self.open_total, self.past_total) = totals;
        news
    }

    /// Takes over how often services did well.
    pub fn set_uptimes(&mut self, uptimes: Vec<UptimeReport>, now: DateTime<Utc>) {
        self.uptime_keys = uptimes.iter().map(|report| report.service.clone()).collect();
        self.uptimes = uptimes;
        self.uptimes_at = Some(now);
        self.uptime.keep(&self.uptime_keys);
    }

    /// Whether the uptimes are to be asked for.
    pub fn wants_uptimes(&self, now: DateTime<Utc>) -> bool {
        let fresh = |at: DateTime<Utc>| (now - at).num_seconds().abs() < UPTIMES_FRESH_S;
        self.view == IncidentsView::Uptime && !self.uptimes_at.is_some_and(fresh)
    }

    /// Draws the rows anew, after incidents, fleet or period have changed; the
    /// same one stays selected.
    pub fn arrange(&mut self, fleet: &Fleet, now: DateTime<Utc>) {
        let since = now - TimeDelta::days(self.period.days());
        let requirers = fleet.requirers();
        let mut rows = Vec::new();
        for (at, incident) in self.incidents.iter().enumerate() {
            let recent = incident.resolved_at.is_none_or(|resolved| resolved >= since);
            let concerns = self.only.as_deref().is_none_or(|service| concerns(incident, service));
            if !recent || !concerns {
                continue;
            }
            rows.push(IncidentRow { incident: at, dependent: None, stem: String::new() });
            if incident.resolved_at.is_none() {
                let dependents = followers(incident, &requirers).into_iter();
                rows.extend(dependents.map(|(dependent, stem)| IncidentRow {
                    incident: at,
                    dependent: Some(dependent),
                    stem,
                }));
            }
        }
        self.keys = rows.iter().filter_map(|row| self.key(row)).collect();
        self.rows = rows;
        self.selected.keep(&self.keys);
    }

    fn key(&self, row: &IncidentRow) -> Option<RowKey> {
        let incident = self.incidents.get(row.incident)?;
        let dependent = row.dependent.and_then(|at| incident.dependents.get(at));
        Some((incident.id, dependent.map(|dependent| dependent.service.clone())))
    }

    /// How many open ones are listed: the first rows of [`Self::incidents`].
    pub fn open(&self) -> usize {
        self.incidents.iter().take_while(|incident| incident.resolved_at.is_none()).count()
    }

    /// How many are open, listed or not.
    pub fn open_total(&self) -> usize {
        self.open_total.max(self.open())
    }

    /// How many resolved ones were fetched, of how many; none where the period needs
    /// no more than were fetched.
    pub fn past_cut(&self, now: DateTime<Utc>) -> Option<(usize, usize)> {
        let fetched = self.incidents.len() - self.open();
        let since = now - TimeDelta::days(self.period.days());
        let reaches = self.incidents.last().is_none_or(|last| last.resolved_at.is_none_or(|at| at >= since));
        (fetched < self.past_total && reaches).then_some((fetched, self.past_total))
    }

    /// How many resolved ones to fetch from now on, where the selection nears the
    /// last row and the monitor has more.
    pub fn more_past(&mut self, now: DateTime<Utc>) -> Option<usize> {
        let (fetched, _) = self.past_cut(now)?;
        let near = self.selected.index(self.rows.len())? + PAST_MARGIN >= self.rows.len();
        let wanted = PAST_FIRST + self.past_more;
        if !near || self.view != IncidentsView::Incidents || fetched < wanted || wanted >= PAST_MAX {
            return None;
        }
        self.past_more = (self.past_more + PAST_STEP).min(PAST_MAX - PAST_FIRST);
        Some(PAST_FIRST + self.past_more)
    }

    /// Opens the detail page of the selected row.
    pub fn open_detail(&mut self, fleet: &Fleet) {
        let service = self.service(fleet).map(str::to_owned);
        let incident = self.incident().cloned();
        self.opened = service.map(|service| OpenedIncident { service, incident });
        self.scroll = 0;
    }

    /// What is selected in the list that is shown.
    pub fn key_selected(&mut self) -> Option<Result<RowKey, String>> {
        match self.view {
            IncidentsView::Incidents => {
                self.selected.pin(&self.keys);
                self.selected.key().cloned().map(Ok)
            }
            IncidentsView::Uptime => {
                self.uptime.pin(&self.uptime_keys);
                self.uptime.key().cloned().map(Err)
            }
        }
    }

    /// The open incident of which a service is the root.
    pub fn rooted_in(&self, service: &str) -> Option<&Incident> {
        self.incidents.iter().take(self.open()).find(|incident| incident.service == service)
    }

    /// Moves by so many rows.
    pub fn step(&mut self, by: isize) {
        self.scroll = 0;
        match self.view {
            IncidentsView::Incidents => self.selected.step(by, &self.keys),
            IncidentsView::Uptime => self.uptime.step(by, &self.uptime_keys),
        }
    }

    /// Selects the open incident of which a service is the root, or a part; false
    /// where there is none.
    pub fn select(&mut self, service: &str) -> bool {
        let open = self.incidents.iter().take(self.open());
        let found = open.clone().find(|incident| incident.service == service);
        let found = found.or_else(|| open.clone().find(|incident| concerns(incident, service)));
        let Some(id) = found.map(|incident| incident.id) else { return false };
        (self.view, self.opened, self.scroll) = (IncidentsView::Incidents, None, 0);
        self.selected.select(&(id, None), &self.keys);
        true
    }

    fn row(&self) -> Option<&IncidentRow> {
        self.rows.get(self.selected.index(self.rows.len())?)
    }

    /// The incident that keys act upon, the opened one or the selected one; none
    /// among the uptimes.
    pub fn incident(&self) -> Option<&Incident> {
        if let Some(opened) = &self.opened {
            return opened.incident.as_ref();
        }
        match self.view {
            IncidentsView::Incidents => self.incidents.get(self.row()?.incident),
            IncidentsView::Uptime => None,
        }
    }

    /// The dependent that is selected, if one is.
    fn dependent(&self) -> Option<&Dependent> {
        self.incident()?.dependents.get(self.row()?.dependent?)
    }

    /// The service whose evidence is shown.
    pub fn service<'a>(&'a self, fleet: &'a Fleet) -> Option<&'a str> {
        if let Some(opened) = &self.opened {
            return Some(&opened.service);
        }
        let uptime = || self.uptimes.get(self.uptime.index(self.uptimes.len())?);
        let chosen = match self.view {
            IncidentsView::Incidents => self
                .dependent()
                .map(|dependent| dependent.service.as_str())
                .or_else(|| self.incident().map(|incident| incident.service.as_str())),
            IncidentsView::Uptime => uptime().map(|report| report.service.as_str()),
        };
        chosen.or(self.only.as_deref()).or_else(|| fleet.services.first().map(|s| s.name.as_str()))
    }
}

/// Whether a service has a part in an incident.
fn concerns(incident: &Incident, service: &str) -> bool {
    incident.service == service
        || incident.affected.iter().any(|name| name == service)
        || incident.dependents.iter().any(|dependent| dependent.service == service)
}

/// The dependents of an incident in the order of the tree below its root, each
/// with what is drawn before it. One that requires the root no more comes last.
fn followers(incident: &Incident, requirers: &Requirers<'_>) -> Vec<(usize, String)> {
    let places: BTreeMap<&str, usize> =
        incident.dependents.iter().enumerate().map(|(at, d)| (d.service.as_str(), at)).collect();
    let mut drawn = BTreeSet::new();
    let mut rows = Vec::new();
    for branch in tree(&incident.service, requirers).into_iter().skip(1) {
        // One that stands below several is listed once.
        if let Some(at) = places.get(branch.name.as_str())
            && branch.drawn != Drawn::Circle
            && drawn.insert(*at)
        {
            rows.push((*at, branch.stem));
        }
    }
    let rest = (0..incident.dependents.len()).filter(|at| !drawn.contains(at));
    rows.extend(rest.map(|at| (at, "└─ ".to_owned())));
    rows
}
