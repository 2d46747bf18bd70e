//! The daemons as their users meet them: real processes, on ports of the
//! system's choice, in temporary directories.

mod harness;

mod crash;
mod log;
mod registry;
mod runtime;
mod tail;
