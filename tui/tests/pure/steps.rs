//! One step after another: back to where one was, and a word where a key can do
//! nothing.

use crate::fixture::{act, fresh, full, press, registry, screen};
use distlog_tui::action::{Action, Effect, Mouse, Target};
use distlog_tui::keys::{Keymap, Keys};
use distlog_tui::model::{Overlay, Tab};
use shared::client::Part;
use std::collections::BTreeMap;

#[test]
fn esc_leads_back_to_the_tab_where_something_was_opened() {
    for (keys, tab) in [
        ("1<enter><esc>", Tab::Overview),
        ("1j<enter><esc>", Tab::Overview),
        ("2<enter><esc>", Tab::Services),
        ("1<enter>2<esc>", Tab::Services),
        ("1i<esc>", Tab::Overview),
        ("2i<enter><esc>", Tab::Incidents),
        ("2i<enter><esc><esc>", Tab::Services),
        ("2i4<esc>", Tab::Incidents),
        ("1l<esc>", Tab::Overview),
        ("4l<esc>", Tab::Incidents),
        ("1:register<enter><esc><esc>", Tab::Overview),
        ("1:dereg<enter>n<esc>", Tab::Overview),
    ] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        assert_eq!((model.tab, model.overlay.is_none()), (tab, true), "{keys}");
    }
}

#[test]
fn the_palette_acts_upon_what_is_selected_where_it_was_opened() {
    let mut model = full(80, 24);
    assert_eq!(model.subject(), Some("LogService"));
    press(&mut model, ":dereg<enter>");
    assert!(screen(&model).contains("Deregister LogService-localhost-4000?"), "{}", screen(&model));
}

#[test]
fn a_key_that_has_nothing_to_act_upon_says_why() {
    for keys in ["1l", "1i", "1<enter>", "2d", "2m", "2M", "2l", "2i", "2<enter>"] {
        let mut model = fresh(80, 24);
        press(&mut model, keys);
        assert!(screen(&model).contains("✗ the registry has not answered yet"), "{keys}\n{}", screen(&model));
        act(&mut model, Action::Registry { revision: 1, registrations: Vec::new() });
        press(&mut model, keys);
        assert!(screen(&model).contains("is selected here"), "{keys}\n{}", screen(&model));
        assert!(model.overlay.is_none());
    }
}

#[test]
fn a_key_without_a_meaning_here_says_where_it_has_one() {
    for (keys, said) in [
        ("3+", "+ works in \"Record detail\": Show only records"),
        ("2Q", "Q does nothing here: ? lists the keys"),
        ("5QQ", "Q does nothing here: ? lists the keys"),
    ] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        let shown = screen(&model);
        assert!(shown.contains(said), "{keys}\n{shown}");
        assert!(!shown.contains("+1 (T)"), "it is not said twice: {keys}\n{shown}");
    }
}

#[test]
fn an_instance_that_has_gone_is_not_mistaken_for_its_service() {
    let mut model = full(80, 24);
    press(&mut model, "2<enter>");
    let Action::Registry { registrations, .. } = registry() else { unreachable!() };
    let rest = registrations.into_iter().filter(|it| it.service_name != "LibraryService").collect();
    act(&mut model, Action::Registry { revision: 18, registrations: rest });
    for key in ["m", "d"] {
        press(&mut model, key);
        assert!(model.overlay.is_none(), "{key}");
        assert!(screen(&model).contains("is not registered any more"), "{key}");
    }
    press(&mut model, "M");
    assert!(matches!(model.overlay, Some(Overlay::Form(_))), "the service as a whole still can be");
}

#[test]
fn a_service_without_an_instance_says_so_when_it_is_opened() {
    let mut model = full(80, 24);
    act(&mut model, Action::Registry { revision: 18, registrations: Vec::new() });
    press(&mut model, "1<enter>");
    let said = "no instance of LogService is registered; i shows its incidents";
    assert!(screen(&model).contains(said), "{}", screen(&model));
}

#[test]
fn sentences_name_the_keys_that_are_in_force() {
    let keys: BTreeMap<String, Keys> = [
        ("services.register", "F2"),
        ("anywhere.services", "F3"),
        ("library.add", "F4"),
        ("library.borrow", "F5"),
        ("incidents.acknowledge", "F6"),
    ]
    .map(|(name, key)| (name.to_owned(), Keys::One(key.to_owned())))
    .into();
    let mut model = fresh(100, 40);
    model.keymap = Keymap::remapped(&keys).unwrap();
    act(&mut model, Action::Registry { revision: 1, registrations: Vec::new() });
    act(&mut model, Action::Library { books: Part::default(), loans: Part::default() });
    for (tab, said) in [
        (Tab::Overview, "no service is registered: F3 F2 registers one"),
        (Tab::Services, "no service is registered: F2 registers one"),
        (Tab::Library, "no book: F4 adds one"),
        (Tab::Library, "no copy is out: F5 lends one"),
    ] {
        model.tab = tab;
        assert!(screen(&model).contains(said), "{}", screen(&model));
    }
    act(&mut model, crate::fixture::monitor(1));
    model.tab = Tab::Incidents;
    assert!(screen(&model).contains("nobody has taken it up: F6 does"), "{}", screen(&model));
}

#[test]
fn a_click_on_what_is_selected_opens_it() {
    let mut model = full(80, 24);
    press(&mut model, "2j");
    act(&mut model, Action::Mouse(Mouse::Click(Target::Row(0))));
    assert_eq!(model.services.detail.as_ref().map(|(service, _)| service.as_str()), Some("LogService"));
    press(&mut model, ":show the library");
    act(&mut model, Action::Mouse(Mouse::Click(Target::Row(0))));
    assert_eq!((model.tab, model.overlay.is_none()), (Tab::Library, true));
}

#[test]
fn the_zone_of_all_times_is_told() {
    for (columns, lines) in [(40, 10), (80, 24), (200, 50)] {
        let shown = screen(&full(columns, lines));
        assert!(shown.lines().nth(1).unwrap().ends_with(" UTC"), "{shown}");
    }
}

#[test]
fn what_is_copied_of_the_log_is_the_log_whatever_lies_over_its_lines() {
    for keys in ["3", "3o", "3z"] {
        let mut model = full(80, 24);
        let effects = press(&mut model, &format!("{keys}Y"));
        let [Effect::Copy(curl)] = effects.as_slice() else { panic!("{effects:?}") };
        assert!(curl.contains("http://localhost:4000/log"), "{keys}: {curl}");
    }
}
