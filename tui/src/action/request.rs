//! What can be asked of a daemon to change something, and what became of it.

use super::Failure;
use shared::wire::library::{Lend, NewBook};
use shared::wire::log::NewRecord;
use shared::wire::monitor::Maintenance;
use shared::wire::registry::{Register, Registration};

/// A change that is asked of a daemon.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Register an instance.
    Register(Box<Register>),
    /// Remove an instance of a service.
    Deregister {
        /// The service.
        service: String,
        /// The instance.
        instance: String,
    },
    /// Register again, as they were, instances that were removed.
    Restore(Vec<Registration>),
    /// Store a record.
    Send(Box<NewRecord>),
    /// Add a book.
    AddBook(NewBook),
    /// Lend a copy.
    Borrow(Lend),
    /// Take a copy back.
    Return(Lend),
    /// Put a service or an instance under maintenance.
    BeginMaintenance(Box<Maintenance>),
    /// End that.
    EndMaintenance {
        /// The service.
        service: String,
        /// The instance; without one, what was said of the service as a whole.
        instance: Option<String>,
    },
    /// Take a service without an instance from the monitor's list.
    Forget(String),
    /// Say who looks after an incident.
    Acknowledge {
        /// The incident.
        incident: u64,
        /// Who.
        by: String,
    },
}

/// What became of a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The number of the form's request; none where no form asked.
    pub number: Option<u64>,
    /// What was done, or why not.
    pub outcome: Result<Deed, Failure>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// What to say about it.
    pub said: String,
    /// What takes it back, where anything does.
    pub undo: Option<Request>,
}

impl From<String> for Deed {
    fn from(said: String) -> Self {
        Self { said, undo: None }
    }
}
