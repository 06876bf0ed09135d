//! Commands against a bridge that answers on a control socket.

use clap::CommandFactory;

use super::client::{Client, ClientError};
use super::{Cli, Command, ask};
use crate::config::{GenericPolicy, ListenAddress, Places, Settings, Surroundings};
use crate::http::tests::bench::{BOARD, Bench};

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

fn parse(line: &str) -> Cli {
    Cli::read(line.split(' ')).unwrap()
}

fn places(dir: &std::path::Path) -> Places {
    Places::new(Surroundings::fake(&[], false)).with_state_dir(Some(dir.to_owned()))
}

async fn type_in(bench: &Bench, line: &str) -> anyhow::Result<()> {
    ask(parse(line).command, &places(bench.state_dir())).await
}

#[tokio::test]
async fn commands_reach_the_running_bridge() {
    let bench = Bench::new().await;
    type_in(&bench, "microflo-bridge label Blink Door").await.unwrap();
    type_in(&bench, "microflo-bridge allow 11111111 --chip").await.unwrap();
    type_in(&bench, "microflo-bridge ignore blink").await.unwrap();
    type_in(&bench, "microflo-bridge label Blink Porch --on-board").await.unwrap();
    type_in(&bench, "microflo-bridge id Blink --on-board new").await.unwrap();
    let asked = bench.asked.lock().unwrap().clone();
    let wanted = [
        format!("label {BOARD} Door"),
        format!("admit {BOARD} true true"),
        format!("admit {BOARD} false false"),
        format!("store {BOARD} false Porch"),
        format!("forget label {BOARD}"),
        format!("store {BOARD} true "),
    ];
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn boards_come_with_their_live_urls() {
    let bench = Bench::new().await;
    let client = Client::find(&places(bench.state_dir())).await.unwrap();
    let boards = client.boards(false).await.unwrap();
    assert_eq!(boards[0].label, "Blink");
    assert!(boards[0].live_url.as_ref().unwrap().contains("secret%3Ds3cret"));
}

#[tokio::test]
async fn the_bridges_words_are_the_commands_error() {
    let bench = Bench::new().await;
    let error = type_in(&bench, "microflo-bridge label Blink \u{7}").await.unwrap_err();
    assert_eq!(error.to_string(), "a label has 1 to 64 characters, none of them control characters");
    let error = type_in(&bench, "microflo-bridge status Blonk").await.unwrap_err();
    assert!(error.to_string().contains("there is `Blink` (11111111"), "{error}");
}

#[tokio::test]
async fn without_a_bridge_the_error_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    let error = Client::find(&places(dir.path())).await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }));
    assert!(error.to_string().contains("microflo-bridge run"), "{error}");
}

#[tokio::test]
async fn a_bridge_that_refuses_nonsense_is_not_taken_for_a_broken_one() {
    let bench = Bench::new().await;
    let client = Client::find(&places(bench.state_dir())).await.unwrap();
    let error = client.get::<serde_json::Value>("/api/nothing").await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { status, .. } if status == 404));
}

fn run_settings(line: &str) -> Settings {
    let Command::Run(args) = parse(line).command else { panic!("not run") };
    args.settings(&Places::new(Surroundings::fake(&[], false))).unwrap()
}

#[test]
fn options_beat_the_configuration_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bridge.toml");
    std::fs::write(&file, "listen = \"localhost:1\"\ngeneric = \"never\"").unwrap();
    let settings = run_settings(&format!("microflo-bridge run --config {} --listen localhost:2", file.display()));
    assert_eq!(settings.listen, [ListenAddress::Localhost(2)]);
    assert_eq!(settings.generic, GenericPolicy::Never);
}

#[test]
fn run_takes_several_devices_addresses_and_registries() {
    let settings = run_settings(
        "microflo-bridge run --simulate 2 --device /dev/pts/1,baud=9600 --device /dev/pts/2 \
         --listen 127.0.0.1:0 --listen [::1]:0 --registry none --registry https://lab.example",
    );
    assert_eq!((settings.simulate, settings.devices.len(), settings.listen.len()), (2, 2, 2));
    assert!(!settings.registries.embedded);
    assert_eq!(settings.registries.urls.len(), 1);
}
