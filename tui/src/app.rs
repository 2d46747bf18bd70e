//! The runtime: the one place that knows the clock, the terminal and the network.

use crate::action::{Action, Effect, Mouse};
use crate::cli::{Cli, Command};
use crate::config::{self, Config};
use crate::feed::{ACTIONS_MAX, Clients, Feeds, recent_path};
use crate::keys::{Keymap, Place};
use crate::local::Daemons;
use crate::model::Model;
use crate::pace::Pace;
use crate::terminal::{Terminal, job};
use crate::theme::ThemeName;
use crate::update::update;
use crate::{once, output, stream};
use chrono::Utc;
use clap::{CommandFactory as _, Parser as _};
use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::StreamExt;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

/// How often what shows its age is drawn anew.
const TICK: Duration = Duration::from_secs(1);

/// How long a job that is continued in the background waits for the signal with
/// which it was continued, before it stops again.
const CONTINUED_FOR: Duration = Duration::from_millis(250);

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let failed = match &cli.command {
        // These end as grep does: 1 is said where nothing was found.
        Some(Command::Tail(_) | Command::Search(_)) => ExitCode::from(stream::FAILED),
        _ => ExitCode::FAILURE,
    };
    run(cli).unwrap_or_else(|error| {
        output::say(error);
        failed
    })
}

fn run(cli: Cli) -> io::Result<ExitCode> {
    // By hand, for clap would refuse the flags that hold before a subcommand too.
    if cli.command.is_some() && (cli.once || cli.local || cli.mouse || cli.theme.is_some()) {
        return Err(io::Error::other("--once, --local, --theme and --mouse do not go with a subcommand"));
    }
    match cli.command {
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "distlog-tui", &mut script);
            output::print(script)?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            output::print(page)?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let config = config::load(cli.config).map_err(io::Error::other)?;
    let config = Config { endpoints: cli.endpoints.over(config.endpoints), ..config };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &cli.command {
        Some(Command::Keys) => return list(&config.keymap),
        Some(Command::Tail(args)) => return runtime.block_on(stream::tail(&config.endpoints, args)),
        Some(Command::Search(args)) => return runtime.block_on(stream::search(&config.endpoints, args)),
        _ => {}
    }
    if cli.once {
        return runtime.block_on(once::run(&config.endpoints, cli.format));
    }
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(io::Error::other("the console needs a terminal; --once prints a snapshot without one"));
    }
    if matches!(std::env::var("TERM").as_deref(), Ok("dumb" | "")) {
        return Err(io::Error::other("this terminal cannot place text (TERM); --once prints a snapshot"));
    }
    // What is said now goes before what the environment always says, and that
    // before the file.
    let no_colour = config::is_set("NO_COLOR");
    let theme = cli.theme.or_else(|| no_colour.then_some(ThemeName::Monochrome)).or(config.theme);
    let mouse = cli.mouse || config.mouse;
    let config = Config { theme, mouse, ..config };
    runtime.block_on(show(config, cli.local))?;
    Ok(ExitCode::SUCCESS)
}

