//! The files that `microflo generate` writes beside the code: the component map, and the graph.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// How the names of component maps end, over MicroFlo's versions.
const MAP_ENDINGS: [&str; 2] = ["componentlib-map.json", "component.map.json"];

/// The name of the graph beside it.
const GRAPH: &str = "main.json";

/// The name of the same graph as a command stream.
const STREAM: &str = "main.fbcs";

/// What was found, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareFiles {
    /// The component map.
    pub components: String,
    /// The embedded graph.
    pub graph: Option<String>,
    /// The embedded graph as a command stream.
    pub stream: Option<Vec<u8>>,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FirmwareFilesError {
    /// One cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that large is no component map and no graph.
    #[error("{} has more than the {FILE_BYTES} bytes that a component map or a graph may have", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A directory without a map.
    #[error("there is no component map (…componentlib-map.json) in {}; give the directory that `microflo generate` wrote to", .0.display())]
    NoMap(PathBuf),
    /// A directory with several.
    #[error("there are several component maps in {}: {}; give the one that is meant", directory.display(), list(found))]
    SeveralMaps {
        /// The directory.
        directory: PathBuf,
        /// The maps.
        found: Vec<PathBuf>,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Reads a component map, or a directory that has one, with its graph if that is there.
pub fn read(path: &Path) -> Result<FirmwareFiles, FirmwareFilesError> {
    if !path.is_dir() {
        return Ok(FirmwareFiles { components: read_text(path)?, graph: None, stream: None });
    }
    let mut maps = maps(path)?;
    let components = match (maps.pop(), maps.is_empty()) {
        (Some(map), true) => read_text(&map)?,
        (Some(map), false) => {
            maps.push(map);
            return Err(FirmwareFilesError::SeveralMaps { directory: path.to_owned(), found: maps });
        }
        (None, _) => return Err(FirmwareFilesError::NoMap(path.to_owned())),
    };
    let (graph, stream) = (path.join(GRAPH), path.join(STREAM));
    let graph = if graph.exists() { Some(read_text(&graph)?) } else { None };
    let stream = if stream.exists() { Some(read_bytes(&stream)?) } else { None };
    Ok(FirmwareFiles { components, graph, stream })
}

fn maps(directory: &Path) -> Result<Vec<PathBuf>, FirmwareFilesError> {
    let wrong = |source| FirmwareFilesError::Read { path: directory.to_owned(), source };
    let mut maps = Vec::new();
    for entry in fs::read_dir(directory).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if MAP_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            maps.push(path);
        }
    }
    maps.sort();
    Ok(maps)
}

/// Reads a file of bounded size as text.
pub fn read_text(path: &Path) -> Result<String, FirmwareFilesError> {
    String::from_utf8(read_bytes(path)?).map_err(|error| FirmwareFilesError::Read {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, FirmwareFilesError> {
    let wrong = |source| FirmwareFilesError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    // A pipe or device does not say beforehand how much it holds.
    let count = fs::File::open(path).map_err(wrong)?.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if count as u64 > FILE_BYTES {
        return Err(FirmwareFilesError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_brings_its_map_and_its_graph() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(read(dir.path()), Err(FirmwareFilesError::NoMap(_))));
        fs::write(dir.path().join("componentlib-map.json"), "map").unwrap();
        assert_eq!(read(dir.path()).unwrap(), FirmwareFiles { components: "map".into(), graph: None, stream: None });
        fs::write(dir.path().join("main.json"), "graph").unwrap();
        fs::write(dir.path().join("main.fbcs"), [0x75, 255]).unwrap();
        let found = read(dir.path()).unwrap();
        assert_eq!((found.graph.as_deref(), found.stream.as_deref()), (Some("graph"), Some(&[0x75, 255][..])));
        let map = read(&dir.path().join("componentlib-map.json")).unwrap();
        assert_eq!(map, FirmwareFiles { components: "map".into(), graph: None, stream: None });
        fs::write(dir.path().join("other.component.map.json"), "map").unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("several component maps"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read(Path::new("/nowhere/map.json")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/map.json cannot be read: No such file"), "{error}");
    }
}
