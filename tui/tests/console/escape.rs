//! What reaches the terminal, escape by escape, as an emulator understands it.

use crate::daemons::{Fleet, console};
use crate::live::signal;
use crate::terminal::Console;

/// Only a shell that waits for a command reads what is typed.
fn waits(screen: &str) -> bool {
    screen.trim_end().ends_with("prompt>")
}

#[test]
fn without_colour_the_selection_is_still_seen() {
    let fleet = Fleet::started();
    let mut console = Console::start_in(&fleet, &[], &[("NO_COLOR", "1")]);
    console.sees(&["LibraryService", "● healthy"]);
    assert!(!console.is_coloured());
    console.selects(0..1, "1 Overview");
    console.press("2");
    console.sees(&["Services: 6 instances"]);
    console.selects(2..23, "LibraryService");
    assert!(!console.is_coloured());
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let fleet = Fleet::new();
    std::fs::write(fleet.dir().join("distlog.toml"), "[console]\ntheme = \"truecolor\"\n").unwrap();
    for (flags, environment, coloured) in [
        (&[][..], &[][..], true),
        (&[], &[("NO_COLOR", "1")], false),
        (&["--theme", "colour-blind"], &[("NO_COLOR", "1")], true),
        (&["--theme", "monochrome"], &[], false),
    ] {
        let console = Console::start_in(&fleet, flags, environment);
        console.sees(&["Waiting for the registry"]);
        assert_eq!(console.is_coloured(), coloured, "{flags:?} {environment:?}");
    }
}

#[test]
fn what_is_copied_is_given_to_the_terminal_and_inside_tmux_to_the_one_around_it() {
    let fleet = Fleet::new();
    for (environment, wanted) in [
        (&[][..], "\x1b]52;c;"),
        (&[("TMUX", "/tmp/tmux,1,0")], "\x1bPtmux;\x1b\x1b]52;c;"),
        (&[("STY", "1.pts")], "\x1bP\x1b]52;c;"),
    ] {
        let mut console = Console::start_in(&fleet, &[], environment);
        console.sees(&["Waiting for the registry"]);
        console.press("3Y");
        console.sees(&["✓ the curl command was copied"]);
        console.writes(wanted.as_bytes());
    }
}

#[test]
fn the_mouse_is_the_terminals_until_it_is_asked_for() {
    let fleet = Fleet::started();
    let mut console = Console::start(&fleet, &[]);
    console.sees(&["LibraryService"]);
    // It is where the terminal says so, in the sequence of SGR 1006.
    console.press(":listen mouse\r");
    console.sees(&["the wheel scrolls"]);
    console.writes(b"\x1b[?1000h\x1b[?1006h");
    console.press("\x1b[<0;26;1M\x1b[<0;26;1m");
    console.sees(&["Services: 6 instances"]);
    console.press("\x1b[<0;5;7M\x1b[<0;5;7m");
    console.selects(6..7, "Service");
    console.press("q");
    assert_eq!(console.left(), 0);
}

#[test]
fn it_follows_the_size_of_its_terminal_however_small() {
    let fleet = Fleet::new();
    let mut console = Console::start(&fleet, &[]);
    console.sees(&["Waiting for the registry"]);
    console.resize(30, 8);
    console.sees(&["distlog needs 40x10", "30x8"]);
    console.resize(1, 1);
    console.resize(300, 80);
    console.sees(&["Waiting for the registry", "retry"]);
    console.press("q");
    assert_eq!(console.left(), 0);
}

/// A shell in which the console was started.
fn shell_with_console(fleet: &Fleet, flag: &str) -> Console {
    let mut shell = Console::shell(fleet);
    shell.sees(&["prompt>"]);
    shell.press(&format!("{} {flag} {}\r", console().display(), fleet.flags().join(" ")));
    shell
}

