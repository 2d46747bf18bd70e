//! Requests that change something: what each asks, what to say once it is done,
//! and what takes it back.

use super::Clients;
use crate::action::{Deed, Failure, Request};
use chrono::SecondsFormat;
use shared::client::ClientError;
use shared::wire::monitor::{Maintenance, MaintenanceMode};
use shared::wire::registry::Registration;

/// Asks for a change.
pub(super) async fn ask(clients: &Clients, request: Request) -> Result<Deed, Failure> {
    let done = match request {
        Request::Register(register) => {
            let stored = clients.registry.register(&register).await;
            stored.map(|it| Deed::from(format!("{} is registered as {}", it.service_name, it.instance_id)))
        }
        Request::Deregister { service, instance } => {
            clients.registry.deregister(&service, &instance).await.map(|gone| deregistered(gone.removed))
        }
        Request::Restore(removed) => restore(clients, &removed).await,
        Request::Send(record) => {
            let accepted = clients.log.append(&[*record], None).await;
            accepted.map(|accepted| Deed::from(format!("the log holds it as record {}", accepted.last)))
        }
        Request::AddBook(book) => {
            let added = clients.library.add(&book).await;
            added.map(|book| Deed::from(format!("{} was added as book {}", book.title, book.id)))
        }
        Request::Borrow(lend) => clients.library.borrow_book(&lend).await.map(|loan| Deed {
            said: format!("book {} was borrowed by {}", loan.book_id, loan.borrower),
            undo: Some(Request::Return(lend)),
        }),
        Request::Return(lend) => clients.library.return_book(&lend).await.map(|loan| Deed {
            said: format!("book {} was returned by {}", loan.book_id, loan.borrower),
            undo: Some(Request::Borrow(lend)),
        }),
        Request::BeginMaintenance(maintenance) => {
            clients.monitor.begin_maintenance(&maintenance).await.map(begun)
        }
        Request::EndMaintenance { service, instance } => {
            clients.monitor.end_maintenance(&service, instance.as_deref()).await.map(ended)
        }
        Request::Forget(service) => {
            let forgotten = clients.monitor.forget(&service).await;
            forgotten.map(|()| Deed::from(format!("{service} is forgotten")))
        }
        Request::Acknowledge { incident, by } => {
            let acknowledged = clients.monitor.acknowledge(incident, &by).await;
            acknowledged.map(|incident| Deed::from(format!("{by} looks after incident {}", incident.id)))
        }
    };
    done.map_err(failure)
}

fn deregistered(removed: Vec<Registration>) -> Deed {
    let said = format!("{} deregistered", names(&removed, "was", "were"));
    Deed { said, undo: Some(Request::Restore(removed)) }
}

/// Registers again, as they were, instances that were removed; ends with the
/// first that is refused.
async fn restore(clients: &Clients, removed: &[Registration]) -> Result<Deed, ClientError> {
    for gone in removed {
        clients.registry.register(&gone.to_register()).await?;
    }
    Ok(Deed::from(names(removed, "is registered again as it was", "are registered again as they were")))
}

fn names(instances: &[Registration], one: &str, many: &str) -> String {
    let names: Vec<&str> = instances.iter().map(|instance| instance.instance_id.as_str()).collect();
    format!("{} {}", names.join(", "), if names.len() == 1 { one } else { many })
}

fn begun(begun: Maintenance) -> Deed {
    let of = begun.instance.as_ref().unwrap_or(&begun.service);
    let until = begun.until.map_or_else(
        || "until somebody ends it".to_owned(),
        |until| format!("until {}", until.to_rfc3339_opts(SecondsFormat::Secs, true)),
    );
    let said = match begun.mode {
        MaintenanceMode::Maintenance => format!("{of} is under maintenance {until}"),
        MaintenanceMode::Drain => format!("{of} is drained {until}"),
    };
    Deed { said, undo: Some(Request::EndMaintenance { service: begun.service, instance: begun.instance }) }
}

fn ended(ended: Maintenance) -> Deed {
    let said = format!("the maintenance of {} is ended", ended.instance.as_ref().unwrap_or(&ended.service));
    Deed { said, undo: Some(Request::BeginMaintenance(Box::new(Maintenance { since: None, ..ended }))) }
}

/// Why something was not done. Where no answer came in time, nobody knows.
fn failure(error: ClientError) -> Failure {
    let late = matches!(error, ClientError::Timeout { .. });
    let failure = Failure::from(error);
    let message = if late {
        format!("{}: it may have been done all the same", failure.message)
    } else {
        failure.message
    };
    Failure { message, ..failure }
}
