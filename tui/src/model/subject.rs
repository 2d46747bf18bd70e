//! What the keys of a tab act upon, as an id.

use super::incidents::RowKey;
use super::library::LoanKey;
use super::{InstanceKey, Model, Side, Tab};

/// What is selected or opened on a tab. An overlay that acts on it later compares
/// it with what is selected then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A service.
    Service(String),
    /// An instance of a service.
    Instance(InstanceKey),
    /// A row of the incidents.
    Incident(RowKey),
    /// A book.
    Book(String),
    /// A loan.
    Loan(LoanKey),
}

impl Subject {
    /// Its name in a sentence.
    pub fn name(&self) -> String {
        match self {
            Self::Service(service) | Self::Incident((_, Some(service))) => service.clone(),
            Self::Instance((_, instance)) => instance.clone(),
            Self::Incident((id, None)) => format!("incident {id}"),
            Self::Book(id) => format!("book {id}"),
            Self::Loan((book, borrower, _)) => format!("the loan of book {book} to {borrower}"),
        }
    }
}

impl Model {
    /// What the tab's keys act upon. From now on the selection follows this row,
    /// also where the operator has not moved yet.
    pub fn pin_subject(&mut self) -> Option<Subject> {
        match self.tab {
            Tab::Overview => {
                let keys: Vec<String> =
                    self.fleet.worst_first().map(|service| service.name.clone()).collect();
                self.overview.pin(&keys);
                self.overview.key().cloned().map(Subject::Service)
            }
            Tab::Services => {
                let opened = self.services.detail.clone();
                opened.or_else(|| self.services.key_selected()).map(Subject::Instance)
            }
            Tab::Incidents => match &self.incidents.opened {
                Some(opened) => Some(Subject::Service(opened.service.clone())),
                None => self.incidents.key_selected().map(|key| match key {
                    Ok(row) => Subject::Incident(row),
                    Err(service) => Subject::Service(service),
                }),
            },
            Tab::Library => match self.library.side {
                Side::Books => self.library.pin_book().map(Subject::Book),
                Side::Loans => self.library.pin_loan().map(Subject::Loan),
            },
            Tab::Log => None,
        }
    }
}
