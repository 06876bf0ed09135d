//! `completions` and `man`: what packages install beside the program, made from the same definition as `--help`.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

use super::screen::print;

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write the pages of the program and of each command into this directory, in place of the program's to standard output
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs, mut definition: Command) -> anyhow::Result<()> {
    let name = definition.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut definition, name, &mut script);
    Ok(print(&String::from_utf8(script)?)?)
}

pub(super) fn man(args: &ManArgs, definition: Command) -> anyhow::Result<()> {
    let definition = definition.disable_help_subcommand(true);
    if let Some(dir) = &args.dir {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        return clap_mangen::generate_to(definition, dir)
            .with_context(|| format!("the pages cannot be written to {}", dir.display()));
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(definition).render(&mut page)?;
    Ok(print(&String::from_utf8(page)?)?)
}
