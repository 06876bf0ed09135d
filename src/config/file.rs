//! Configuration files: TOML, where a mistake is shown with file, line and column.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use strsim::osa_distance;
use toml::de::DeTable;

use super::{Layer, Origin, Origins, Places};

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It says something that cannot be used.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// Reads the files that there are, laid over each other.
///
/// With `explicit` (`--config FILE`) that file alone is read, and must be there. Else: the user's file over the system's
/// `conf.d/*.toml` (a later name over an earlier one) over the system's `config.toml`; each may be missing.
pub fn load(explicit: Option<&Path>, places: &Places) -> Result<Layer, ConfigError> {
    if let Some(path) = explicit {
        return read(path);
    }
    let mut merged = Layer::default();
    let system = places.system_config_dir();
    let lowest_first = [system.join("config.toml")]
        .into_iter()
        .chain(drop_ins(&system.join("conf.d"))?)
        .chain(places.user_config_file());
    for path in lowest_first {
        match read(&path) {
            Ok(layer) => merged = layer.over(merged),
            Err(ConfigError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(merged)
}

fn drop_ins(dir: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let wrong = |source| ConfigError::Read { path: dir.to_owned(), source };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Layer, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let mut layer = parse(path, &text)?;
    let dir = path.parent().unwrap_or(Path::new(""));
    layer.ide = layer.ide.map(|ide| ide.below(dir));
    for rule in &mut layer.board {
        rule.components = rule.components.take().map(|map| dir.join(map));
        rule.graph = rule.graph.take().map(|graph| dir.join(graph));
    }
    for file in [&mut layer.tls_cert, &mut layer.tls_key] {
        *file = file.take().map(|file| dir.join(file));
    }
    note_origins(&mut layer, path, &text);
    layer.part_registries();
    Ok(layer)
}

/// The line of each key.
fn lines(table: &DeTable<'_>, path: &Path, text: &str) -> Origins {
    let mut origins = Origins::default();
    for key in table.keys() {
        let line = text[..key.span().start].matches('\n').count() + 1;
        origins.set(key.get_ref(), Origin::File { path: path.to_owned(), line });
    }
    origins
}

/// Notes the lines of everything that the file says. It was read before, so that it can be parsed.
fn note_origins(layer: &mut Layer, path: &Path, text: &str) {
    let Ok(document) = DeTable::parse(text) else { return };
    layer.origins = lines(document.get_ref(), path, text);
    let rules = document.get_ref().get("board").and_then(|rules| rules.get_ref().as_array());
    for (rule, table) in layer.board.iter_mut().zip(rules.into_iter().flat_map(|rules| rules.iter())) {
        rule.origins = table.get_ref().as_table().map(|table| lines(table, path, text)).unwrap_or_default();
    }
}

fn parse(path: &Path, text: &str) -> Result<Layer, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        ConfigError::Content {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            message: words(error.message()),
        }
    })
}

