//! The commands, one file each. All but `run`, `registry`, `config`, `doctor`, `simulate` and those that print pages talk to
//! the running bridge over its control socket.

mod announce;
mod board_name;
mod change;
mod client;
mod config;
mod dashboard;
mod descriptor;
mod doctor;
mod firmware;
#[cfg(test)]
mod fixtures;
mod graph;
mod list;
mod logging;
mod open_files;
mod pages;
mod registry;
mod run;
mod screen;
mod simulate;
mod status;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Places, Surroundings};
use client::ClientError;

/// Exit code: no bridge is running.
const EXIT_NOT_RUNNING: u8 = 3;
/// Exit code: anything else went wrong. Wrong usage gives 2.
const EXIT_FAILURE: u8 = 1;

/// Finds MicroFlo boards, serves each on a WebSocket and registers it with Flowhub.
#[derive(Debug, Parser)]
#[command(name = "microflo-bridge", version, max_term_width = 100)]
#[command(after_help = "A BOARD is named by its label, its id or the beginning of it, or its device path.\n\
                        Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no bridge is running.")]
struct Cli {
    /// Where ids, labels and secrets are kept; also where the control socket is [env: MICROFLO_BRIDGE_STATE_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Log more: decisions; twice: every byte to and from boards [env: MICROFLO_BRIDGE_LOG, as `debug` or `microflo_bridge::http=trace`]
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the bridge, in the foreground
    Run(Box<run::RunArgs>),
    /// Open the dashboard in a browser, with the right to make changes
    Dashboard(dashboard::DashboardArgs),
    /// List the boards
    List(list::ListArgs),
    /// Say how a board is, why, and what to do
    Status(status::StatusArgs),
    /// Find what blocks boards, and the line to type; `run`'s options tell which bridge is meant
    Doctor(Box<doctor::DoctorArgs>),
    /// Give a board a label, for good
    Label(change::LabelArgs),
    /// Give a board that describes itself an id of its own, which it has on every computer
    Id(change::IdArgs),
    /// Allow a generic USB-serial chip to be opened, for good
    Allow(change::AdmitArgs),
    /// Leave a device alone, for good
    Ignore(change::AdmitArgs),
    /// The graph on a board
    #[command(subcommand)]
    Graph(graph::GraphCommand),
    /// What firmware builds are made of: component maps and embedded graphs
    #[command(subcommand)]
    Firmware(firmware::FirmwareCommand),
    /// The registry: a server without a bridge, users, runtimes
    #[command(subcommand)]
    Registry(registry::RegistryCommand),
    /// Settings and where they come from
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a script that completes commands and options in a shell
    Completions(pages::CompletionsArgs),
    /// Print the manual page
    Man(pages::ManArgs),
    /// Print the udev rules
    #[command(hide = true)]
    UdevRules,
    /// Put simulated boards on pseudo-terminals, for a bridge in another process
    #[command(hide = true)]
    Simulate(simulate::SimulateArgs),
}

impl Cli {
    /// What was typed. Wrong usage ends the process.
    fn of_process() -> Cli {
        Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// What was typed; the options of `run` know where they come from.
    fn read(words: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>) -> Result<Cli, clap::Error> {
        let mut definition = Cli::command();
        let mut matches = definition.try_get_matches_from_mut(words)?;
        let origins = run::origins(&definition, &matches);
        let mut cli = Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut definition))?;
        match &mut cli.command {
            Command::Run(args) => args.origins = origins,
            Command::Config(config::ConfigCommand::Show(args)) => args.run.origins = origins,
            _ => {}
        }
        Ok(cli)
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    match dispatch(Cli::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe has enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("microflo-bridge: {error:#}");
            match error.downcast_ref::<ClientError>() {
                Some(ClientError::NotRunning { .. }) => EXIT_NOT_RUNNING.into(),
                _ => EXIT_FAILURE.into(),
            }
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let places = Places::new(Surroundings::of_process()).with_state_dir(cli.state_dir);
    let serves = matches!(cli.command, Command::Run(_) | Command::Registry(registry::RegistryCommand::Serve(_)));
    logging::start(cli.verbose, serves);
    match cli.command {
        Command::Run(args) => run::run(*args, &places),
        Command::Registry(registry::RegistryCommand::Serve(args)) => registry::serve(*args, &places),
        Command::Registry(command) => on_one_thread(registry::registry(command, &places)),
        Command::Config(command) => config::config(command, &places),
        Command::Doctor(args) => on_one_thread(doctor::doctor(*args, &places)),
        Command::Simulate(args) => on_one_thread(simulate::simulate(args)),
        Command::Completions(args) => pages::completions(&args, Cli::command()),
        Command::Man(args) => pages::man(&args, Cli::command()),
        Command::UdevRules => Ok(screen::print(&crate::pure::families::udev::rules())?),
        Command::Firmware(firmware::FirmwareCommand::Descriptor(args)) => descriptor::descriptor(&args),
        command => on_one_thread(ask(command, &places)),
    }
}

fn on_one_thread(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

async fn ask(command: Command, places: &Places) -> anyhow::Result<()> {
    let client = client::Client::find(places).await?;
    match command {
        Command::Run(_)
        | Command::Simulate(_)
        | Command::Registry(_)
        | Command::Config(_)
        | Command::Doctor(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::UdevRules => {
            unreachable!("does not ask a running bridge")
        }
        Command::Dashboard(args) => dashboard::dashboard(&client, args).await,
        Command::List(args) => list::list(&client, args).await,
        Command::Status(args) => status::status(&client, args).await,
        Command::Label(args) => change::label(&client, args).await,
        Command::Id(args) => change::id(&client, args).await,
        Command::Allow(args) => change::allow(&client, args).await,
        Command::Ignore(args) => change::ignore(&client, args).await,
        Command::Graph(command) => graph::graph(&client, command).await,
        Command::Firmware(command) => firmware::firmware(&client, command).await,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
