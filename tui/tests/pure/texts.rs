//! Texts that are longer than their place: the help, the graph, the details.

use crate::fixture::{act, full, press, registry, screen, see};
use distlog_tui::action::Action;
use distlog_tui::model::Overlay;

#[test]
fn the_help_goes_to_its_ends_and_no_further() {
    for (columns, lines) in [(80, 24), (200, 50), (160, 24)] {
        let mut model = full(columns, lines);
        press(&mut model, "?");
        see(&mut model);
        press(&mut model, "G");
        assert!(screen(&model).contains("All times are UTC"), "{}", screen(&model));
        press(&mut model, "<down><down><up>");
        let before = screen(&model);
        press(&mut model, "<up>");
        if lines == 24 {
            assert_ne!(screen(&model), before, "it had not gone beyond its end");
        }
        press(&mut model, "g");
        assert!(screen(&model).contains("│ Overview"), "{}", screen(&model));
    }
}

#[test]
fn the_help_cuts_no_sentence() {
    for columns in [60, 80, 110, 200] {
        let mut model = full(columns, 60);
        press(&mut model, "3?");
        let shown = screen(&model);
        assert!(shown.contains("noise"), "{shown}");
        assert!(shown.lines().last().unwrap().contains("/ find"), "{shown}");
    }
}

#[test]
fn the_help_is_narrowed_as_one_types() {
    let mut model = full(80, 24);
    press(&mut model, "?/dereg");
    let shown = screen(&model);
    assert!(shown.contains("Services") && shown.contains("Remove the instance"), "{shown}");
    assert!(!shown.contains("Show the log"), "{shown}");
    press(&mut model, "<enter>");
    assert!(screen(&model).contains("(Esc shows all)"));
    press(&mut model, "<esc>");
    assert!(screen(&model).contains("Show the log"), "{}", screen(&model));
    press(&mut model, "/zzz");
    assert!(screen(&model).contains("no key and no command is like that"));
    press(&mut model, "<esc><esc>");
    assert!(model.overlay.is_none());
}

#[test]
fn the_key_that_opens_a_text_closes_it() {
    for keys in ["??", "TT", "1dd", "4dd"] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        assert!(model.overlay.is_none(), "{keys}");
    }
    let mut model = full(80, 24);
    press(&mut model, "?T");
    assert!(matches!(model.overlay, Some(Overlay::Messages(_))), "one leads to another");
}

#[test]
fn who_depends_on_whom_is_seen_on_the_smallest_screen_too() {
    let mut model = full(80, 24);
    assert!(!screen(&model).contains("root of incident"));
    press(&mut model, "d");
    let shown = screen(&model);
    assert!(shown.contains("✗ LogService unhealthy ◀ root of incident 3"), "{shown}");
    assert!(shown.contains("└─ ● WebService"), "{shown}");
    let mut model = full(60, 10);
    press(&mut model, "d");
    see(&mut model);
    press(&mut model, "G");
    assert!(screen(&model).contains("图书馆服务 maintenance"), "{}", screen(&model));
}

#[test]
fn a_detail_goes_to_its_end_and_comes_back_from_there() {
    let mut model = full(80, 24);
    press(&mut model, "2<enter>");
    act(&mut model, crate::fixture::study("LibraryService"));
    see(&mut model);
    let top = screen(&model);
    press(&mut model, "<pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn>");
    let end = screen(&model);
    press(&mut model, "<up>");
    assert_ne!(screen(&model), end, "one press leads up from the end");
    press(&mut model, "g");
    assert_eq!(screen(&model), top);
    press(&mut model, "G");
    assert_eq!(screen(&model), end);
}

#[test]
fn a_screenful_is_what_the_screen_holds() {
    let mut model = full(80, 24);
    let Action::Registry { registrations, .. } = registry() else { unreachable!() };
    let one = |n: u32| {
        let mut it = registrations[0].clone();
        it.instance_id = format!("i-{n:02}");
        it
    };
    act(&mut model, Action::Registry { revision: 18, registrations: (0..60).map(one).collect() });
    press(&mut model, "2");
    see(&mut model);
    press(&mut model, "<pgdn>");
    assert_eq!(model.services.selected.key().map(|(_, id)| id.as_str()), Some("i-18"), "{}", screen(&model));
}
