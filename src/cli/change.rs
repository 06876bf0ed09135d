//! `label`, `id`, `allow` and `ignore`.

use clap::Args;

use super::board_name::{resolve, same_file};
use super::client::Client;
use super::screen::{plain, print};
use crate::http::api::{AdmitBody, LabelBody};
use crate::http::board_json::BoardJson;
use crate::http::on_board::{OnBoardBody, OnBoardJson};

#[derive(Debug, Args)]
pub(super) struct LabelArgs {
    /// The board
    board: String,
    /// Its new label, 1 to 64 characters; on a board at most 32 bytes
    text: String,
    /// Have the board store it, so that it has it on every computer; the board must describe itself
    #[arg(long)]
    on_board: bool,
}

#[derive(Debug, Args)]
pub(super) struct IdArgs {
    /// The board, which must describe itself
    board: String,
    /// Have the board store a new id, or this one
    #[arg(long, value_name = "new|UUID")]
    on_board: String,
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
    if args.on_board {
        let body = OnBoardBody { label: Some(args.text.clone()), ..OnBoardBody::default() };
        let stored: OnBoardJson = client.post_for(&path(&board, "on-board"), &body).await?;
        let label = plain(args.text.trim());
        return say(&match stored.changed {
            true => format!("{} is now called {label}, wherever it is plugged in", plain(&board.label)),
            false => format!("the board stores the label {label} already"),
        });
    }
    client.post(&path(&board, "label"), &LabelBody { label: args.text.clone() }).await?;
    say(&format!("{} is now called {}", plain(&board.label), plain(args.text.trim())))
}

pub(super) async fn id(client: &Client, args: IdArgs) -> anyhow::Result<()> {
    let board = find(client, &args.board).await?;
    let body = OnBoardBody { id: Some(args.on_board), ..OnBoardBody::default() };
    let stored: OnBoardJson = client.post_for(&path(&board, "on-board"), &body).await?;
    say(&match stored.changed {
        true => format!("{} has the id {} now, wherever it is plugged in", plain(&board.label), stored.id),
        false => format!("the board stores the id {} already", stored.id),
    })
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
