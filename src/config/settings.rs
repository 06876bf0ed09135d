//! What the daemon is to do: every value decided.

use std::path::PathBuf;

use uuid::Uuid;

use crate::io::tls::TlsFiles;
use crate::pure::secret::Secret;
use crate::pure::session::config::DEFAULT_BAUDS;

use super::{
    Baud, BoardRule, DeviceSpec, GenericPolicy, Ide, Layer, ListenAddress, Origins, Places, RegistryChoice,
    RegistryEntry, RemoteSettings, WebUrl,
};

/// Where live URLs point unless told otherwise.
pub const DEFAULT_IDE: &str = "https://app.flowhub.io";

/// What the daemon is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses to listen on; at least one.
    pub listen: Vec<ListenAddress>,
    /// Simulated boards to make.
    pub simulate: u32,
    /// Ports that the user named.
    pub devices: Vec<DeviceSpec>,
    /// Where boards are registered.
    pub registries: Registries,
    /// Whose boards these are; the local user's unless told otherwise.
    pub user: Option<Uuid>,
    /// For the registries that have a URL.
    pub registry_token: Option<Secret>,
    /// What is known of registries, whoever chooses them.
    pub known: Vec<RegistryEntry>,
    /// Whether boards are announced by multicast DNS where other hosts can reach the bridge.
    pub mdns: bool,
    /// How others reach this bridge, where that is not the address it listens on.
    pub public_url: Option<WebUrl>,
    /// Where live URLs point.
    pub ide: Ide,
    /// The certificate that the listen addresses are served with.
    pub tls: Option<TlsFiles>,
    /// What happens to generic chips.
    pub generic: GenericPolicy,
    /// Rates to try, in bits per second; at least one.
    pub bauds: Vec<u32>,
    /// Settings for some boards only; the first that fits and says something wins.
    pub boards: Vec<BoardRule>,
    /// The state directory.
    pub state_dir: PathBuf,
    /// Where to make the control socket.
    pub control_socket: PathBuf,
    /// The root of sysfs: `/sys`, but in tests.
    pub sysfs_root: PathBuf,
    /// The directory of device nodes: `/dev`, but in tests.
    pub dev_root: PathBuf,
    /// What tells this host from all others: `/etc/machine-id`, but in tests.
    pub machine_id: PathBuf,
    /// Where the values come from, by the keys of the configuration file.
    pub origins: Origins,
}

/// Where boards are registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registries {
    /// At the one that is part of this program.
    pub embedded: bool,
    /// And there.
    pub urls: Vec<WebUrl>,
}

impl Registries {
    /// Every URL counts; the embedded one does unless somebody says `none`.
    fn chosen(choices: impl IntoIterator<Item = RegistryChoice>) -> Self {
        let mut registries = Registries { embedded: true, urls: Vec::new() };
        for choice in choices {
            match choice {
                RegistryChoice::None => registries.embedded = false,
                RegistryChoice::Url(url) if registries.urls.contains(&url) => {}
                RegistryChoice::Url(url) => registries.urls.push(url),
            }
        }
        registries
    }

    /// Those of a board that has its own: its URLs in place of these, and no embedded one where nobody has it.
    pub fn of_board(&self, choices: &[RegistryChoice]) -> Registries {
        let own = Registries::chosen(choices.iter().cloned());
        Registries { embedded: own.embedded && self.embedded, ..own }
    }
}

impl Settings {
    /// Decides every value: what the layers say, else the default.
    /// Whether certificate and key are both named has to be checked before: see [`HalfTls`].
    pub fn decide(layer: Layer, places: &Places) -> Settings {
        let default_ide = || DEFAULT_IDE.parse().expect("the default IDE is a URL");
        let mut origins = layer.origins;
        if let Some(origin) = places.state_dir_origin() {
            origins.set("state_dir", origin);
        }
        let choices = layer.registry.unwrap_or_default().into_iter().map(|entry| entry.choice);
        let bauds = layer.bauds.unwrap_or_default().into_iter().map(Baud::get).collect();
        Settings {
            listen: or_default(layer.listen.unwrap_or_default(), &[ListenAddress::DEFAULT]),
            simulate: 0,
            devices: Vec::new(),
            registries: Registries::chosen(choices),
            user: layer.user,
            registry_token: layer.registry_token,
            known: layer.known,
            mdns: layer.mdns.unwrap_or(true),
            public_url: layer.public_url,
            ide: layer.ide.unwrap_or_else(default_ide),
            tls: tls_files(layer.tls_cert, layer.tls_key),
            generic: layer.generic.unwrap_or_default(),
            bauds: or_default(bauds, &DEFAULT_BAUDS),
            boards: layer.board,
            state_dir: places.state_dir(layer.state_dir),
            control_socket: places.control_to_make(),
            sysfs_root: "/sys".into(),
            dev_root: "/dev".into(),
            machine_id: "/etc/machine-id".into(),
            origins,
        }
    }

