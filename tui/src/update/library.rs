//! The library tab: books and loans.

use crate::action::Effect;
use crate::keys::Command;
use crate::model::{Form, Model, Overlay, Selected, Side};

pub(super) fn run(model: &mut Model, command: Command, rows: Option<isize>) -> Vec<Effect> {
    let pane = &mut model.library;
    match (command, rows) {
        (_, Some(by)) => pane.step(by),
        (Command::Left, _) => pane.side = Side::Books,
        (Command::Right, _) => pane.side = Side::Loans,
        (Command::Search, _) => pane.finder.begin(),
        (Command::Returned, _) => {
            pane.returned = !pane.returned;
            pane.loan = Selected::default();
            return vec![Effect::ShowReturned(pane.returned)];
        }
        (Command::Add, _) => model.overlay = Some(Overlay::Form(Form::add())),
        (Command::Borrow, _) => model.overlay = Some(Overlay::Form(Form::borrow_book(pane.subject()))),
        (Command::Return, _) => {
            let book = pane.selected_book().filter(|_| pane.side == Side::Books);
            model.overlay = Some(Overlay::Form(Form::return_book(pane.returnable(), book)));
        }
        _ => {}
    }
    Vec::new()
}

/// One step back: what narrows the lists. False where nothing does.
pub(super) fn back(model: &mut Model) -> bool {
    let narrowed = model.library.finder.is_on();
    model.library.finder.clear();
    model.library.arrange();
    narrowed
}
