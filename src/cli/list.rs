//! `list`: the boards, as a table or as JSON; with `--watch` again and again.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::client::Client;
use super::screen::{Style, plain, print, print_json};
use crate::http::board_json::BoardJson;
use crate::pure::view::BoardState;

/// How often `--watch` looks.
const WATCH_PERIOD: Duration = Duration::from_millis(300);
/// The beginning of an id that is shown in the table, in characters: enough to name a board.
const SHORT_ID_CHARS: usize = 8;
const STATE_COLUMN: usize = 1;
const DEVICE_COLUMN: usize = 2;
/// What `/dev/ttyACM0` needs, with a space on either side.
const DEVICE_WIDTH: u16 = 14;
/// The column that narrow terminals do without.
const USB_COLUMN: usize = 3;
/// From how many columns on a terminal is wide.
const WIDE_COLUMNS: u16 = 110;
/// Clears a terminal.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// As a JSON array; with --watch one array a line
    #[arg(long)]
    json: bool,
    /// Show every change, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
    /// Gone boards too
    #[arg(short, long)]
    all: bool,
}

pub(super) async fn list(client: &Client, args: ListArgs) -> anyhow::Result<()> {
    if args.watch {
        return watch(client, args).await;
    }
    let boards = client.boards(args.all).await?;
    if args.json {
        return print_json(&boards);
    }
    print(&render(&boards, Style::of_stdout()))?;
    Ok(())
}

async fn watch(client: &Client, args: ListArgs) -> anyhow::Result<()> {
    let clear = if std::io::stdout().is_terminal() { CLEAR } else { "" };
    let mut shown = None;
    loop {
        let boards = client.boards(args.all).await?;
        if shown.as_ref() != Some(&boards) {
            let text = match args.json {
                true => format!("{}\n", serde_json::to_string(&boards)?),
                false => format!("{clear}{}", render(&boards, Style::of_stdout())),
            };
            print(&text)?;
            shown = Some(boards);
        }
        tokio::time::sleep(WATCH_PERIOD).await;
    }
}

/// The table, then what each board needs or offers: the reason why it is not ready, or its live URL.
fn render(boards: &[BoardJson], style: Style) -> String {
    if boards.is_empty() {
        return "No board. Plug one in, or start the bridge with --simulate 2 to try it without.\n".to_owned();
    }
    let mut text = format!("{}\n", table(boards, None).trim_fmt());
    for board in boards {
        let name = format!("{} {}", style.bold(&plain(&board.label)), style.dim(&short_id(board)));
        let state = board.state.name();
        text += &match (board.state, &board.live_url) {
            (BoardState::Ready, Some(live)) => format!("\n{name}\n  {}\n", plain(live)),
            (BoardState::Ready, None) => String::new(),
            _ => format!("\n{name}\n  {}: {}\n", style.yellow(state), plain(&board.reason)),
        };
        for warning in &board.warnings {
            text += &format!("  {}: {}\n", style.yellow("warning"), plain(warning));
        }
    }
    text
}

fn table(boards: &[BoardJson], width: Option<u16>) -> Table {
    let mut table = Table::new();
    if let Some(width) = width {
        table.set_width(width);
    }
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let wide = table.width().is_none_or(|width| width >= WIDE_COLUMNS);
    let row = |mut all: Vec<String>| {
        if !wide {
            all.remove(USB_COLUMN);
        }
        all
    };
    let names = ["BOARD", "STATE", "DEVICE", "USB", "FIRMWARE", "CLIENTS", "ID"];
    table.set_header(row(names.map(str::to_owned).to_vec()));
    for board in boards {
        let usb = board.usb.as_ref().map(|usb| usb.product.clone().unwrap_or(format!("{}:{}", usb.vid, usb.pid)));
        table.add_row(row(vec![
            plain(&board.label),
            board.state.name().to_owned(),
            plain(board.device.as_deref().unwrap_or("simulated")),
            plain(usb.as_deref().unwrap_or("-")),
            board.firmware.as_ref().map_or_else(|| "-".into(), |firmware| firmware.dialect.clone()),
            board.clients.to_string(),
            short_id(board),
        ]));
    }
    // Names wrap at spaces where the terminal is narrow; these would be cut within words.
    let last = table.column_count() - 1;
    for (column, constraint) in [
        (STATE_COLUMN, ColumnConstraint::ContentWidth),
        (DEVICE_COLUMN, ColumnConstraint::LowerBoundary(Width::Fixed(DEVICE_WIDTH))),
        (last, ColumnConstraint::ContentWidth),
    ] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(constraint);
        }
    }
    table
}

fn short_id(board: &BoardJson) -> String {
    board.id.to_string().chars().take(SHORT_ID_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::board;

    #[test]
    fn a_ready_board_shows_its_live_url_and_another_its_reason() {
        let mut ready = board(1, "Blink");
        ready.live_url = Some("https://ide.example/#runtime/endpoint?x".into());
        let mut waiting = board(2, "CH340\x1b[2J");
        waiting.state = BoardState::NotAllowed;
        waiting.reason = "type `microflo-bridge allow CH340`".into();
        waiting.warnings = vec!["two boards have this serial number".into()];
        let text = render(&[ready, waiting], Style::default());
        assert!(text.contains("\nBlink 00000000\n  https://ide.example/#runtime/endpoint?x\n"), "{text}");
        assert!(text.contains("  not-allowed: type `microflo-bridge allow CH340`\n  warning: two boards"), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
    }

    #[test]
    fn eighty_columns_are_enough_and_words_stay_whole() {
        let mut waiting = board(1, "Arduino Uno 12ab");
        waiting.state = BoardState::WaitingForPermission;
        let text = table(&[board(2, "Simulated board 8a3b"), waiting], Some(80)).trim_fmt();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for word in ["waiting-for-permission", "/dev/ttyACM0", "00000000", "uC/Flo01"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn no_board_says_what_to_do() {
        assert!(render(&[], Style::default()).contains("--simulate"));
    }
}
