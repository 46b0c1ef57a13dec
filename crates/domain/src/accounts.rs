//! People: addresses, passwords, sessions, and what a failed sign-in costs.

pub mod email;
pub mod impersonation;
pub mod locale;
pub mod notifications;
pub mod operator;
pub mod password;
pub mod session;
pub mod throttle;
pub mod time_zone;

pub use email::{Email, InvalidEmail};
pub use locale::{InvalidLocale, Locale};
pub use notifications::{NotificationChange, Notifications};
pub use operator::OperatorRole;
pub use password::{InvalidPassword, Password};
pub use throttle::Allowance;
pub use time_zone::{TimeZone, UnknownTimeZone};
