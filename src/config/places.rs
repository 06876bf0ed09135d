//! Where things are on this host: configuration, state, the control socket.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Origin;
use super::file::ConfigError;
use crate::pure::secret::Secret;

/// The variable with the token for registries.
const TOKEN_VARIABLE: &str = "MICROFLO_BRIDGE_REGISTRY_TOKEN";
/// The credential of the service with the same token.
const TOKEN_CREDENTIAL: &str = "microflo-bridge.registry_token";
const NAME: &str = "microflo-bridge";
const CONTROL_SOCKET: &str = "control.sock";
const SYSTEM_CONTROL_DIR: &str = "/run/microflo-bridge";
const SYSTEM_STATE_DIR: &str = "/var/lib/microflo-bridge";
/// Unless the environment says `MICROFLO_BRIDGE_SYSTEM_CONFIG`.
const SYSTEM_CONFIG_DIR: &str = "/etc/microflo-bridge";

/// What a process knows of where it runs: environment variables, and whether it is root.
#[derive(Clone, Debug)]
pub struct Surroundings {
    vars: HashMap<String, PathBuf>,
    root: bool,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let vars = env::vars_os()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into())))
            .collect();
        Surroundings { vars, root: rustix::process::geteuid().is_root() }
    }

    #[cfg(test)]
    pub(crate) fn fake(vars: &[(&str, PathBuf)], root: bool) -> Self {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Surroundings { vars, root }
    }

    fn path(&self, name: &str) -> Option<&Path> {
        self.vars.get(name).map(PathBuf::as_path)
    }

    /// `$name`, else `$HOME/below_home`; each with our name added.
    fn xdg(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        let base = self.path(name).map(Path::to_owned).or_else(|| Some(self.path("HOME")?.join(below_home)))?;
        Some(base.join(NAME))
    }
}

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    surroundings: Surroundings,
    /// `--state-dir`.
    state_dir: Option<PathBuf>,
    system_config: PathBuf,
}

impl Places {
    /// The places that follow from the surroundings.
    pub fn new(surroundings: Surroundings) -> Self {
        Places { surroundings, state_dir: None, system_config: SYSTEM_CONFIG_DIR.into() }
    }

    /// The same with `--state-dir`, which also moves the control socket.
    pub fn with_state_dir(mut self, state_dir: Option<PathBuf>) -> Self {
        self.state_dir = state_dir;
        self
    }

    #[cfg(test)]
    pub(crate) fn with_system_config(mut self, dir: PathBuf) -> Self {
        self.system_config = dir;
        self
    }

    /// The system's configuration directory.
    pub fn system_config_dir(&self) -> &Path {
        self.surroundings.path("MICROFLO_BRIDGE_SYSTEM_CONFIG").unwrap_or(&self.system_config)
    }

    /// The user's configuration file; none without a home.
    pub fn user_config_file(&self) -> Option<PathBuf> {
        Some(self.surroundings.xdg("XDG_CONFIG_HOME", ".config")?.join("config.toml"))
    }

