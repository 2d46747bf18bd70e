//! Requests made once: what an effect wants, and what came of it.

use super::{Clients, query};
use crate::action::{Action, Effect, Failure};
use shared::client::LogQuery;
use shared::wire::registry::Registration;

/// How many records a filter shows at first.
const FILTERED: u32 = 500;
/// How many older records are fetched at once.
const OLDER: u32 = 1_000;

/// Does what an effect wants of the daemons. None where it wants nothing.
pub(super) async fn call(clients: &Clients, effect: Effect) -> Option<Action> {
    let done = match effect {
        Effect::Register(register) => {
            let stored = clients.registry.register(&register).await;
            stored.map(|registration| format!("{} is registered", registration.instance_id))
        }
        Effect::Deregister { service, instance } => {
            match clients.registry.deregister(&service, &instance).await {
                Ok(gone) => return Some(Action::Deregistered(gone.removed)),
                Err(error) => Err(error),
            }
        }
        Effect::Restore(removed) => return Some(restore(clients, removed).await),
        Effect::Send(record) => {
            let accepted = clients.log.append(&[*record], None).await;
            accepted.map(|accepted| format!("the log holds it as record {}", accepted.last))
        }
        Effect::AddBook(book) => {
            let added = clients.library.add(&book).await;
            added.map(|book| format!("{} was added as book {}", book.title, book.id))
        }
        Effect::Borrow(lend) => {
            let lent = clients.library.borrow_book(&lend).await;
            lent.map(|loan| format!("book {} was borrowed by {}", loan.book_id, loan.borrower))
        }
        Effect::Return(lend) => {
            let returned = clients.library.return_book(&lend).await;
            returned.map(|loan| format!("book {} was returned by {}", loan.book_id, loan.borrower))
        }
        Effect::History(service) => {
            let history = clients.monitor.history(&service).await.map_err(Failure::from);
            return Some(Action::History { service, history });
        }
        Effect::Filter(filter) => {
            let query = LogQuery { limit: Some(FILTERED), ..query(&filter) };
            let page = clients.log.search(&query).await.map_err(Failure::from);
            return Some(Action::LogFiltered { filter, page });
        }
        Effect::Older { generation, filter, before } => {
            let query = LogQuery { limit: Some(OLDER), before: Some(before), ..query(&filter) };
            let page = clients.log.search(&query).await.map_err(Failure::from);
            return Some(Action::LogOlder { generation, page });
        }
        // The program's own, or a feed's.
        Effect::Quit
        | Effect::Suspend
        | Effect::Redraw
        | Effect::Copy(_)
        | Effect::Mouse(_)
        | Effect::ShowReturned(_)
        | Effect::Follow { .. } => return None,
    };
    Some(Action::Done(done.map_err(Failure::from)))
}

/// Registers again, as they were, instances that were removed; ends with the
/// first that is refused.
async fn restore(clients: &Clients, mut left: Vec<Registration>) -> Action {
    let mut names = Vec::new();
    while let Some(removed) = left.last() {
        match clients.registry.register(&removed.to_register()).await {
            Ok(stored) => names.push(stored.instance_id),
            Err(error) => return Action::Restored { left, outcome: Err(Failure::from(error)) },
        }
        left.pop();
    }
    let is =
        if names.len() == 1 { "is registered again as it was" } else { "are registered again as they were" };
    let outcome = Ok(format!("{} {is}", names.join(", ")));
    Action::Restored { left, outcome }
}
