//! `label`, `allow` and `ignore`.

use clap::Args;

use super::board_name::{resolve, same_file};
use super::client::Client;
use super::screen::{plain, print};
use crate::http::api::{AdmitBody, LabelBody};
use crate::http::board_json::BoardJson;

#[derive(Debug, Args)]
pub(super) struct LabelArgs {
    /// The board
    board: String,
    /// Its new label, 1 to 64 characters
    text: String,
}

#[derive(Debug, Args)]
pub(super) struct AdmitArgs {
    /// The board
    board: String,
    /// Every device with the same chip (vendor and product id) on this computer, not only this one
    #[arg(long)]
    chip: bool,
}

pub(super) async fn label(client: &Client, args: LabelArgs) -> anyhow::Result<()> {
    let board = find(client, &args.board).await?;
    client.post(&path(&board, "label"), &LabelBody { label: args.text.clone() }).await?;
    say(&format!("{} is now called {}", plain(&board.label), plain(args.text.trim())))
}

pub(super) async fn allow(client: &Client, args: AdmitArgs) -> anyhow::Result<()> {
    let board = find(client, &args.board).await?;
    client.post(&path(&board, "allow"), &AdmitBody { chip: args.chip }).await?;
    say(&format!("{} will be opened, now and whenever it is plugged in", subject(&board, args.chip)))
}

pub(super) async fn ignore(client: &Client, args: AdmitArgs) -> anyhow::Result<()> {
    let board = find(client, &args.board).await?;
    client.post(&path(&board, "ignore"), &AdmitBody { chip: args.chip }).await?;
    say(&format!("{} will be left alone; `microflo-bridge allow` undoes it", subject(&board, args.chip)))
}

/// The board that is meant, gone ones included.
pub(super) async fn find(client: &Client, name: &str) -> anyhow::Result<BoardJson> {
    let boards = client.boards(true).await?;
    Ok(resolve(&boards, name, same_file)?.clone())
}

fn path(board: &BoardJson, action: &str) -> String {
    format!("/api/boards/{}/{action}", board.id)
}

fn subject(board: &BoardJson, chip: bool) -> String {
    match &board.usb {
        Some(usb) if chip => format!("every device with the chip {}:{}", usb.vid, usb.pid),
        _ => plain(&board.label),
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    print(&format!("{text}\n"))?;
    Ok(())
}
