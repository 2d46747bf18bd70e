//! Requests that change something: what each asks, what to say once it is done,
//! and what takes it back.

use super::Clients;
use crate::action::{Deed, Effect, Failure};
use shared::client::ClientError;
use shared::wire::monitor::{Maintenance, MaintenanceMode};

/// Does what an effect wants changed. None where it wants nothing changed.
pub(super) async fn ask(clients: &Clients, effect: Effect) -> Option<Result<Deed, Failure>> {
    let done = match effect {
        Effect::Register(register) => {
            let stored = clients.registry.register(&register).await;
            stored.map(|it| Deed::from(format!("{} is registered as {}", it.service_name, it.instance_id)))
        }
        Effect::Send(record) => {
            let accepted = clients.log.append(&[*record], None).await;
            accepted.map(|accepted| Deed::from(format!("the log holds it as record {}", accepted.last)))
        }
        Effect::AddBook(book) => {
            let added = clients.library.add(&book).await;
            added.map(|book| Deed::from(format!("{} was added as book {}", book.title, book.id)))
        }
        Effect::Borrow(lend) => clients.library.borrow_book(&lend).await.map(|loan| Deed {
            said: format!("book {} was borrowed by {}", loan.book_id, loan.borrower),
            undo: Some(Effect::Return(lend)),
        }),
        Effect::Return(lend) => clients.library.return_book(&lend).await.map(|loan| Deed {
            said: format!("book {} was returned by {}", loan.book_id, loan.borrower),
            undo: Some(Effect::Borrow(lend)),
        }),
        Effect::BeginMaintenance(maintenance) => {
            clients.monitor.begin_maintenance(&maintenance).await.map(begun)
        }
        Effect::EndMaintenance { service, instance } => {
            clients.monitor.end_maintenance(&service, instance.as_deref()).await.map(ended)
        }
        Effect::Acknowledge { incident, by } => {
            let acknowledged = clients.monitor.acknowledge(incident, &by).await;
            acknowledged.map(|incident| Deed::from(format!("{by} looks after incident {}", incident.id)))
        }
        _ => return None,
    };
    Some(done.map_err(failure))
}

fn begun(begun: Maintenance) -> Deed {
    let of = begun.instance.as_ref().unwrap_or(&begun.service);
    let said = match begun.mode {
        MaintenanceMode::Maintenance => format!("{of} is under maintenance"),
        MaintenanceMode::Drain => format!("{of} is drained"),
    };
    Deed { said, undo: Some(Effect::EndMaintenance { service: begun.service, instance: begun.instance }) }
}

fn ended(ended: Maintenance) -> Deed {
    let said = format!("the maintenance of {} is ended", ended.instance.as_ref().unwrap_or(&ended.service));
    Deed { said, undo: Some(Effect::BeginMaintenance(Box::new(Maintenance { since: None, ..ended }))) }
}

/// Why something was not done. Where no answer came in time, nobody knows.
pub(super) fn failure(error: ClientError) -> Failure {
    let late = matches!(error, ClientError::Timeout { .. });
    let failure = Failure::from(error);
    let message = if late {
        format!("{}: it may have been done all the same", failure.message)
    } else {
        failure.message
    };
    Failure { message, ..failure }
}
