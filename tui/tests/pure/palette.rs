//! The palette: what is typed finds what is meant.

use crate::fixture::{act, full, press, registry, screen};
use distlog_tui::action::{Action, Mouse, Target};
use distlog_tui::keys::Place;
use distlog_tui::model::{Tab, commands};

#[test]
fn a_word_finds_the_command_that_bears_it() {
    for (keys, typed, first) in [
        ("2", "theme", "anywhere.theme"),
        ("2", "undo", "anywhere.undo"),
        ("2", "services", "anywhere.services"),
        ("2", "log", "anywhere.log"),
        ("2", "level", "log.level"),
        ("2", "sort", "services.sort"),
        ("1", "sort", "services.sort"),
        ("2", "reg", "services.register"),
        ("2", "dereg", "services.deregister"),
        ("2", "maint", "services.maintenance"),
        ("5", "returned", "library.returned"),
        ("5", "lend", "library.borrow"),
        ("3", "log.level-down", "log.level-down"),
        ("3", "filter", "log.filter"),
        ("3", "next error", "log.next-error"),
        ("3", "mouse", "anywhere.mouse"),
        ("3", "quit", "anywhere.quit"),
        ("3", "help", "anywhere.help"),
    ] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        let found = commands(&model, typed);
        assert_eq!(found.first().map(|binding| binding.name()).as_deref(), Some(first), "{typed}");
    }
}

#[test]
fn what_acts_upon_others_is_not_found_by_strewn_letters() {
    let mut model = full(80, 24);
    press(&mut model, "2");
    for typed in ["gstr", "mtn", "rmv"] {
        assert!(commands(&model, typed).iter().all(|binding| !binding.command.acts()), "{typed}");
    }
}

#[test]
fn the_palette_tells_the_name_by_which_a_command_is_remapped() {
    let mut model = full(80, 24);
    press(&mut model, "3:level");
    assert!(screen(&model).contains("log.level: Raise the least level"), "{}", screen(&model));
    let mut model = full(140, 40);
    press(&mut model, "3:level");
    assert!(screen(&model).contains("log.level-down "), "{}", screen(&model));
}

#[test]
fn a_command_is_not_done_to_another_than_what_is_selected() {
    let mut model = full(80, 24);
    let Action::Registry { revision, mut registrations } = registry() else { unreachable!() };
    registrations.retain(|registration| registration.service_name != "LogService");
    act(&mut model, Action::Registry { revision: revision + 1, registrations });
    // Selected is the worst: a service whose last instance has gone.
    for command in ["services.deregister", "services.maintenance"] {
        assert_eq!(press(&mut model, &format!("1g:{command}<enter>")), [], "{command}");
        assert!(model.overlay.is_none(), "{command}: {}", screen(&model));
        assert!(screen(&model).contains("there is no instance of LogService"), "{}", screen(&model));
    }
}

#[test]
fn of_several_instances_one_is_selected_first() {
    let mut model = full(80, 24);
    let Action::Registry { revision, mut registrations } = registry() else { unreachable!() };
    let mut second = registrations[0].clone();
    second.instance_id = "LogService-2".to_owned();
    registrations.push(second);
    act(&mut model, Action::Registry { revision: revision + 1, registrations });
    press(&mut model, "1g:services.deregister<enter>");
    assert!(model.overlay.is_none(), "{}", screen(&model));
    assert!(screen(&model).contains("LogService has 2 instances: select one, then d"), "{}", screen(&model));
}

#[test]
fn a_line_of_input_that_was_left_open_on_another_tab_has_no_commands_here() {
    for (keys, tab) in [("3F", Tab::Services), ("2/", Tab::Log), ("5/", Tab::Log)] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        act(&mut model, Action::Mouse(Mouse::Click(Target::Tab(tab))));
        let found = commands(&model, "");
        assert!(found.iter().all(|it| !matches!(it.place, Place::Prompt | Place::Find)), "{keys}");
        assert!(found.iter().any(|it| it.place == Place::Anywhere), "{keys}");
    }
}
