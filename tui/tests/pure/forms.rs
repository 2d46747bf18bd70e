//! Forms: what is offered, what is refused, and where that is said.

use crate::fixture::{answer, full, press, screen};
use distlog_tui::action::Failure;
use distlog_tui::model::{Model, Overlay};

fn value(model: &Model, name: &str) -> String {
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("no form") };
    form.value(name).to_owned()
}

#[test]
fn a_field_that_may_be_one_of_a_few_is_chosen_with_the_arrows() {
    let mut model = full(80, 24);
    press(&mut model, "2m");
    assert!(screen(&model).contains("← → choose"), "{}", screen(&model));
    for (key, wanted) in [("<right>", "drain"), ("<right>", "maintenance"), ("<left>", "drain")] {
        press(&mut model, key);
        assert_eq!(value(&model, "mode"), wanted, "{key}");
    }
    press(&mut model, "<tab>now<left><left>X");
    assert_eq!(value(&model, "reason"), "nXow", "elsewhere they move the cursor");
    press(&mut model, "<esc>3s<up><right>");
    assert_eq!(value(&model, "level"), "warn");
}

#[test]
fn a_long_refusal_is_read_in_full_at_its_field_without_the_name_on_the_wire() {
    let mut model = full(80, 24);
    press(&mut model, "2rBilling<tab>http://localhost:1<enter>");
    let message = "serviceName: has a control character or one that is not shown, \
                   or is longer than the 255 bytes that it may have at most";
    answer(
        &mut model,
        Err(Failure {
            message: message.to_owned(),
            status: Some(422),
            field: Some("serviceName".to_owned()),
            position: None,
        }),
    );
    let shown = screen(&model);
    assert!(shown.contains("✗ has a control character") && shown.contains("may have at most"), "{shown}");
    assert!(!shown.contains("serviceName"), "{shown}");
}

#[test]
fn a_service_that_the_monitor_does_not_know_is_refused_at_its_field() {
    let mut model = full(80, 24);
    press(&mut model, "2M<enter>");
    let message = "the monitor knows no service 'x'".to_owned();
    answer(&mut model, Err(Failure { message, status: Some(404), ..Failure::default() }));
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("no form") };
    assert_eq!((form.focus, form.fields[0].error.is_some(), form.error.is_some()), (0, true, false));
}

#[test]
fn a_form_says_what_it_is_about() {
    let mut model = full(80, 24);
    press(&mut model, "4a");
    assert!(screen(&model).contains("Acknowledge incident 3 of LogService"), "{}", screen(&model));
}

#[test]
fn what_is_asked_one_by_one_does_not_go_round() {
    let mut model = full(80, 24);
    press(&mut model, ":add a book<enter>");
    press(&mut model, "<backtab>Dune<tab>Herbert<tab>1<tab><tab><tab>");
    assert!(screen(&model).contains("Add a book: 4 of 4"), "{}", screen(&model));
}
