//! A firmware build: what `microflo generate` wrote about it.

use std::sync::Arc;

use serde_json::Value;

use super::library::{Library, LibraryError};

/// What is known of the firmware on a board.
#[derive(Clone, Debug, PartialEq)]
pub struct Build {
    /// Its components.
    pub library: Library,
    /// The graph that it runs at boot, in FBP's JSON format: the names that the board does not know.
    pub graph: Option<Arc<Value>>,
    /// Where it is known from, for people.
    pub origin: String,
}

impl Build {
    /// A build of which only the component map is known.
    pub fn of(library: Library, origin: impl Into<String>) -> Build {
        Build { library, graph: None, origin: origin.into() }
    }
}

/// Why what was given is no build.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The component map is wrong.
    #[error(transparent)]
    Components(#[from] LibraryError),
    /// The graph is wrong.
    #[error("the graph is not an object in FBP's JSON format: {0}; give the main.json that `microflo generate` wrote")]
    Graph(String),
}

impl Build {
    /// Reads a component map and, if given, the graph that the firmware runs at boot.
    pub fn read(components: &str, graph: Option<&str>, origin: impl Into<String>) -> Result<Build, BuildError> {
        let library = Library::from_json(components)?;
        Ok(Build { library, graph: graph.map(Build::read_graph).transpose()?, origin: origin.into() })
    }

    /// Reads the graph that firmware runs at boot.
    pub fn read_graph(text: &str) -> Result<Arc<Value>, BuildError> {
        let graph: Value = serde_json::from_str(text).map_err(|error| BuildError::Graph(error.to_string()))?;
        if !graph["processes"].is_object() {
            return Err(BuildError::Graph("it has no `processes`".to_owned()));
        }
        Ok(Arc::new(graph))
    }
}
