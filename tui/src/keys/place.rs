//! Places: what is in front decides what a key means.

use crate::model::Tab;

/// Where the console is: decides which keys mean what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Everywhere, even while text is typed.
    Always,
    /// Everywhere but where text is typed or a question is open.
    Anywhere,
    /// The overview.
    Overview,
    /// The table of services.
    Services,
    /// The detail of one instance.
    Service,
    /// The log.
    Log,
    /// The detail of one record.
    Record,
    /// The list of levels and services.
    Facets,
    /// The timeline of the log.
    Timeline,
    /// The line in which the log is told what to search, to filter by, to go to or to
    /// write to.
    Prompt,
    /// The incidents.
    Incidents,
    /// The detail of one incident.
    Incident,
    /// The library.
    Library,
    /// The line in which a list is narrowed as one types.
    Find,
    /// A form.
    Form,
    /// A question.
    Confirm,
    /// The command palette.
    Palette,
    /// What happened so far.
    Messages,
    /// Who depends on whom, on the whole screen.
    Graph,
    /// The help.
    Help,
}

impl Place {
    /// Every place, in the order of the help.
    pub const ALL: [Self; 20] = [
        Self::Anywhere,
        Self::Overview,
        Self::Services,
        Self::Service,
        Self::Log,
        Self::Record,
        Self::Facets,
        Self::Timeline,
        Self::Prompt,
        Self::Incidents,
        Self::Incident,
        Self::Library,
        Self::Find,
        Self::Form,
        Self::Confirm,
        Self::Palette,
        Self::Messages,
        Self::Graph,
        Self::Help,
        Self::Always,
    ];

    /// Its heading in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Anywhere => "Everywhere",
            Self::Overview => "Overview",
            Self::Services => "Services",
            Self::Service => "Service detail",
            Self::Log => "Log",
            Self::Record => "Record detail",
            Self::Facets => "Levels and services",
            Self::Timeline => "Timeline",
            Self::Prompt => "Lines of input",
            Self::Incidents => "Incidents",
            Self::Incident => "Incident detail",
            Self::Library => "Library",
            Self::Find => "Narrowing a list",
            Self::Form => "Forms",
            Self::Confirm => "Questions",
            Self::Palette => "Command palette",
            Self::Messages => "Messages",
            Self::Graph => "Who depends on whom",
            Self::Help => "Help",
        }
    }

    /// Its name in the configuration file, before the dot.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Anywhere => "anywhere",
            Self::Overview => "overview",
            Self::Services => "services",
            Self::Service => "service",
            Self::Log => "log",
            Self::Record => "record",
            Self::Facets => "facets",
            Self::Timeline => "timeline",
            Self::Prompt => "prompt",
            Self::Incidents => "incidents",
            Self::Incident => "incident",
            Self::Library => "library",
            Self::Find => "find",
            Self::Form => "form",
            Self::Confirm => "confirm",
            Self::Palette => "palette",
            Self::Messages => "messages",
            Self::Graph => "graph",
            Self::Help => "help",
        }
    }

    /// The tab that it belongs to; none where it lies over any of them.
    pub const fn tab(self) -> Option<Tab> {
        match self {
            Self::Overview => Some(Tab::Overview),
            Self::Services | Self::Service => Some(Tab::Services),
            Self::Log | Self::Record | Self::Facets | Self::Timeline | Self::Prompt => Some(Tab::Log),
            Self::Incidents | Self::Incident => Some(Tab::Incidents),
            Self::Library => Some(Tab::Library),
            _ => None,
        }
    }

    /// Whether the keys of [`Place::Anywhere`] work here.
    pub(super) const fn is_open(self) -> bool {
        !matches!(self, Self::Prompt | Self::Find | Self::Form | Self::Confirm | Self::Palette)
    }

    /// Whether text is typed here, or may be where its keys hold.
    pub(super) const fn is_typed_in(self) -> bool {
        matches!(self, Self::Always | Self::Prompt | Self::Find | Self::Form | Self::Palette)
    }

    /// Whether it lies over a tab: its keys may hide general ones for a while.
    pub(super) const fn lies_over(self) -> bool {
        matches!(self, Self::Messages | Self::Graph | Self::Help)
    }
}