    /// The token for registries, where the environment or systemd has one, and where it is from. There is no option for
    /// it: everybody on a host can read the command lines of all processes.
    pub fn registry_token(&self) -> Result<Option<(Secret, Origin)>, ConfigError> {
        if let Some(token) = self.surroundings.path(TOKEN_VARIABLE).and_then(Path::to_str) {
            return Ok(Some((Secret::new(token), Origin::Environment(TOKEN_VARIABLE.to_owned()))));
        }
        let Some(dir) = self.surroundings.path("CREDENTIALS_DIRECTORY") else { return Ok(None) };
        let path = dir.join(TOKEN_CREDENTIAL);
        match fs::read_to_string(&path) {
            // An editor ends it with a new line.
            Ok(text) => Ok(Some((Secret::new(text.trim()), Origin::Credential(TOKEN_CREDENTIAL)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    /// The state directory that was asked for, by option or environment.
    fn asked_state_dir(&self) -> Option<&Path> {
        self.state_dir.as_deref().or_else(|| self.surroundings.path("MICROFLO_BRIDGE_STATE_DIR"))
    }

    /// Where [`Places::state_dir`] comes from, if not from the configuration.
    pub fn state_dir_origin(&self) -> Option<Origin> {
        if self.state_dir.is_some() {
            return Some(Origin::Flag);
        }
        let variable = |name: &str| self.surroundings.path(name).map(|_| Origin::Environment(name.to_owned()));
        variable("MICROFLO_BRIDGE_STATE_DIR")
    }

    /// The state directory: asked for > `configured` > systemd's > the default for root or for this user.
    pub fn state_dir(&self, configured: Option<PathBuf>) -> PathBuf {
        self.asked_state_dir().map(Path::to_owned).or(configured).unwrap_or_else(|| self.default_state_dir())
    }

    fn default_state_dir(&self) -> PathBuf {
        // systemd may give several, joined by colons; the first is ours.
        let systemd = self.surroundings.path("STATE_DIRECTORY").and_then(Path::to_str);
        if let Some(first) = systemd.and_then(|dirs| dirs.split(':').next()) {
            return first.into();
        }
        if self.surroundings.root {
            return SYSTEM_STATE_DIR.into();
        }
        self.surroundings.xdg("XDG_STATE_HOME", ".local/state").unwrap_or_else(|| env::temp_dir().join(NAME))
    }

    /// The control socket that was asked for. Both ends then use it and look nowhere else.
    fn asked_control(&self) -> Option<PathBuf> {
        if let Some(dir) = &self.state_dir {
            return Some(dir.join(CONTROL_SOCKET));
        }
        if let Some(path) = self.surroundings.path("MICROFLO_BRIDGE_CONTROL") {
            return Some(path.to_owned());
        }
        Some(self.asked_state_dir()?.join(CONTROL_SOCKET))
    }

    /// Where `run` makes its control socket.
    pub fn control_to_make(&self) -> PathBuf {
        if let Some(asked) = self.asked_control() {
            return asked;
        }
        let systemd = self.surroundings.path("RUNTIME_DIRECTORY").map(Path::to_owned);
        let system = || self.surroundings.root.then(|| SYSTEM_CONTROL_DIR.into());
        let user = || Some(self.surroundings.path("XDG_RUNTIME_DIR")?.join(NAME));
        let dir = systemd.or_else(system).or_else(user).unwrap_or_else(|| self.default_state_dir());
        dir.join(CONTROL_SOCKET)
    }

    /// Where commands look for a running bridge, in this order.
    pub fn control_to_try(&self) -> Vec<PathBuf> {
        if let Some(asked) = self.asked_control() {
            return vec![asked];
        }
        let user = self.surroundings.path("XDG_RUNTIME_DIR").map(|dir| dir.join(NAME));
        let dirs = user.into_iter().chain([SYSTEM_CONTROL_DIR.into(), self.default_state_dir()]);
        dirs.map(|dir| dir.join(CONTROL_SOCKET)).collect()
    }

    /// Whether the control socket at `path` is the system's, shared by a group, and not one user's own.
    pub fn is_system_control(path: &Path) -> bool {
        path.starts_with(SYSTEM_CONTROL_DIR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(vars: &[(&str, &str)], root: bool) -> Places {
        let vars: Vec<_> = vars.iter().map(|(name, value)| (*name, PathBuf::from(value))).collect();
        Places::new(Surroundings::fake(&vars, root))
    }

    #[test]
    fn state_dir_by_option_environment_configuration_systemd_default() {
        let all =
            [("MICROFLO_BRIDGE_STATE_DIR", "/env"), ("STATE_DIRECTORY", "/systemd:/other"), ("HOME", "/home/ann")];
        let configured = || Some(PathBuf::from("/configured"));
        let asked = places(&all, false).with_state_dir(Some("/option".into()));
        assert_eq!(asked.state_dir(configured()), Path::new("/option"));
        assert_eq!(places(&all, false).state_dir(configured()), Path::new("/env"));
        assert_eq!(places(&all[1..], false).state_dir(configured()), Path::new("/configured"));
        assert_eq!(places(&all[1..], false).state_dir(None), Path::new("/systemd"));
        assert_eq!(places(&all[2..], false).state_dir(None), Path::new("/home/ann/.local/state/microflo-bridge"));
        assert_eq!(places(&all[2..], true).state_dir(None), Path::new("/var/lib/microflo-bridge"));
    }

    #[test]
    fn the_token_is_from_the_environment_or_from_systemds_credentials() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(TOKEN_CREDENTIAL), "from-systemd\n").unwrap();
        let credentials = ("CREDENTIALS_DIRECTORY", dir.path().to_str().unwrap());
        let token = |vars: &[(&str, &str)]| {
            let token = places(vars, false).registry_token().unwrap();
            token.map(|(token, origin)| (token.expose().to_owned(), origin.to_string()))
        };
        let credential = "credential microflo-bridge.registry_token".to_owned();
        assert_eq!(token(&[credentials]), Some(("from-systemd".to_owned(), credential)));
        let variable = (TOKEN_VARIABLE, "from-environment");
        let both = token(&[credentials, variable]);
        assert_eq!(both, Some(("from-environment".to_owned(), TOKEN_VARIABLE.to_owned())));
        assert_eq!(token(&[("CREDENTIALS_DIRECTORY", "/nowhere")]), None);
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::create_dir(dir.path().join("sub").join(TOKEN_CREDENTIAL)).unwrap();
        let unreadable = dir.path().join("sub");
        let unreadable = [("CREDENTIALS_DIRECTORY", unreadable.to_str().unwrap())];
        assert!(matches!(places(&unreadable, false).registry_token(), Err(ConfigError::Read { .. })));
    }

    #[test]
    fn commands_find_the_socket_that_run_made() {
        let session = [("XDG_RUNTIME_DIR", "/run/user/1000"), ("HOME", "/home/ann")];
        let cases = [
            places(&session, false),
            places(&session, true),
            places(&[("HOME", "/home/ann")], false),
            places(&[("MICROFLO_BRIDGE_CONTROL", "/tmp/c")], false),
            places(&[("MICROFLO_BRIDGE_STATE_DIR", "/s")], false),
            places(&session, false).with_state_dir(Some("/s".into())),
        ];
        for places in cases {
            assert!(places.control_to_try().contains(&places.control_to_make()), "{places:?}");
        }
    }

    #[test]
    fn a_state_dir_option_beats_a_control_variable() {
        let places = places(&[("MICROFLO_BRIDGE_CONTROL", "/tmp/c")], false).with_state_dir(Some("/s".into()));
        assert_eq!(places.control_to_try(), [PathBuf::from("/s/control.sock")]);
    }
}
