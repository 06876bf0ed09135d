//! Every setting with its value and where it comes from, for people. Secrets are never part of it.

use std::fmt::Display;
use std::path::PathBuf;

use super::{BoardRule, Ide, Origin, RegistryChoice, Settings};

/// One line of `config show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key of the configuration file, or the option.
    pub key: String,
    /// The value; of a secret, that there is one.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// What is shown of a secret.
const HIDDEN: &str = "set (not shown)";
/// What is shown where there is no value.
const NOT_SET: &str = "not set";

/// Every setting.
pub fn rows(settings: &Settings) -> Vec<Shown> {
    let row = |key: &str, value: String| Shown { key: key.to_owned(), value, origin: settings.origins.of(key) };
    let url = |url: &super::WebUrl| url.name().to_owned();
    let file = |path: Option<&PathBuf>| path.map_or_else(|| NOT_SET.to_owned(), |path| path.display().to_string());
    let mut rows = vec![
        row("listen", join(&settings.listen)),
        row("registry", registries(settings)),
        row("registry_token", hidden(settings.registry_token.is_some())),
        row("user", settings.user.map_or_else(|| "the local user".to_owned(), |user| user.to_string())),
        row("public_url", settings.public_url.as_ref().map_or_else(|| NOT_SET.to_owned(), url)),
        row("ide", ide(&settings.ide)),
        row("tls_cert", file(settings.tls.as_ref().map(|tls| &tls.cert))),
        row("tls_key", file(settings.tls.as_ref().map(|tls| &tls.key))),
        row("generic", settings.generic.name().to_owned()),
        row("bauds", join(&settings.bauds)),
        row("mdns", settings.mdns.to_string()),
        row("state_dir", settings.state_dir.display().to_string()),
        row("simulate", settings.simulate.to_string()),
        row("device", join(settings.devices.iter().map(|device| device.path.display()))),
    ];
    for remote in settings.remotes() {
        let name = remote.url.name();
        let origin = settings.origins.of("registry");
        let mut add = |key: &str, value| {
            rows.push(Shown { key: format!("registry {name} {key}"), value, origin: origin.clone() });
        };
        add("token", hidden(remote.token.is_some()));
        add("user", remote.user.map_or_else(|| "the local user".to_owned(), |user| user.to_string()));
        add("default", remote.default.to_string());
    }
    rows.extend(settings.boards.iter().flat_map(of_rule));
    rows
}

fn of_rule(rule: &BoardRule) -> Vec<Shown> {
    let values = [
        ("label", rule.label.clone()),
        ("description", rule.description.clone()),
        ("registry", rule.registry.as_deref().map(choices)),
        ("user", rule.user.map(|user| user.to_string())),
        ("secret", rule.secret.as_ref().map(|_| HIDDEN.to_owned())),
        ("baud", rule.baud.map(|baud| baud.get().to_string())),
        ("dialect", rule.dialect.map(|dialect| dialect.name().to_owned())),
        ("reset", rule.reset.map(|reset| reset.name().to_owned())),
        ("components", rule.components.as_ref().map(|path| path.display().to_string())),
        ("graph", rule.graph.as_ref().map(|path| path.display().to_string())),
        ("firmware", rule.firmware.clone()),
        ("restore", rule.restore.map(|restore| restore.to_string())),
        ("ignore", rule.ignore.map(|ignore| ignore.to_string())),
    ];
    let show = |(key, value): (&str, Option<String>)| {
        Some(Shown { key: format!("board {} {key}", rule.matches), value: value?, origin: rule.origins.of(key) })
    };
    values.into_iter().filter_map(show).collect()
}

fn registries(settings: &Settings) -> String {
    let embedded = settings.registries.embedded.then(|| "embedded".to_owned());
    let urls = settings.registries.urls.iter().map(|url| url.name().to_owned());
    let all: Vec<String> = embedded.into_iter().chain(urls).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

fn choices(choices: &[RegistryChoice]) -> String {
    let name = |choice: &RegistryChoice| match choice {
        RegistryChoice::None => "none".to_owned(),
        RegistryChoice::Url(url) => url.name().to_owned(),
    };
    choices.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn ide(ide: &Ide) -> String {
    match ide {
        Ide::Url(url) => url.name().to_owned(),
        Ide::Dir(dir) => dir.display().to_string(),
    }
}

fn hidden(is_set: bool) -> String {
    if is_set { HIDDEN.to_owned() } else { NOT_SET.to_owned() }
}

fn join(values: impl IntoIterator<Item = impl Display>) -> String {
    let all: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