/// Lists every command with its name, its keys and what it does.
fn list(keymap: &Keymap) -> io::Result<ExitCode> {
    let mut rows = String::new();
    for binding in Place::ALL.into_iter().flat_map(|place| keymap.rows(place)) {
        let _ = writeln!(rows, "{:<26} {:<14} {}", binding.name(), binding.shown(), binding.help);
    }
    output::print(rows)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the console until it is left; then stops the daemons of `--local`.
async fn show(config: Config, local: bool) -> io::Result<()> {
    // Before the terminal is taken over: whoever ends the program from then on
    // gets it back as it was.
    let mut signals = Signals::listen()?;
    if !foreground(&mut signals).await? {
        return Ok(());
    }
    let mut terminal = Terminal::enter()?;
    let theme = config.theme.unwrap_or_default().theme();
    let mut model = Model::new(config.endpoints, theme, terminal.size()?);
    model.keymap = config.keymap;
    model.mouse = config.mouse;
    model.operator = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    // Before anything that takes time, such as setting up TLS.
    terminal.draw(&model, Utc::now())?;
    if model.mouse {
        terminal.listen_to_mouse(true)?;
    }
    let clients = Clients::new(&model.endpoints)?;
    let (actions, mut inbox) = mpsc::channel(ACTIONS_MAX);
    let daemons =
        local.then(|| Daemons::start(model.endpoints.clone(), clients.registry.clone(), actions.clone()));
    let kept = || recent_path(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"));
    let feeds = Feeds::start(clients, config.remember.unwrap_or(true).then(kept).flatten(), actions);
    let shown = handle(&mut terminal, &mut model, feeds, daemons.as_ref(), &mut inbox, signals).await;
    // The terminal is given back first: stopping the daemons may take a while.
    drop(terminal);
    if let Some(daemons) = daemons.filter(Daemons::stop) {
        output::say("stopping the local daemons …");
        // It may be waiting to tell something that nobody hears any more.
        inbox.close();
        daemons.stopped().await;
    }
    shown
}

/// Turns what happens into actions, and what the update wants into deeds.
async fn handle(
    terminal: &mut Terminal,
    model: &mut Model,
    mut feeds: Feeds,
    daemons: Option<&Daemons>,
    inbox: &mut mpsc::Receiver<Action>,
    mut signals: Signals,
) -> io::Result<()> {
    let mut events = EventStream::new();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pace = Pace::new(Instant::now());
    let panicked = terminal.panicked();
    loop {
        let action = tokio::select! {
            // The frame goes first: a flood of records must not hold it up. Whatever
            // part has panicked, nothing is drawn on a terminal that is given back.
            biased;
            () = panicked.cancelled() => return Err(io::Error::other("a defect of the console ended it")),
            () = sleep_until(pace.next()), if model.changed => {
                model.seen = terminal.draw(model, Utc::now())?;
                model.changed = false;
                pace.drawn(Instant::now());
                continue;
            }
            event = events.next() => match event {
                Some(Ok(event)) => {
                    pace.hurry();
                    from_event(event, terminal)
                }
                Some(Err(error)) => return Err(error),
                None => return Err(io::Error::other("the terminal is gone")),
            },
            asked = signals.recv() => Some(asked),
            _ = tick.tick(), if model.is_ageing() || model.is_sliding() => Some(Action::Tick),
            () = feeds.ended() => None,
            action = inbox.recv() => action,
        };
        let Some(action) = action else { continue };
        for effect in update(model, action, Utc::now()) {
            match effect {
                Effect::Quit => return Ok(()),
                Effect::Redraw => terminal.clear()?,
                Effect::Copy(text) => terminal.copy(&text)?,
                Effect::Mouse(on) => terminal.listen_to_mouse(on)?,
                Effect::Suspend => {
                    // Its thread would read the keys that are meant for the shell.
                    drop(events);
                    terminal.release();
                    job::stop()?;
                    if !foreground(&mut signals).await? {
                        return Ok(());
                    }
                    terminal.resume()?;
                    events = EventStream::new();
                    model.size = terminal.size()?;
                }
                effect => {
                    if let (Effect::Retry, Some(daemons)) = (&effect, daemons) {
                        daemons.again();
                    }
                    feeds.act(effect);
                }
            }
        }
        feeds.show(model.tab);
    }
}

/// Waits, stopped, until the shell puts the job in the foreground. False where a
/// signal ends the program first: `kill %1` sends SIGTERM and continues the job in
/// the background, where setting up the terminal would stop it again.
async fn foreground(signals: &mut Signals) -> io::Result<bool> {
    while !job::is_foreground() {
        if timeout(CONTINUED_FOR, signals.ended()).await.is_ok() {
            return Ok(false);
        }
        job::stop()?;
    }
    Ok(true)
}

/// The signals that end the program, and the one that stops it.
struct Signals {
    end: [Signal; 4],
    stop: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let kinds =
            [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit()];
        let [terminate, hang_up, interrupt, quit] = kinds.map(signal);
        let stop = signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?;
        Ok(Self { end: [terminate?, hang_up?, interrupt?, quit?], stop })
    }

    /// Waits for the first that ends the program.
    async fn ended(&mut self) {
        let [terminate, hang_up, interrupt, quit] = &mut self.end;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = interrupt.recv() => {}
            _ = quit.recv() => {}
        }
    }

    /// Waits for the first of them.
    async fn recv(&mut self) -> Action {
        let Self { end: [terminate, hang_up, interrupt, quit], stop } = self;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = interrupt.recv() => {}
            _ = quit.recv() => {}
            _ = stop.recv() => return Action::Suspend,
        }
        Action::Terminate
    }
}

fn from_event(event: Event, terminal: &Terminal) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Action::Key(key.into())),
        Event::Paste(text) => Some(Action::Paste(text)),
        Event::Resize(columns, lines) => Some(Action::Resize(columns, lines)),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => Some(Action::Mouse(Mouse::WheelUp)),
            MouseEventKind::ScrollDown => Some(Action::Mouse(Mouse::WheelDown)),
            MouseEventKind::Down(MouseButton::Left) => {
                terminal.target(mouse.column, mouse.row).map(|target| Action::Mouse(Mouse::Click(target)))
            }
            _ => None,
        },
        _ => None,
    }
}
