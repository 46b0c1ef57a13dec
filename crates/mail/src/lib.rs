//! Mail by SMTP: the words, and the way to the server.

mod render;
mod smtp;

pub use render::{RenderError, Rendered, Renderer};
pub use smtp::{SmtpMailer, SmtpSettingsError};
