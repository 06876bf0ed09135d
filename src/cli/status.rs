//! `status BOARD`: how a board is, why, and what to do.

use std::fmt::Write;

use clap::Args;

use super::change::find;
use super::client::Client;
use super::screen::{Style, plain, print, print_json};
use crate::http::board_json::BoardJson;
use crate::pure::view::BoardState;

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// The board
    board: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn status(client: &Client, args: StatusArgs) -> anyhow::Result<()> {
    let board = find(client, &args.board).await?;
    if args.json {
        return print_json(&board);
    }
    print(&describe(&board, Style::of_stdout()))?;
    Ok(())
}

fn describe(board: &BoardJson, style: Style) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_status(&mut text, board, style);
    text
}

/// What an id is made of, in words.
fn origin(rung: &str) -> &str {
    match rung {
        "on-board" => "the board itself",
        "serial" => "its USB serial number",
        "path" => "the USB port it is plugged into",
        "device" => "the path given with --device",
        "simulated" => "its number among the simulated boards",
        other => other,
    }
}

fn write_status(out: &mut String, board: &BoardJson, style: Style) -> std::fmt::Result {
    let state = board.state.name();
    let state = if board.state == BoardState::Ready { style.green(state) } else { style.yellow(state) };
    writeln!(out, "{}  {state}", style.bold(&plain(&board.label)))?;
    let mut line = |name: &str, value: &str| writeln!(out, "  {name:<10} {}", plain(value));
    if !board.reason.is_empty() {
        line("why", &board.reason)?;
    }
    for warning in &board.warnings {
        line("warning", warning)?;
    }
    line("id", &format!("{} (from {})", board.id, origin(&board.rung)))?;
    line("device", board.device.as_deref().unwrap_or("none: it is simulated"))?;
    if let Some(usb) = &board.usb {
        let name = [&usb.manufacturer, &usb.product].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
        let serial = usb.serial.as_deref().unwrap_or("no serial number");
        line("usb", format!("{}:{} {name}, {serial}, at {}", usb.vid, usb.pid, usb.path).trim())?;
    }
    match &board.firmware {
        Some(firmware) => line("firmware", &format!("MicroFlo {}, {} baud", firmware.dialect, firmware.baud))?,
        None => line("firmware", "not known yet")?,
    }
    let none = "none: names mean nothing; `microflo-bridge firmware add` gives one";
    line("components", board.components.as_deref().unwrap_or(none))?;
    line("clients", &board.clients.to_string())?;
    line("address", &board.url)?;
    line("raw", &board.raw_url)?;
    for registry in &board.registries {
        line("registry", &format!("{}: {}", registry.registry, registry.detail))?;
    }
    if let Some(live) = &board.live_url {
        line("open", live)?;
    }
    match &board.read_only_live_url {
        Some(live) => line("only look", live),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::board;

    #[test]
    fn status_tells_state_reason_and_what_the_id_stands_on() {
        let mut door = board(1, "Door");
        door.state = BoardState::Busy;
        door.reason = "avrdude (pid 7) has the port; wait until it has finished".into();
        let text = describe(&door, Style::default());
        assert!(text.starts_with("Door  busy\n  why        avrdude (pid 7) has the port"), "{text}");
        assert!(text.contains("(from the USB port it is plugged into)"), "{text}");
        assert!(text.contains("registry   embedded: not ready"), "{text}");
    }
}