/// The parser's words on one line. A key that does not exist comes with the nearest one that does.
pub(super) fn words(message: &str) -> String {
    let Some(unknown) = message.strip_prefix("unknown field `") else { return message.replace('\n', "; ") };
    // Every other piece is between backticks.
    let mut names = unknown.split('`').step_by(2);
    let key = names.next().unwrap_or_default();
    let keys: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    let nearest = keys.iter().min_by_key(|name| osa_distance(key, name));
    let meant = nearest.map_or_else(String::new, |nearest| format!("; the nearest is `{nearest}`"));
    format!("unknown key `{key}`{meant}; the keys here are {}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{GenericPolicy, ListenAddress, Surroundings};

    fn mistake(text: &str) -> String {
        parse(Path::new("bridge.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn every_key_is_read() {
        let layer = parse(
            Path::new("bridge.toml"),
            r#"
            listen = ["127.0.0.1:1", "[::1]:1"]
            registry = "https://registry.example"
            user = "11111111-1111-4111-8111-111111111111"
            public_url = "https://boards.example/lab/"
            ide = "http://localhost:8080"
            generic = "open"
            tls_cert = "cert.pem"
            tls_key = "key.pem"
            bauds = [115200]
            state_dir = "/var/lib/x"
            [[board]]
            match = { vid = "2341", serial = "1" }
            label = "Door"
            baud = 9600
            dialect = "uC/Flo01"
            components = "door.json"
            ignore = false
            "#,
        )
        .unwrap();
        assert_eq!(layer.listen.unwrap().len(), 2);
        assert_eq!(layer.registry.unwrap().len(), 1);
        assert_eq!(layer.generic, Some(GenericPolicy::Open));
        assert_eq!(layer.board[0].label.as_deref(), Some("Door"));
    }

    #[test]
    fn a_misspelt_key_shows_file_line_column_and_the_keys() {
        let text = mistake("# mine\n  listn = \"127.0.0.1:1\"\n");
        assert!(text.starts_with("bridge.toml:2:3: unknown key `listn`; the nearest is `listen`; "), "{text}");
        assert!(text.contains("listen, registry, "), "{text}");
    }

    #[test]
    fn misspelt_keys_are_found_in_tables_too() {
        for (text, start) in [
            (
                "[[board]]\nmatch = { vid = \"2341\" }\nlabl = \"x\"",
                "bridge.toml:3:1: unknown key `labl`; the nearest is `label`",
            ),
            (
                "[[board]]\nmatch = { serail = \"1\" }",
                "bridge.toml:2:11: unknown key `serail`; the nearest is `serial`",
            ),
            (
                "[[registry]]\nurl = \"https://x\"\n tokn = \"1\"",
                "bridge.toml:3:2: unknown key `tokn`; the nearest is `token`",
            ),
        ] {
            let shown = mistake(text);
            assert!(shown.starts_with(start), "{text:?}: {shown}");
        }
    }

    #[test]
    fn a_bad_value_shows_its_place_and_what_is_right() {
        for (text, place, word) in [
            ("listen = [\"127.0.0.1:1\",\n  \"here\"]", "bridge.toml:2:3", "ADDRESS:PORT"),
            ("listen = \"here\"", "bridge.toml:1:10", "ADDRESS:PORT"),
            ("bauds = [9600, 1200]", "bridge.toml:1:16", "bootloader"),
            ("generic = \"maybe\"", "bridge.toml:1:11", "`ask`"),
            ("public_url = \"ws://x\"", "bridge.toml:1:14", "https://"),
            ("[[board]]\nmatch = {}", "bridge.toml:2:9", "at least one"),
            ("[[board]]\nmatch = { vid = 70000 }", "bridge.toml:2:17", "four hexadecimal digits"),
            ("[[board]]\nmatch = { id = \"x\" }\n", "bridge.toml:2:16", ""),
            ("[[board]]\nlabel = \"x\"", "bridge.toml:1:1", "missing field `match`"),
            ("listen = ", "bridge.toml:1:10", ""),
        ] {
            let shown = mistake(text);
            assert!(shown.starts_with(place) && shown.contains(word), "{text:?}: {shown}");
            assert!(!shown.contains('\n'), "one line: {shown:?}");
        }
    }

    #[test]
    fn user_file_over_drop_ins_over_system_file() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("system/config.toml", "listen = \"localhost:1\"\ngeneric = \"never\"\nbauds = [300]");
        write("system/conf.d/10-a.toml", "listen = \"localhost:2\"\nbauds = [600]");
        write("system/conf.d/20-b.toml", "listen = \"localhost:3\"");
        write("system/conf.d/30-c.toml.off", "nonsense");
        write("user/microflo-bridge/config.toml", "listen = \"localhost:4\"");
        let vars = [("XDG_CONFIG_HOME", dir.path().join("user"))];
        let places = Places::new(Surroundings::fake(&vars, false)).with_system_config(dir.path().join("system"));

        let layer = load(None, &places).unwrap();
        assert_eq!(layer.listen, Some(vec![ListenAddress::Localhost(4)]));
        assert_eq!(layer.bauds.unwrap()[0].get(), 600);
        assert_eq!(layer.generic, Some(GenericPolicy::Never));
    }

    #[test]
    fn every_setting_that_the_packages_file_shows_can_be_switched_on() {
        let shown = include_str!("../../udev/config.toml");
        let is_setting =
            |line: &str| line.starts_with("[[") || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        let lines = shown.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| is_setting(line));
        let on: Vec<&str> = lines.collect();
        assert!(on.len() > 10, "{on:?}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, on.join("\n")).unwrap();
        let layer = load(Some(&path), &Places::new(Surroundings::fake(&[], false))).unwrap();
        assert_eq!(layer.board[0].label.as_deref(), Some("Greenhouse"));
        assert_eq!(layer.generic, Some(GenericPolicy::Ask));
    }

    #[test]
    fn a_named_file_must_be_there_and_its_relative_paths_start_at_it() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::new(Surroundings::fake(&[], false));
        let path = dir.path().join("mine.toml");
        assert!(matches!(load(Some(&path), &places), Err(ConfigError::Read { .. })));
        fs::write(&path, "[[board]]\nmatch = { vid = \"2341\" }\ncomponents = \"map.json\"").unwrap();
        let layer = load(Some(&path), &places).unwrap();
        assert_eq!(layer.board[0].components, Some(dir.path().join("map.json")));
    }
}
