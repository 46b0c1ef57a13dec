//! Tokens for programs: signed by keys that all replicas share, refreshed by a chain of tokens that are used once.

mod bearer;
mod claims;
mod installation_secret;
mod key_pair;
mod key_ring;
mod keys;
mod refresh;
mod start;

pub use bearer::{BearerSession, find_bearer_session, find_token_session};
pub use key_pair::KeyError;
pub use key_ring::{follow_keys, jwks};
pub use keys::{RevokedKey, SigningKey, keep_keys_fresh, list_keys, revoke_key, rotate_keys};
pub use refresh::{RefreshError, refresh};
pub use start::Tokens;
pub(super) use start::start;

pub(super) use claims::{AccessClaims, TokenType, check, check_signature, sign};
pub(crate) use key_ring::KeyRing;
