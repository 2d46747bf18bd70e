//! What was done is taken back, the last first; and forms hear only the answer to
//! their own request.

use crate::fixture::{act, answer, full, press, registry, screen};
use distlog_tui::action::{Action, Answer, Deed, Effect, Failure, Request};
use distlog_tui::model::{Model, Overlay, UNDO_MAX};
use shared::wire::library::Lend;

fn refused(message: &str) -> Failure {
    Failure { message: message.to_owned(), status: Some(409), ..Failure::default() }
}

/// Something was done without a form.
fn done(model: &mut Model, said: &str, undo: Option<Request>) {
    let outcome = Ok(Deed { said: said.to_owned(), undo });
    act(model, Action::Answered(Box::new(Answer { number: None, outcome })));
}

fn lend(book: &str) -> Lend {
    Lend { book_id: book.to_owned(), borrower: "Ann".to_owned() }
}

#[test]
fn a_deregistration_is_taken_back_as_it_was() {
    let mut model = full(80, 24);
    let Action::Registry { mut registrations, .. } = registry() else { unreachable!() };
    let removed = vec![registrations.remove(1)];
    act(&mut model, Action::Registry { revision: 18, registrations });
    done(&mut model, "it was deregistered", Some(Request::Restore(removed.clone())));
    assert!(screen(&model).contains("deregistered; u takes it back"), "{}", screen(&model));
    let request = Request::Restore(removed);
    assert_eq!(press(&mut model, "u"), [Effect::TakeBack(request.clone())]);
    assert_eq!(press(&mut model, "u"), [], "once");
    act(&mut model, Action::TakenBack { request: request.clone(), outcome: Err(refused("no")) });
    assert_eq!(press(&mut model, "u"), [Effect::TakeBack(request)], "it is still gone");
}

#[test]
fn what_has_registered_itself_again_is_left_as_it_is() {
    let mut model = full(80, 24);
    let Action::Registry { registrations, .. } = registry() else { unreachable!() };
    done(&mut model, "it was deregistered", Some(Request::Restore(vec![registrations[1].clone()])));
    assert_eq!(press(&mut model, "u"), []);
    assert!(screen(&model).contains("is registered again already"), "{}", screen(&model));
}

#[test]
fn the_last_thing_is_taken_back_first_and_what_cannot_be_says_so() {
    let mut model = full(80, 24);
    done(&mut model, "book 1 was borrowed by Ann", Some(Request::Return(lend("1"))));
    done(&mut model, "Ann looks after incident 3", None);
    done(&mut model, "book 2 was returned by Ann", Some(Request::Borrow(lend("2"))));
    assert_eq!(press(&mut model, "u"), [Effect::TakeBack(Request::Borrow(lend("2")))]);
    assert_eq!(press(&mut model, "u"), [], "nothing older instead");
    assert!(screen(&model).contains("✗ this cannot be taken back: Ann looks after incident 3"));
    assert_eq!(press(&mut model, "u"), [Effect::TakeBack(Request::Return(lend("1")))]);
    assert_eq!(press(&mut model, "u"), []);
    let request = Request::Return(lend("1"));
    act(&mut model, Action::TakenBack { request, outcome: Err(refused("the library is away")) });
    assert_eq!(
        press(&mut model, "u"),
        [Effect::TakeBack(Request::Return(lend("1")))],
        "it can be tried again"
    );
}

#[test]
fn as_much_as_anybody_remembers_can_be_taken_back() {
    let mut model = full(80, 24);
    for _ in 0..2 * UNDO_MAX {
        done(&mut model, "again", Some(Request::Return(lend("1"))));
    }
    assert_eq!(model.undo.len(), UNDO_MAX);
}

#[test]
fn the_answer_to_another_request_leaves_a_form_as_it_is() {
    let mut model = full(80, 24);
    press(&mut model, "5bAnn<enter>");
    let first = model.requests;
    press(&mut model, "<esc>aDune<tab>Herbert<enter>");
    let late = Answer { number: Some(first), outcome: Err(refused("no copy is in")) };
    act(&mut model, Action::Answered(Box::new(late)));
    done(&mut model, "the maintenance of A is ended", None);
    act(&mut model, Action::Exported(Ok("7 records were written".to_owned())));
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("the form closed") };
    assert_eq!((form.error.as_deref(), form.sending), (None, Some(model.requests)));
    press(&mut model, "x");
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("the form closed") };
    assert_eq!(form.value("author"), "Herbert", "what is on its way is not changed");
    answer(&mut model, Ok("Dune was added as book 5"));
    assert!(model.overlay.is_none());
}

#[test]
fn what_a_form_was_told_is_kept_after_it_was_closed() {
    let mut model = full(80, 24);
    press(&mut model, "5bAnn<enter>");
    answer(&mut model, Err(refused("no copy is in")));
    press(&mut model, "<esc>");
    assert!(!screen(&model).contains("no copy is in"));
    press(&mut model, "T");
    assert!(screen(&model).contains("no copy is in"), "{}", screen(&model));
}