#[test]
fn stopped_and_continued_it_gives_the_terminal_back_and_takes_it_again() {
    let fleet = Fleet::new();
    let mut shell = shell_with_console(&fleet, "");
    shell.sees(&["Waiting for the registry"]);
    shell.press("\x1a");
    shell.until("to see it stopped", |screen| screen.contains("Stopped") && waits(screen));
    shell.is_as_found();
    shell.press("fg\r");
    shell.sees(&["Waiting for the registry"]);
    shell.press("3");
    shell.sees(&["▶ following"]);
    shell.press("q");
    shell.until("to see it ended", |screen| screen.contains("Stopped") && waits(screen));
    shell.is_as_found();
    shell.press("exit\r");
    assert_eq!(shell.left(), 0);
}

/// What bash's `kill %1` sends to a stopped job.
const KILL: &str = "kill -TERM %1; kill -CONT %1\r";

#[test]
fn killed_while_it_is_stopped_it_ends_and_leaves_the_terminal_to_the_shell() {
    let fleet = Fleet::new();
    for continued in [false, true] {
        let mut shell = shell_with_console(&fleet, "");
        shell.sees(&["Waiting for the registry"]);
        shell.press("\x1a");
        shell.until("to see it stopped", |screen| screen.contains("Stopped") && waits(screen));
        if continued {
            // In the background it stops again.
            shell.press("bg; printf '\\033[2J\\033[H'\r");
            shell.insist("jobs\r", "Stopped");
        }
        shell.press(KILL);
        shell.insist("\r", "Done");
        shell.until("to wait for a command", waits);
        shell.is_as_found();
        shell.press("exit\r");
        assert_eq!(shell.left(), 0);
    }
}

#[test]
fn started_in_the_background_it_stops_and_can_be_killed() {
    let fleet = Fleet::new();
    let mut shell = Console::shell(&fleet);
    shell.sees(&["prompt>"]);
    shell.press(&format!("{} {} &\r", console().display(), fleet.flags().join(" ")));
    shell.insist("jobs\r", "Stopped");
    shell.press(KILL);
    shell.insist("\r", "Done");
    shell.until("to wait for a command", waits);
    shell.is_as_found();
    shell.press("exit\r");
    assert_eq!(shell.left(), 0);
}

#[test]
fn asked_from_outside_to_stop_it_gives_the_terminal_back_and_takes_it_again() {
    let fleet = Fleet::new();
    let mut shell = shell_with_console(&fleet, "--mouse");
    for turn in 1..=2 {
        shell.sees(&["Waiting for the registry"]);
        shell.writes(b"\x1b[?1000h");
        signal("TSTP", shell.foreground());
        let stopped = |screen: &str| screen.matches("Stopped").count() == turn;
        shell.until("to see it stopped", |screen| stopped(screen) && waits(screen));
        shell.is_as_found();
        shell.press("fg\r");
    }
    shell.sees(&["Waiting for the registry"]);
    shell.press("q");
    shell.until("to see it ended", waits);
    shell.is_as_found();
    shell.press("exit\r");
    assert_eq!(shell.left(), 0);
}

#[test]
fn what_it_was_started_from_stops_with_it() {
    let fleet = Fleet::new();
    let script = fleet.dir().join("script");
    let command = format!("{} {}\ntrue\n", console().display(), fleet.flags().join(" "));
    std::fs::write(&script, command).unwrap();
    let mut shell = Console::shell(&fleet);
    shell.sees(&["prompt>"]);
    shell.press("sh ./script\r");
    shell.sees(&["Waiting for the registry"]);
    shell.press("\x1a");
    shell.until("to see it stopped", |screen| screen.contains("Stopped") && waits(screen));
    shell.is_as_found();
    shell.press("fg\r");
    shell.sees(&["Waiting for the registry"]);
    shell.press("q");
    shell.until("to see it ended", waits);
    shell.press("exit\r");
    assert_eq!(shell.left(), 0);
}

#[test]
fn mouse_and_paste_are_given_back_however_it_ends() {
    let fleet = Fleet::new();
    for name in ["TERM", "HUP"] {
        let console = Console::start(&fleet, &["--mouse"]);
        console.sees(&["Waiting for the registry"]);
        console.writes(b"\x1b[?1000h");
        signal(name, console.id());
        assert_eq!(console.left(), 0, "{name}");
    }
}
