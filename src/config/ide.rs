//! The IDE that live URLs open.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::WebUrl;
use super::value::{ValueError, from_text};

/// The IDE that live URLs open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ide {
    /// That one.
    Url(WebUrl),
    /// A built one in that directory, which the bridge serves at `/ide/`.
    Dir(PathBuf),
}

impl Ide {
    /// The origin of its pages, where that is not the bridge's own.
    pub fn origin(&self) -> Option<String> {
        match self {
            Ide::Url(url) => Some(url.origin()),
            Ide::Dir(_) => None,
        }
    }

    /// Its directory, if it is served from one.
    pub fn dir(&self) -> Option<&Path> {
        match self {
            Ide::Url(_) => None,
            Ide::Dir(dir) => Some(dir),
        }
    }

    /// The same, with a relative directory meant from `dir`.
    pub fn below(self, dir: &Path) -> Ide {
        match self {
            Ide::Url(_) => self,
            Ide::Dir(own) => Ide::Dir(dir.join(own)),
        }
    }
}

impl FromStr for Ide {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.contains("://") { text.parse().map(Ide::Url) } else { Ok(Ide::Dir(text.into())) }
    }
}

impl<'de> Deserialize<'de> for Ide {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        from_text(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_one_and_everything_else_is_a_directory() {
        let url: Ide = "https://ui.example/lab".parse().unwrap();
        assert_eq!(url.origin().as_deref(), Some("https://ui.example"));
        let dir: Ide = "noflo-ui/browser".parse().unwrap();
        assert_eq!(dir.origin(), None);
        assert_eq!(dir.below(Path::new("/etc")), Ide::Dir("/etc/noflo-ui/browser".into()));
        assert!("ftp://ui.example".parse::<Ide>().is_err());
    }
}
