//! The table of services: what is selected, what is opened.

use super::{Cursor, Fleet, Instance};

/// The state of the services tab.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServicesPane {
    /// The selected row.
    pub cursor: Cursor,
    /// The service and the instance whose detail is open.
    pub detail: Option<(String, String)>,
    /// By how many lines the detail is scrolled.
    pub scroll: usize,
}

impl ServicesPane {
    /// The instance that keys act upon: the opened one, else the selected one.
    pub fn subject<'a>(&self, fleet: &'a Fleet) -> Option<&'a Instance> {
        match &self.detail {
            Some((service, instance)) => fleet.instances.iter().find(|i| i.key() == (service, instance)),
            None => fleet.instances.get(self.cursor.index(fleet.instances.len())?),
        }
    }

    /// Keeps the same instance selected after the table changed: a row that
    /// moved under the cursor must not be deregistered by mistake.
    pub fn keep(&mut self, selected: Option<(String, String)>, fleet: &Fleet) {
        let found = selected.and_then(|(service, instance)| {
            fleet.instances.iter().position(|i| i.key() == (service.as_str(), instance.as_str()))
        });
        if let Some(index) = found {
            self.cursor.set(index);
        }
    }
}
