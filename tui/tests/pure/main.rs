//! The console without a terminal and without daemons: the update and the view
//! are pure, so actions go in and screens come out.

#[cfg(test)]
mod anything;
#[cfg(test)]
mod away;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod log;
#[cfg(test)]
mod log_screens;
#[cfg(test)]
mod overview;
#[cfg(test)]
mod palette;
#[cfg(test)]
mod panes;
#[cfg(test)]
mod robust;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod subjects;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod undo;
#[cfg(test)]
mod update;
