//! People: addresses, passwords, second factors, sessions, and what a failed sign-in costs.

pub mod device;
pub mod email;
pub mod impersonation;
pub mod locale;
pub mod notifications;
pub mod operator;
pub mod password;
pub mod rate;
pub mod recovery_code;
pub mod second_factor;
pub mod session;
pub mod throttle;
pub mod time_zone;
pub mod tokens;
pub mod totp;

pub use email::{Email, InvalidEmail};
pub use locale::{InvalidLocale, Locale};
pub use notifications::{NotificationChange, Notifications};
pub use operator::OperatorRole;
pub use password::{InvalidPassword, Password};
pub use recovery_code::RecoveryCode;
pub use second_factor::{EnteredCode, FactorHolder, InvalidCode, SecondFactorMethod};
pub use session::Grant;
pub use throttle::Allowance;
pub use time_zone::{TimeZone, UnknownTimeZone};
pub use totp::TotpSecret;