    /// Every registry that some board may be registered at, but the embedded one. The token of all registries goes only
    /// to those that are for all boards.
    pub fn remotes(&self) -> Vec<RemoteSettings> {
        let of_rules = self.boards.iter().filter_map(|rule| rule.registry.as_deref());
        let of_devices = self.devices.iter().filter_map(|device| device.registry.as_deref());
        let of_boards = of_rules.chain(of_devices).flatten().filter_map(|choice| match choice {
            RegistryChoice::Url(url) => Some(url),
            RegistryChoice::None => None,
        });
        let known = self.known.iter().filter_map(RegistryEntry::url);
        let mut remotes: Vec<RemoteSettings> = Vec::new();
        for url in self.registries.urls.iter().chain(of_boards).chain(known) {
            if !remotes.iter().any(|remote| remote.url.name() == url.name()) {
                remotes.push(self.remote(url));
            }
        }
        remotes
    }

    /// The keys of what has changed in `new` and cannot change while the daemon runs.
    pub fn needs_restart(&self, new: &Settings) -> Vec<&'static str> {
        let changed = [
            ("listen", self.listen != new.listen),
            ("state_dir", self.state_dir != new.state_dir),
            ("public_url", self.public_url != new.public_url),
            ("ide", self.ide != new.ide),
            // Another certificate can take the place of one, but not of none.
            ("tls_cert", self.tls.is_some() != new.tls.is_some()),
            ("mdns", self.mdns != new.mdns),
        ];
        changed.into_iter().filter_map(|(key, changed)| changed.then_some(key)).collect()
    }

    fn remote(&self, url: &WebUrl) -> RemoteSettings {
        let known = || self.known.iter().filter(|entry| entry.url().is_some_and(|known| known.name() == url.name()));
        let default = self.registries.urls.iter().any(|chosen| chosen.name() == url.name());
        let common = self.registry_token.as_ref().filter(|_| default);
        RemoteSettings {
            url: url.clone(),
            token: known().find_map(|entry| entry.token.as_ref()).or(common).cloned(),
            user: known().find_map(|entry| entry.user).or(self.user),
            default,
        }
    }
}

/// One of certificate and key is named, the other is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--tls-cert and --tls-key (tls_cert and tls_key in the configuration) go together: name both, or neither")]
pub struct HalfTls;

impl HalfTls {
    /// Refuses half of a pair.
    pub fn check(cert: Option<&PathBuf>, key: Option<&PathBuf>) -> Result<(), HalfTls> {
        if cert.is_some() == key.is_some() { Ok(()) } else { Err(HalfTls) }
    }
}

/// Both, or none.
pub fn tls_files(cert: Option<PathBuf>, key: Option<PathBuf>) -> Option<TlsFiles> {
    Some(TlsFiles { cert: cert?, key: key? })
}

fn or_default<T: Clone>(values: Vec<T>, default: &[T]) -> Vec<T> {
    if values.is_empty() { default.to_vec() } else { values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Surroundings;

    fn decide(layer: Layer) -> Settings {
        Settings::decide(layer, &Places::new(Surroundings::fake(&[], false)))
    }

    #[test]
    fn nothing_said_gives_loopback_ask_and_the_embedded_registry() {
        let settings = decide(Layer::default());
        assert_eq!(settings.listen, [ListenAddress::Localhost(3569)]);
        assert_eq!(settings.generic, GenericPolicy::Ask);
        assert_eq!(settings.bauds, [9600, 115_200]);
        assert_eq!(settings.registries, Registries { embedded: true, urls: vec![] });
    }

    #[test]
    fn registries_are_beside_the_embedded_one_unless_none_is_said() {
        let lab: WebUrl = "https://lab.example".parse().unwrap();
        let url = || RegistryChoice::Url(lab.clone());
        let chosen = |choices| {
            let registry = Vec::<RegistryChoice>::into_iter(choices).map(RegistryEntry::from).collect();
            decide(Layer { registry: Some(registry), ..Layer::default() }).registries
        };
        assert_eq!(chosen(vec![url(), url()]), Registries { embedded: true, urls: vec![lab.clone()] });
        assert_eq!(chosen(vec![RegistryChoice::None, url()]), Registries { embedded: false, urls: vec![lab.clone()] });
        assert_eq!(chosen(vec![RegistryChoice::None]), Registries { embedded: false, urls: vec![] });
    }
}
