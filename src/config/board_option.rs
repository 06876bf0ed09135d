//! `--board KEY=VALUE,…`: on the command line or in the environment, what `[[board]]` says in a file.

use std::str::FromStr;

use serde::Deserialize;
use toml::{Table, Value};

use super::file::words;
use super::{BoardRule, Origin};

/// The keys of `match`.
const MATCH: [&str; 5] = ["serial", "vid", "pid", "path", "id"];

/// One rule, typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardOption {
    rule: BoardRule,
    keys: Vec<String>,
}

/// Why a rule cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardOptionError {
    /// Something without `=`.
    #[error("`{0}` is not KEY=VALUE; write which board and what of it, as serial=75437303,label=Greenhouse")]
    NotKeyValue(String),
    /// A key given twice that has one value.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// Everybody on a host can read the command lines of all programs.
    #[error("a secret is not for the command line, which everybody here can read; write it into a configuration file")]
    Secret,
    /// What the configuration file would say, too.
    #[error("{0}")]
    Rule(String),
}

impl FromStr for BoardOption {
    type Err = BoardOptionError;

    fn from_str(text: &str) -> Result<Self, BoardOptionError> {
        let (mut matches, mut rule) = (Table::new(), Table::new());
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(|| BoardOptionError::NotKeyValue(part.to_owned()))?;
            let table = if MATCH.contains(&key) { &mut matches } else { &mut rule };
            match (key, table.get_mut(key)) {
                ("secret", _) => return Err(BoardOptionError::Secret),
                ("registry", Some(Value::Array(several))) => several.push(value.into()),
                (_, Some(_)) => return Err(BoardOptionError::Twice(key.to_owned())),
                (_, None) => drop(table.insert(key.to_owned(), typed(key, value))),
            }
        }
        let keys = rule.keys().cloned().collect();
        rule.insert("match".to_owned(), matches.into());
        let rule = BoardRule::deserialize(rule).map_err(|error| BoardOptionError::Rule(words(error.message())))?;
        Ok(BoardOption { rule, keys })
    }
}

/// The value as a file would have it. What is no number or no yes or no stays text, which the rule refuses in its own words.
fn typed(key: &str, text: &str) -> Value {
    match key {
        "baud" => text.parse().map_or_else(|_| text.into(), Value::Integer),
        "restore" | "ignore" => text.parse().map_or_else(|_| text.into(), Value::Boolean),
        "registry" => Value::Array(vec![text.into()]),
        _ => text.into(),
    }
}

impl BoardOption {
    /// The rule, which comes from there.
    pub fn into_rule(mut self, origin: &Origin) -> BoardRule {
        for key in &self.keys {
            self.rule.origins.set(key, origin.clone());
        }
        self.rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> BoardRule {
        text.parse::<BoardOption>().unwrap().into_rule(&Origin::Flag)
    }

    #[test]
    fn it_says_what_a_file_says() {
        let typed = rule(
            "vid=2341,serial=75437303,label=Door lock,registry=https://a.example,registry=none,baud=9600,\
             dialect=microflo1,reset=on-open,restore=true,ignore=false,components=build,description=By the window",
        );
        let file = r#"
            match = { vid = "2341", serial = "75437303" }
            label = "Door lock"
            registry = ["https://a.example", "none"]
            baud = 9600
            dialect = "microflo1"
            reset = "on-open"
            restore = true
            ignore = false
            components = "build"
            description = "By the window"
        "#;
        let file: BoardRule = toml::from_str(file).unwrap();
        assert_eq!(typed.origins.of("label"), Origin::Flag);
        assert_eq!(BoardRule { origins: Default::default(), ..typed }, file);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, words) in [
            ("", "KEY=VALUE"),
            ("Greenhouse", "`Greenhouse` is not KEY=VALUE"),
            ("label=x", "needs at least one of serial, vid, pid, path, id"),
            ("serial=1,lable=x", "unknown key `lable`; the nearest is `label`"),
            ("serial=1,label=x,label=y", "`label` is given twice"),
            ("serial=1,serial=2,label=x", "`serial` is given twice"),
            ("serial=1,baud=quick", "quick"),
            ("serial=1,baud=1200", "bootloader"),
            ("serial=1,restore=maybe", "maybe"),
            ("vid=arduino,label=x", "`arduino` is no USB id"),
            ("serial=1,registry=http://lab.example", "unencrypted"),
        ] {
            let error = text.parse::<BoardOption>().unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains('\n'), "{text}: {error}");
        }
        let error = "serial=1,secret=a-secret-that-is-long-enough".parse::<BoardOption>().unwrap_err();
        assert_eq!(error, BoardOptionError::Secret);
    }
}
