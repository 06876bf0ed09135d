//! The `microflo-bridge` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    microflo_bridge::cli::main()
}
