//! How to treat each board: what its family, the command line and the configuration say, put together.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use firmware_proto::Dialect;
use serde_json::Value;
use uuid::Uuid;

use crate::actors::board::Target;
use crate::actors::registrar::EMBEDDED;
use crate::config::{Baud, BoardRule, DeviceSpec, Registries, ResetPolicy, WebUrl};
use crate::pure::families::{BRIDGED_BOOT_WINDOW, Family, ModemLines};
use crate::pure::firmwares::Firmwares;
use crate::pure::introduction::Introduction;
use crate::pure::model::build::Build;
use crate::pure::model::library::Library;
use crate::pure::port::Port;
use crate::pure::secret::Secret;
use crate::pure::session;
use crate::pure::view::RegistrationWish;
use crate::sim;

/// Everything that is known about boards beforehand.
#[derive(Clone, Debug)]
pub struct Planner {
    /// Ports that the user named.
    pub devices: Vec<DeviceSpec>,
    /// Rules of the configuration, the first that says something wins.
    pub rules: Vec<BoardRule>,
    /// What is known of firmware builds, read and checked, by the paths of their component maps.
    pub builds: HashMap<PathBuf, Build>,
    /// The graphs of the configuration, read and checked, by their paths.
    pub graphs: HashMap<PathBuf, Arc<Value>>,
    /// Bauds to try.
    pub bauds: Vec<u32>,
    /// The registries that are for all boards.
    pub registries: Registries,
}

/// What to do with one board.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) target: Target,
    pub(super) session: session::Config,
    /// Whether somebody has said that opening resets it.
    pub(super) resets: bool,
    pub(super) label: Option<String>,
    /// Instead of the one that was made for it.
    pub(super) secret: Option<Secret>,
    pub(super) build: Option<Build>,
    pub(super) restore: bool,
}

impl Planner {
    /// Whether the configuration says to leave it alone.
    pub(super) fn ignores(&self, port: &Port, id: Uuid) -> bool {
        self.rules(port, id).find_map(|rule| rule.ignore).unwrap_or(false)
    }

    /// What the command line and the configuration say about a board's registration.
    pub(super) fn wish(&self, port: &Port, id: Uuid) -> RegistrationWish {
        let of_device = self.device(port).and_then(|device| device.registry.as_ref());
        let choices = of_device.or_else(|| self.rules(port, id).find_map(|rule| rule.registry.as_ref()));
        let names = |registries: Registries| {
            let embedded = registries.embedded.then(|| EMBEDDED.to_owned());
            embedded.into_iter().chain(registries.urls.iter().map(WebUrl::name).map(str::to_owned)).collect()
        };
        let user = self.device(port).and_then(|device| device.user);
        RegistrationWish {
            registries: choices.map(|choices| names(self.registries.of_board(choices))),
            user: user.or_else(|| self.rules(port, id).find_map(|rule| rule.user)),
            description: self.rules(port, id).find_map(|rule| rule.description.clone()),
            secret: self.secret(port, id),
        }
    }

    pub(super) fn plan(
        &self,
        port: &Port,
        id: Uuid,
        family: &Family,
        firmwares: &Firmwares,
        said: &Introduction,
    ) -> Plan {
        let device = self.device(port);
        let baud = device.and_then(|d| d.baud).or_else(|| self.rules(port, id).find_map(|rule| rule.baud));
        let dialect = device.and_then(|d| d.dialect).or_else(|| self.rules(port, id).find_map(|rule| rule.dialect));
        let label =
            device.and_then(|d| d.label.clone()).or_else(|| self.rules(port, id).find_map(|rule| rule.label.clone()));
        let label = label.or_else(|| said.label().cloned());
        let restore = device.and_then(|d| d.restore).or_else(|| self.rules(port, id).find_map(|rule| rule.restore));
        let reset = device.and_then(|d| d.reset).or_else(|| self.rules(port, id).find_map(|rule| rule.reset));
        let reset = reset.unwrap_or_default();
        let lines = if reset == ResetPolicy::None { ModemLines::Keep } else { family.lines };
        let target = Target::new(port, lines);
        let session = session::Config {
            bauds: baud.map_or_else(|| self.bauds.clone(), |baud| vec![Baud::get(baud)]),
            dialect,
            // Opening resets a board only over USB; the adapter knows whether the port has modem lines at all.
            boot_window: match (reset, port) {
                (ResetPolicy::Auto, Port::Usb(_)) => family.boot_window,
                (ResetPolicy::OnOpen, _) => family.boot_window.max(BRIDGED_BOOT_WINDOW),
                (ResetPolicy::None, _) | (ResetPolicy::Auto, _) => std::time::Duration::ZERO,
            },
            left: None,
        };
        let build = self.build(port, id, firmwares, said);
        let resets = reset == ResetPolicy::OnOpen;
        Plan { target, session, resets, label, secret: self.secret(port, id), build, restore: restore.unwrap_or(false) }
    }

    /// What is known of a board's firmware: from the command line, the configuration, what was added for it, what it says itself, or
    /// what was added for all that nothing else is known of, in that order. A graph that the configuration names takes the place
    /// of the one that is beside the component map.
    pub(super) fn build(&self, port: &Port, id: Uuid, firmwares: &Firmwares, said: &Introduction) -> Option<Build> {
        if let Port::Simulated(_) = port {
            return simulated_build(&Target::new(port, Family::UNLISTED.lines));
        }
        let of_rule = |rule: &BoardRule| match (&rule.components, &rule.firmware) {
            (Some(path), _) => self.builds.get(path).cloned(),
            (None, Some(name)) => firmwares.get(name).cloned(),
            (None, None) => None,
        };
        let named = self.device(port).and_then(|device| self.builds.get(device.components.as_ref()?).cloned());
        let mut build = named
            .or_else(|| self.rules(port, id).find_map(of_rule))
            .or_else(|| firmwares.of(id, port).cloned())
            .or_else(|| said.build().cloned())
            .or_else(|| firmwares.of_all_others().cloned())?;
        if let Some(graph) = self.rules(port, id).find_map(|rule| self.graphs.get(rule.graph.as_ref()?)) {
            build.graph = Some(graph.clone());
        }
        Some(build)
    }

    fn secret(&self, port: &Port, id: Uuid) -> Option<Secret> {
        self.rules(port, id).find_map(|rule| rule.secret.clone())
    }

    fn device(&self, port: &Port) -> Option<&DeviceSpec> {
        match port {
            Port::Named(path) => self.devices.iter().find(|device| device.path == *path),
            Port::Usb(_) | Port::Simulated(_) => None,
        }
    }

    fn rules<'a>(&'a self, port: &'a Port, id: Uuid) -> impl Iterator<Item = &'a BoardRule> {
        self.rules.iter().filter(move |rule| rule.matches.fits(port, Some(id)))
    }
}

/// Simulated firmware brings its component map along.
fn simulated_build(target: &Target) -> Option<Build> {
    static LIBRARIES: LazyLock<Vec<(Dialect, Library)>> = LazyLock::new(|| {
        let library = |dialect| Some((dialect, Library::from_json(&sim::component_map(dialect).to_string()).ok()?));
        Dialect::ALL.into_iter().filter_map(library).collect()
    });
    let Target::Simulated(dialect) = target else { return None };
    let library = LIBRARIES.iter().find(|(of, _)| of == dialect).map(|(_, library)| library.clone());
    library.map(|library| Build::of(library, "the simulated board itself"))
}
