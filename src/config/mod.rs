//! Settings and where they come from: command line > environment > user file > system files > defaults.
//!
//! Each source is read into a [`Layer`], in which everything is optional. The layers are laid over each other,
//! and the result becomes [`Settings`], in which everything is decided.

pub mod address;
pub mod board_option;
pub mod device;
pub mod file;
pub mod ide;
pub mod layer;
pub mod origin;
pub mod places;
pub mod registry;
pub mod rule;
pub mod settings;
pub mod show;
pub mod value;
pub mod web;

pub use crate::pure::admission::GenericPolicy;
pub use address::ListenAddress;
pub use board_option::BoardOption;
pub use device::DeviceSpec;
pub use file::ConfigError;
pub use ide::Ide;
pub use layer::Layer;
pub use origin::{Origin, Origins};
pub use places::{Places, Surroundings};
pub use registry::{RegistryEntry, RemoteSettings, ResetPolicy};
pub use rule::{BoardMatch, BoardRule};
pub use settings::{HalfTls, Registries, Settings, tls_files};
pub use value::{Baud, ValueError};
pub use web::{RegistryChoice, WebUrl};
