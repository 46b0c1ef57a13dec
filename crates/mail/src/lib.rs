//! Mail by SMTP: the words, and the way to the server.

mod render;
mod samples;
mod smtp;

pub use render::{RenderError, Rendered, Renderer};
pub use samples::samples;
pub use smtp::{SmtpMailer, SmtpSettingsError};
