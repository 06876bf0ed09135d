//! How to treat each board: what its family, the command line and the configuration say, put together.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use firmware_proto::Dialect;
use uuid::Uuid;

use crate::actors::board::Target;
use crate::config::{Baud, BoardRule, DeviceSpec};
use crate::pure::families::Family;
use crate::pure::model::library::Library;
use crate::pure::port::Port;
use crate::pure::session;
use crate::sim;

/// Everything that is known about boards beforehand.
#[derive(Clone, Debug)]
pub struct Planner {
    /// Ports that the user named.
    pub devices: Vec<DeviceSpec>,
    /// Rules of the configuration, the first that says something wins.
    pub rules: Vec<BoardRule>,
    /// Component maps, read and checked, by the path that names them.
    pub libraries: HashMap<PathBuf, Library>,
    /// Bauds to try.
    pub bauds: Vec<u32>,
}

/// What to do with one board.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) target: Target,
    pub(super) session: session::Config,
    pub(super) label: Option<String>,
    pub(super) library: Option<Library>,
}

impl Planner {
    /// Whether the configuration says to leave it alone.
    pub(super) fn ignores(&self, port: &Port, id: Uuid) -> bool {
        self.rules(port, id).any(|rule| rule.ignore)
    }

    pub(super) fn plan(&self, port: &Port, id: Uuid, family: &Family) -> Plan {
        let device = match port {
            Port::Named(path) => self.devices.iter().find(|device| device.path == *path),
            Port::Usb(_) | Port::Simulated(_) => None,
        };
        let baud = device.and_then(|d| d.baud).or_else(|| self.rules(port, id).find_map(|rule| rule.baud));
        let dialect = device.and_then(|d| d.dialect).or_else(|| self.rules(port, id).find_map(|rule| rule.dialect));
        let label =
            device.and_then(|d| d.label.clone()).or_else(|| self.rules(port, id).find_map(|rule| rule.label.clone()));
        let map = device
            .and_then(|d| d.components.as_ref())
            .or_else(|| self.rules(port, id).find_map(|rule| rule.components.as_ref()));
        let target = Target::new(port, family.lines);
        let library = match port {
            Port::Simulated(_) => simulated_library(&target),
            _ => map.and_then(|map| self.libraries.get(map).cloned()),
        };
        let session = session::Config {
            bauds: baud.map_or_else(|| self.bauds.clone(), |baud| vec![Baud::get(baud)]),
            dialect,
            // Opening resets a board only over USB; the adapter knows whether the port has modem lines at all.
            boot_window: match port {
                Port::Usb(_) => family.boot_window,
                Port::Named(_) | Port::Simulated(_) => std::time::Duration::ZERO,
            },
        };
        Plan { target, session, label, library }
    }

    fn rules<'a>(&'a self, port: &'a Port, id: Uuid) -> impl Iterator<Item = &'a BoardRule> {
        self.rules.iter().filter(move |rule| rule.matches.fits(port, Some(id)))
    }
}

/// Simulated firmware brings its component map along.
fn simulated_library(target: &Target) -> Option<Library> {
    static LIBRARIES: LazyLock<Vec<(Dialect, Library)>> = LazyLock::new(|| {
        let library = |dialect| Some((dialect, Library::from_json(&sim::component_map(dialect).to_string()).ok()?));
        Dialect::ALL.into_iter().filter_map(library).collect()
    });
    let Target::Simulated(dialect) = target else { return None };
    LIBRARIES.iter().find(|(of, _)| of == dialect).map(|(_, library)| library.clone())
}
