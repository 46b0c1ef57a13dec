//! Configuration: a TOML file, overridden by the environment, checked as a whole before anything starts.

mod domains;
mod settings;
mod sources;

pub use domains::share_registrable_domain;
pub use settings::{Configuration, LogFormat};
pub use sources::load;
