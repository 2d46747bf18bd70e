//! The console of distlog: a terminal screen that shows a fleet live and
//! operates it.
//!
//! Event → [`action`] → [`update`](mod@update) → pure [`view`]. The [`model`]
//! is the one state; an update changes it and returns effects, which the
//! runtime does against the daemons; their answers are actions again, as is
//! what the feeds bring. Only the runtime knows a clock, a network, a terminal.

pub mod action;
mod app;
pub mod cli;
pub mod config;
mod endpoint;
mod feed;
mod figures;
mod follow;
pub mod keys;
mod local;
pub mod model;
mod once;
mod output;
mod pace;
mod stream;
mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;

pub use app::main;
