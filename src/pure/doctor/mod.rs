//! What blocks boards, and the line to type: rules over facts that somebody else has gathered.

mod boards;
mod bridge;
mod drivers;
mod facts;
#[cfg(test)]
pub(crate) mod fixtures;
mod ports;
mod system;
#[cfg(test)]
mod tests;

pub use self::drivers::MODULES;
pub use self::facts::{
    BoardFacts, BridgeFacts, Clock, Driver, Facts, Listen, PortFacts, RegistryFacts, StateDir, Udev,
};

/// A bridge's name among the programs, as long as the kernel keeps it.
pub const BRIDGE: &str = "microflo-bridge";

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Whether a bridge runs, and whether this user may ask it.
    Bridge,
    /// The configuration.
    Settings,
    /// Where the bridge listens.
    Listen,
    /// The state directory.
    StateDir,
    /// A board, as the bridge sees it.
    Board,
    /// Who may open a port.
    Permission,
    /// Who has a port open.
    Holder,
    /// Kernel drivers.
    Driver,
    /// ModemManager.
    ModemManager,
    /// brltty.
    Brltty,
    /// udev and the rules of the package.
    Udev,
    /// The time.
    Clock,
    /// Registries elsewhere.
    Registry,
}

impl Check {
    /// All, in the order in which they are told.
    pub const ALL: [Check; 13] = [
        Check::Bridge,
        Check::Settings,
        Check::Listen,
        Check::StateDir,
        Check::Board,
        Check::Permission,
        Check::Holder,
        Check::Driver,
        Check::ModemManager,
        Check::Brltty,
        Check::Udev,
        Check::Clock,
        Check::Registry,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Check::Bridge => "bridge",
            Check::Settings => "settings",
            Check::Listen => "listen",
            Check::StateDir => "state-dir",
            Check::Board => "board",
            Check::Permission => "permission",
            Check::Holder => "holder",
            Check::Driver => "driver",
            Check::ModemManager => "modem-manager",
            Check::Brltty => "brltty",
            Check::Udev => "udev",
            Check::Clock => "clock",
            Check::Registry => "registry",
        }
    }
}

/// Something to know, or to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check found it.
    pub check: Check,
    /// Whether it keeps a board from being used; otherwise it is only worth knowing.
    pub blocks: bool,
    /// What it is about: a board, a port, a program.
    pub subject: String,
    /// What is wrong.
    pub problem: String,
    /// The line to type, where a line helps.
    pub command: Option<String>,
}

impl Finding {
    fn blocking(check: Check, subject: impl Into<String>, problem: impl Into<String>) -> Finding {
        Finding { check, blocks: true, subject: subject.into(), problem: problem.into(), command: None }
    }

    fn note(check: Check, subject: impl Into<String>, problem: impl Into<String>) -> Finding {
        Finding { blocks: false, ..Finding::blocking(check, subject, problem) }
    }

    fn command(mut self, command: impl Into<Option<String>>) -> Finding {
        self.command = command.into();
        self
    }
}

/// All that is to be told, what blocks boards first.
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = bridge::examine(facts);
    findings.extend(boards::examine(facts));
    findings.extend(ports::examine(facts));
    findings.extend(drivers::examine(facts));
    findings.extend(system::examine(facts));
    findings.sort_by_key(|finding| !finding.blocks);
    findings
}

/// A command line that starts with `sudo`, for those who need it.
fn sudo(root: bool, command: &str) -> String {
    if root { command.to_owned() } else { format!("sudo {command}") }
}
