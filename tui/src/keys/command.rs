//! Commands: everything that a key, the palette or the mouse can do.

use crate::model::Tab;

/// The commands, each with the name that it bears in the configuration file
/// behind the name of its place: `log.follow`.
macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident = $slug:literal,)*) => {
        /// What a key does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Command {
            $($(#[$doc])* $name,)*
        }

        impl Command {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the configuration file, after the dot.
            pub const fn slug(self) -> &'static str {
                match self {
                    $(Self::$name => $slug,)*
                }
            }
        }
    };
}

commands! {
    // The console.

    /// Leave the program.
    Quit = "quit",
    /// Stop like any job of the shell.
    Suspend = "suspend",
    /// Draw everything anew.
    Redraw = "redraw",
    /// Try the daemons that are away again at once.
    Retry = "retry",
    /// Open the help.
    Help = "help",
    /// Open the palette of all commands.
    Palette = "palette",
    /// Show what happened so far.
    Messages = "messages",
    /// Take back what was done last.
    Undo = "undo",
    /// Copy what is selected.
    Copy = "copy",
    /// Copy the value of the selected field.
    CopyValue = "copy-value",
    /// Copy the URL of what is shown.
    CopyUrl = "copy-url",
    /// Copy a curl command for what is shown.
    CopyCurl = "copy-curl",
    /// The next theme.
    Theme = "theme",
    /// Listen to the mouse, or leave it to the terminal.
    Mouse = "mouse",

    // Moving.

    /// One step back: close, clear, cancel.
    Back = "back",
    /// Show the overview.
    ShowOverview = "overview",
    /// Show the services.
    ShowServices = "services",
    /// Show the log.
    ShowLog = "log",
    /// Show the incidents.
    ShowIncidents = "incidents",
    /// Show the library.
    ShowLibrary = "library",
    /// Show the next tab.
    NextTab = "next-tab",
    /// Show the previous tab.
    PreviousTab = "previous-tab",
    /// One row up.
    Up = "up",
    /// One row down.
    Down = "down",
    /// A screenful up.
    PageUp = "page-up",
    /// A screenful down.
    PageDown = "page-down",
    /// To the first row.
    First = "first",
    /// To the last row; in the log, follow again.
    Last = "last",
    /// To the left.
    Left = "left",
    /// To the right.
    Right = "right",
    /// Open the detail of what is selected.
    Open = "open",
    /// Type a text to search for.
    Search = "search",

    // Services.

    /// Open the form that registers an instance.
    Register = "register",
    /// Ask whether to remove the selected instance.
    Deregister = "deregister",
    /// Ask whether to take a service without an instance from the monitor's list.
    Forget = "forget",
    /// Show the log of the selected service.
    LogOf = "its-log",
    /// Sort the table by its next column.
    Sort = "sort",
    /// Turn the order of the table round.
    Reverse = "reverse",
    /// Put the selected instance under maintenance, or end that.
    Maintain = "maintenance",
    /// Put the service as a whole under maintenance, or end that.
    MaintainService = "service-maintenance",
    /// Show who depends on whom.
    Graph = "graph",
    /// Show the incidents of the selected service.
    IncidentsOf = "its-incidents",

    // Incidents.

    /// Open the form that says who looks after an incident.
    Acknowledge = "acknowledge",
    /// Show the incidents of a longer time, round to a day again.
    Period = "period",

    // The log.

    /// Follow the log, or hold it.
    Follow = "follow",
    /// To the next match, downwards.
    NextMatch = "next-match",
    /// To the previous match, upwards.
    PreviousMatch = "previous-match",
    /// Type a query that filters the log.
    Filter = "filter",
    /// Show only graver records, round to all again.
    Level = "level",
    /// Show less grave records too, round to the gravest alone.
    LevelDown = "level-down",
    /// List levels and services, to show or hide them one by one.
    Facets = "facets",
    /// Show what is selected, or hide it.
    Toggle = "toggle",
    /// Show what is selected alone.
    Only = "only",
    /// Go to a time.
    GoTime = "go-time",
    /// To the next error, downwards.
    NextError = "next-error",
    /// To the previous error, upwards.
    PreviousError = "previous-error",
    /// Move through the timeline.
    Timeline = "timeline",
    /// Show a shorter time.
    ZoomIn = "zoom-in",
    /// Show a longer time.
    ZoomOut = "zoom-out",
    /// Begin a selection, or end it.
    Select = "select",
    /// Wrap long lines, or cut them.
    Wrap = "wrap",
    /// Show the record among all those of its service.
    Context = "context",
    /// Mark the record, or take the mark away.
    Mark = "mark",
    /// To the previous mark, round to the last.
    GoMark = "go-mark",
    /// Write what is shown to a file.
    Export = "export",
    /// Show only records that have this too.
    Include = "include",
    /// Show only records that do not have this.
    Exclude = "exclude",
    /// Put what could stand here.
    Complete = "complete",
    /// Put what could stand here, the last first.
    CompleteBack = "complete-back",
    /// Show everything again.
    ClearFilter = "clear-filter",
    /// Open the form that sends a record.
    Send = "send",

    // The library.

    /// Open the form that adds a book.
    Add = "add",
    /// Open the form that lends a copy.
    Borrow = "borrow",
    /// Open the form that takes a copy back.
    Return = "return",
    /// Show returned loans too, or hide them.
    Returned = "returned",

    // Forms and questions.

    /// To the next field.
    NextField = "next-field",
    /// To the previous field.
    PreviousField = "previous-field",
    /// To the next value of a field that has a few.
    NextChoice = "next-choice",
    /// To the previous value of a field that has a few.
    PreviousChoice = "previous-choice",
    /// Send what was typed.
    Submit = "submit",
    /// Do what was asked.
    Yes = "yes",
}

impl Command {
    /// Whether it leads to a change of what others see, or out of the program.
    pub const fn acts(self) -> bool {
        matches!(
            self,
            Self::Quit
                | Self::Undo
                | Self::Register
                | Self::Deregister
                | Self::Forget
                | Self::Maintain
                | Self::MaintainService
                | Self::Acknowledge
                | Self::Send
                | Self::Add
                | Self::Borrow
                | Self::Return
        )
    }

    /// Whether it is done to what is selected.
    pub const fn has_subject(self) -> bool {
        matches!(
            self,
            Self::Open
                | Self::Borrow
                | Self::Return
                | Self::Deregister
                | Self::Forget
                | Self::Maintain
                | Self::MaintainService
                | Self::Acknowledge
                | Self::LogOf
                | Self::IncidentsOf
        )
    }

    /// The tab that it shows, where it shows one.
    pub const fn tab(self) -> Option<Tab> {
        match self {
            Self::ShowOverview => Some(Tab::Overview),
            Self::ShowServices => Some(Tab::Services),
            Self::ShowLog => Some(Tab::Log),
            Self::ShowIncidents => Some(Tab::Incidents),
            Self::ShowLibrary => Some(Tab::Library),
            _ => None,
        }
    }
}
