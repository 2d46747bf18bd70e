//! The six daemons of distlog.
//!
//! `runtime` is what every daemon needs and none is about: the listener, the
//! gate that each request passes, errors, health, metrics, enrolment, stopping.
//! Each service stands on it in a folder of its own: `mod.rs` says what it
//! promises, `api.rs` maps its routes, the rest is its domain and its store.
//! No service imports another: it calls the other's client from `shared`.

pub mod cli;
mod runtime;
mod services;
pub mod settings;

/// What `daemons/fuzz` calls, one function a target.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::log::fuzzing::{frame, index, ingest, lines, query};
    pub use crate::monitor::any_template as template;
    pub use crate::registry::fuzzing::{dns, probe, registration};
}

mod library;
mod log;
mod monitor;
mod provider;
mod registry;
mod web;
