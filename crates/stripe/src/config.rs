//! How Stripe is reached.

use std::{fmt, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Where the real Stripe answers.
const STRIPE: &str = "https://api.stripe.com";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(20);

/// How Stripe is reached, and with which key.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// The origin of the API, without `/v1`.
    pub base_url: Url,
    /// A secret or restricted key.
    pub api_key: SecretString,
    /// Signing secrets from the configuration; several while they are rotated.
    pub webhook_secrets: Vec<SecretString>,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for a whole answer.
    pub timeout: Duration,
}

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStripeConfig {
    /// Something else than a secret key.
    #[error("the Stripe key is not a secret key: use one that begins with sk_test_, rk_test_, sk_live_ or rk_live_")]
    NotASecretKey,
    /// A key that would travel in clear text.
    #[error("{0} is not https: a key is sent in clear only to this machine")]
    Insecure(String),
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

impl StripeConfig {
    /// The real Stripe with this key.
    ///
    /// # Errors
    /// A key that is not a secret one.
    pub fn new(api_key: SecretString) -> Result<Self, InvalidStripeConfig> {
        let base_url = Url::parse(STRIPE).map_err(|error| InvalidStripeConfig::Client(error.to_string()))?;
        Self::at(base_url, api_key)
    }

    /// Something that speaks Stripe's API at another address.
    ///
    /// # Errors
    /// A key that is not a secret one, or an address to which it would travel in clear.
    pub fn at(base_url: Url, api_key: SecretString) -> Result<Self, InvalidStripeConfig> {
        mode(&api_key).ok_or(InvalidStripeConfig::NotASecretKey)?;
        let is_local = match base_url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if base_url.scheme() != "https" && !is_local {
            return Err(InvalidStripeConfig::Insecure(base_url.origin().ascii_serialization()));
        }
        Ok(Self {
            base_url,
            api_key,
            webhook_secrets: Vec::new(),
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
        })
    }

    /// Whether the key moves real money.
    #[must_use]
    pub fn livemode(&self) -> bool {
        mode(&self.api_key) == Some(Mode::Live)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Test,
    Live,
}

fn mode(key: &SecretString) -> Option<Mode> {
    let key = key.expose_secret();
    let rest = key.strip_prefix("sk_").or_else(|| key.strip_prefix("rk_"))?;
    if !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    if rest.starts_with("test_") {
        Some(Mode::Test)
    } else if rest.starts_with("live_") {
        Some(Mode::Live)
    } else {
        None
    }
}

impl fmt::Display for StripeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.livemode() { "live" } else { "test" };
        write!(f, "{} ({mode} mode)", self.base_url.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str, key: &str) -> Result<StripeConfig, InvalidStripeConfig> {
        StripeConfig::at(Url::parse(url).unwrap(), SecretString::from(key.to_owned()))
    }

    #[test]
    fn only_secret_keys_are_taken() {
        assert!(at("https://api.stripe.com", "sk_test_1").is_ok_and(|config| !config.livemode()));
        assert!(at("https://api.stripe.com", "rk_live_1").is_ok_and(|config| config.livemode()));
        for key in ["", "pk_test_1", "sk_", "sk_testing", "sk_test_1\r\nX-Injected: 1"] {
            assert!(
                matches!(
                    at("https://api.stripe.com", key),
                    Err(InvalidStripeConfig::NotASecretKey)
                ),
                "{key:?}"
            );
        }
    }

    #[test]
    fn a_key_travels_in_clear_only_on_this_machine() {
        for url in [
            "http://127.0.0.1:9",
            "http://localhost:9",
            "http://stripe.localhost",
            "http://[::1]:9",
        ] {
            assert!(at(url, "sk_test_1").is_ok(), "{url}");
        }
        assert!(matches!(
            at("http://api.stripe.com", "sk_test_1"),
            Err(InvalidStripeConfig::Insecure(_))
        ));
    }

    #[test]
    fn the_key_is_never_printed() {
        let config = at("http://127.0.0.1:9", "sk_test_verysecret").unwrap();
        assert!(!format!("{config:?} {config}").contains("verysecret"));
    }
}
