//! The web page: what runs and how it does, the log as it is written, the books.
//!
//! * One page, three files, no build step, nothing from another origin; the
//!   content security policy lets the browser run and load nothing else.
//! * It reads without JavaScript: the server renders services, log and books
//!   into it. JavaScript keeps them up to date and makes them change.
//! * The browser calls only this origin. A fixed set of paths is passed on to
//!   the other daemons ([`upstream`]); the gate refuses a foreign Host or
//!   Origin before that.
//! * A daemon that is away takes its section with it and nothing else, and the
//!   page says which one it is and how old that is which it shows.
//! * Text from outside is sanitised and escaped ([`html`]), or becomes a text
//!   node; it is never markup.

mod api;
mod html;
mod page;
mod render;
mod upstream;

use crate::runtime::{Context, CrossSite, Service, StartError};
use shared::daemon::Daemon;

/// Starts the web page.
///
/// # Errors
/// None; like the others it may fail to start, so that it may have to one day.
pub async fn start(context: Context) -> Result<Service, StartError> {
    Ok(Service {
        api: api::routes(upstream::Upstream::new(&context)),
        patient: &[],
        cross_site: CrossSite { pages: &["/", "/web"], images: &[] },
        tags: &["web", "ui"],
        requires: &[Daemon::Log, Daemon::Library],
        finish: Box::pin(std::future::ready(())),
    })
}
