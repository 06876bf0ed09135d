//! The page's files, as they are in the program.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// A file.
#[derive(Debug)]
pub(super) struct Asset {
    name: &'static str,
    pub(super) content_type: &'static str,
    pub(super) content: &'static str,
}

/// How much of a file's hash names its version, in bytes.
const TAG_BYTES: usize = 12;

/// The page itself.
pub(super) static INDEX: Asset =
    Asset { name: "index.html", content_type: HTML, content: include_str!("page/index.html") };

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! assets {
    ($($content_type:ident $name:literal,)*) => {
        /// What the page is made of.
        static ASSETS: &[Asset] = &[$(
            Asset { name: $name, content_type: $content_type, content: include_str!(concat!("page/", $name)) },
        )*];
    };
}

assets! {
    SVG "icon.svg",
    CSS "style.css",
    CSS "card.css",
    CSS "graph.css",
    SCRIPT "main.js",
    SCRIPT "access.js",
    SCRIPT "events.js",
    SCRIPT "dom.js",
    SCRIPT "board.js",
    SCRIPT "label.js",
    SCRIPT "actions.js",
    SCRIPT "words.js",
    SCRIPT "sparkline.js",
    SCRIPT "graph.js",
    SCRIPT "layout.js",
    SCRIPT "draw.js",
    SCRIPT "packets.js",
}

/// The file of that name.
pub(super) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Names a file's version.
pub(super) fn tag(asset: &Asset) -> String {
    let hash = Sha256::digest(asset.content);
    let hex = hash.iter().take(TAG_BYTES).fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("\"{hex}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file is named by the page or by another file, and every file that is named is there.
    #[test]
    fn the_files_fit_together() {
        let all = || ASSETS.iter().chain([&INDEX]);
        for asset in ASSETS {
            let named = |other: &&Asset| {
                other.content.contains(&format!("dashboard/{}\"", asset.name))
                    || other.content.contains(&format!("\"./{}\"", asset.name))
            };
            assert!(all().find(named).is_some(), "nothing uses {}", asset.name);
        }
        for asset in all() {
            for import in asset.content.split("from \"./").skip(1) {
                let name = import.split('"').next().unwrap();
                assert!(find(name).is_some(), "{} imports {name}, which is not there", asset.name);
            }
        }
    }

    #[test]
    fn nothing_makes_markup_of_text_or_names_another_server() {
        for asset in ASSETS.iter().chain([&INDEX]) {
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
                "eval(",
                "style=",
                "onclick=",
                "https://",
            ] {
                assert!(!asset.content.contains(word), "{} has {word}", asset.name);
            }
        }
    }
}
