//! The real console in a pseudo-terminal, against the real daemons.
//!
//! Nothing here sleeps to let something happen: every wait is for a condition
//! on the screen, with a deadline that only a failure reaches.

#[cfg(test)]
mod daemons;
#[cfg(test)]
mod escape;
#[cfg(test)]
mod history;
#[cfg(test)]
mod live;
#[cfg(test)]
mod once;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod terminal;
