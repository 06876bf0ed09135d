//! What `run` tells a person at a terminal: where it listens, each board as it comes and goes, and what to do next.
//!
//! Live URLs hold secrets, so this goes to a terminal only, never to a log.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::screen::{Style, plain, print};
use crate::actors::directory::{Directory, Secrets};
use crate::config::Settings;
use crate::http::Addresses;
use crate::pure::view::{BoardState, BoardView};

/// How long nothing changes before the advice is given.
const QUIET: Duration = Duration::from_millis(700);
/// How long it may take until the first board is shown before the lack of one is remarked upon.
const FIRST_BOARD: Duration = Duration::from_secs(3);

/// Follows every advice.
const NEXT: &str = "In another terminal: microflo-bridge list. Ctrl-C stops the bridge.";

/// Tells until it is aborted, or until the terminal is gone.
pub(super) async fn announce(directory: Directory, addresses: Addresses, settings: Settings) {
    let style = Style::of_stdout();
    let mut changes = directory.watch();
    let mut teller = Teller::default();
    let mut advice_at = Some(Instant::now() + FIRST_BOARD);
    let mut advised = "";
    let mut said = print(&greeting(&addresses, &settings, style));
    while said.is_ok() {
        let boards = changes.borrow_and_update().clone();
        let news = teller.news(&boards);
        for &board in &news {
            let secrets = directory.secrets(board.id).await.ok();
            said = said.and_then(|()| print(&tell(board, &addresses, secrets.as_ref(), style)));
        }
        if !news.is_empty() {
            advice_at = Some(Instant::now() + QUIET);
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = sleep_until(advice_at.unwrap_or_else(Instant::now)), if advice_at.is_some() => {
                advice_at = None;
                let advice = advice(&boards);
                if advice != advised {
                    said = said.and_then(|()| print(&format!("{}\n{NEXT}\n\n", style.bold(advice))));
                    advised = advice;
                }
            }
        }
    }
}

/// Knows what was told already.
#[derive(Debug, Default)]
struct Teller {
    told: HashMap<Uuid, (BoardState, String, String)>,
}

impl Teller {
    /// The boards of which there is something new to tell.
    fn news<'a>(&mut self, boards: &'a [BoardView]) -> Vec<&'a BoardView> {
        let on_the_way = [BoardState::Opening, BoardState::Booting, BoardState::Handshaking];
        let settled = boards.iter().filter(|board| !on_the_way.contains(&board.state));
        settled.filter(|board| self.is_news(board)).collect()
    }

    fn is_news(&mut self, board: &BoardView) -> bool {
        if board.state == BoardState::Gone {
            // What was never told of need not be missed.
            return self.told.remove(&board.id).is_some();
        }
        let now = (board.state, board.label.clone(), board.reason.clone());
        self.told.insert(board.id, now.clone()) != Some(now)
    }
}

fn greeting(addresses: &Addresses, settings: &Settings, style: Style) -> String {
    let scheme = if addresses.is_secure() { "https" } else { "http" };
    let listening = addresses.listening().iter().map(|address| format!("{scheme}://{address}")).collect::<Vec<_>>();
    format!(
        "{}\n  {}  {}\n  {}    {}\n\n",
        style.bold(concat!("microflo-bridge ", env!("CARGO_PKG_VERSION"))),
        style.dim("listens on"),
        listening.join(", "),
        style.dim("state in"),
        settings.state_dir.display(),
    )
}

fn tell(board: &BoardView, addresses: &Addresses, secrets: Option<&Secrets>, style: Style) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_board(&mut text, board, addresses, secrets, style);
    text
}

fn write_board(
    out: &mut String,
    board: &BoardView,
    addresses: &Addresses,
    secrets: Option<&Secrets>,
    style: Style,
) -> std::fmt::Result {
    let label = style.bold(&plain(&board.label));
    let at = board.port.device().map(|path| format!(" at {}", plain(&path.to_string_lossy()))).unwrap_or_default();
    match board.state {
        BoardState::Ready => {
            writeln!(out, "{} {label} is {}{at}", style.green("●"), style.green("ready"))?;
            if let Some(secrets) = secrets {
                writeln!(out, "  {}     {}", style.dim("open"), addresses.live(board.id, secrets.full.expose()))?;
            }
            writeln!(out, "  {}  {}", style.dim("address"), addresses.board(board.id))?;
        }
        BoardState::Gone => writeln!(out, "{} {label} is gone", style.dim("○"))?,
        state => {
            writeln!(out, "{} {label} is {}{at}", style.yellow("●"), style.yellow(state.name()))?;
            writeln!(out, "  {}", plain(&board.reason))?;
        }
    }
    for warning in &board.warnings {
        writeln!(out, "  {}: {}", style.yellow("warning"), plain(warning))?;
    }
    writeln!(out)
}

/// What to do next.
fn advice(boards: &[BoardView]) -> &'static str {
    if boards.iter().any(|board| board.state == BoardState::Ready) {
        "Open a link in a browser to program that board live."
    } else if boards.iter().any(|board| board.state != BoardState::Gone) {
        "A board needs something from you: see above."
    } else {
        "No board yet: plug one in. To try it without one: microflo-bridge run --simulate 2"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tests::bench::{BOARD, IDE, SECRET, board};

    #[test]
    fn a_board_is_told_when_it_has_settled_and_when_it_goes() {
        let mut teller = Teller::default();
        let mut told = |state| teller.news(&[board(BOARD, "Blink", state)]).len();
        assert_eq!(told(BoardState::Handshaking), 0);
        assert_eq!(told(BoardState::Ready), 1);
        assert_eq!(told(BoardState::Ready), 0, "nothing new");
        assert_eq!(told(BoardState::Gone), 1);
        assert_eq!(told(BoardState::Gone), 0);
        assert_eq!(told(BoardState::Ready), 1, "back again");
    }

    #[test]
    fn a_ready_board_is_told_with_its_link() {
        let addresses = Addresses::new(vec!["127.0.0.1:3569".parse().unwrap()], None, IDE.parse().unwrap());
        use crate::pure::secret::Secret;
        let secrets = Secrets { full: Secret::new(SECRET), read: Secret::new("l00k") };
        let view = board(BOARD, "Blink", BoardState::Ready);
        let text = tell(&view, &addresses, Some(&secrets), Style::default());
        assert!(text.starts_with("● Blink is ready\n  open     https://ide.example/#runtime/endpoint?"), "{text}");
        let view = board(BOARD, "CH340", BoardState::NotAllowed);
        assert_eq!(tell(&view, &addresses, None, Style::default()), "● CH340 is not-allowed\n  because\n\n");
    }
}
