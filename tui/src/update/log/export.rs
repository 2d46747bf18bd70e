//! What is held, written to a file.

use crate::action::{Effect, Export, Failure};
use crate::model::{Confirm, Edge, LogPane, Model, Overlay, Prompt, PromptKind, Toast};
use chrono::{DateTime, Utc};

/// Writes what is held to the file that was typed; the prompt stays until that is
/// done.
pub(super) fn submit(log: &mut LogPane, path: String) -> Vec<Effect> {
    let Some(prompt) = &mut log.prompt else { return Vec::new() };
    let wrong = if path.is_empty() {
        Some("a file name is needed")
    } else if log.opening.is_some() {
        Some("the log is being opened: what is held is of before")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        prompt.failure = Some(Failure { message: wrong.to_owned(), ..Failure::default() });
        return Vec::new();
    }
    prompt.waiting = true;
    let more = log.older != Edge::End || log.newer != Edge::End;
    vec![Effect::Export(Box::new(Export { path, overwrite: false, lines: log.lines().clone(), more }))]
}

/// The prompt that waits for a file to be written.
fn waiting(log: &mut LogPane) -> Option<&mut Prompt> {
    log.prompt.as_mut().filter(|prompt| prompt.kind == PromptKind::Export && prompt.waiting)
}

/// What became of it: what is wrong stands where the name was typed.
pub(in crate::update) fn exported(model: &mut Model, outcome: Result<String, Failure>, now: DateTime<Utc>) {
    match (outcome, waiting(&mut model.log)) {
        (Ok(said), prompt) => {
            if prompt.is_some() {
                model.log.prompt = None;
            }
            model.say(Toast::good(said), now);
        }
        (Err(failure), Some(prompt)) => (prompt.waiting, prompt.failure) = (false, Some(failure)),
        (Err(failure), None) => model.say(Toast::bad(failure.message), now),
    }
}

/// A file of that name is there already: whoever waits for it is asked. A
/// question takes no keys from whoever does something else by now.
pub(in crate::update) fn exists(model: &mut Model, export: Export, now: DateTime<Utc>) {
    if model.overlay.is_some() || waiting(&mut model.log).is_none() {
        let said = format!("{} is there already: nothing was written", export.path);
        model.say(Toast::bad(said), now);
        return;
    }
    let count = export.lines.len();
    model.overlay = Some(Overlay::Confirm(Confirm {
        title: format!("Replace {}?", export.path),
        text: format!(
            "There is a file {} already. A yes writes the {count} records in its place; \
             what it holds now is lost.",
            export.path
        ),
        effect: Effect::Export(Box::new(Export { overwrite: true, ..export })),
    }));
}
