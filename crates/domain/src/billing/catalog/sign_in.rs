//! How people sign in to a product with their account here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// What a redirect address may begin with in a dedicated product: the tenant's own address, as in chart values.
const TENANT_URL: &str = "{{ tenant.url }}";
const MAX_BYTES: usize = 2000;

/// Single sign-on into a product: it is registered as an OpenID client whose id is the product's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Where a browser may be sent after signing in, each compared letter by letter. A dedicated product writes
    /// `{{ tenant.url }}/auth/callback`, which stands for that path at the address of each of its tenants.
    #[schemars(length(min = 1, max = 20), example = &["https://collection.example.com/auth/callback"])]
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after signing out, compared in the same way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), example = &["https://collection.example.com/"])]
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether the product can keep a secret.
    pub client: ClientKind,
}

/// Whether a client can keep a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// It runs where others can read it: in browsers, or in each tenant. It proves itself by PKCE alone.
    Public,
    /// It runs on servers of yours. `catalog apply` makes its secret and prints it once.
    Confidential,
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedirect {
    /// Not an absolute address.
    #[error("an address is written in full, such as https://collection.example.com/auth/callback")]
    NotAbsolute,
    /// Codes would travel in clear.
    #[error("the address must be https; http only for this machine (localhost, 127.0.0.1)")]
    NotSecure,
    /// A part that browsers treat differently.
    #[error("the address holds a user, a fragment (#) or an asterisk: leave that away, addresses are compared exactly")]
    Inexact,
    /// An expression where none is resolved.
    #[error("only a dedicated product's address may hold an expression, and only begin with `{{{{ tenant.url }}}}/`")]
    Expression,
    /// Longer than servers take.
    #[error("the address is longer than {MAX_BYTES} bytes")]
    TooLong,
}

/// Whether an address stands for one at each tenant.
#[must_use]
pub fn names_tenants(address: &str) -> bool {
    address.starts_with(TENANT_URL)
}

/// The address at one tenant.
#[must_use]
pub fn at_tenant(address: &str, tenant_url: &str) -> String {
    address.replacen(TENANT_URL, tenant_url, 1)
}

/// Checks an address that browsers may be sent to.
pub(super) fn check_redirect(address: &str, is_dedicated: bool) -> Result<(), InvalidRedirect> {
    if address.len() > MAX_BYTES {
        return Err(InvalidRedirect::TooLong);
    }
    // What an expression stands for is an address of ours without a path.
    let resolved = if is_dedicated && names_tenants(address) {
        at_tenant(address, "https://tenant.example.com")
    } else {
        address.to_owned()
    };
    if resolved.contains("{{") || (names_tenants(address) && !resolved.starts_with("https://tenant.example.com/")) {
        return Err(InvalidRedirect::Expression);
    }
    let url = Url::parse(&resolved).map_err(|_| InvalidRedirect::NotAbsolute)?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(InvalidRedirect::NotAbsolute),
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err(InvalidRedirect::NotSecure);
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_odd = resolved.contains(|letter: char| letter == '*' || letter.is_whitespace() || letter.is_control());
    if has_user || url.fragment().is_some() || is_odd {
        return Err(InvalidRedirect::Inexact);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_exact_and_secure() {
        for address in [
            "https://collection.example.com/auth/callback",
            "https://collection.example.com/auth/callback?tenant=1",
            "http://localhost:8080/callback",
            "http://museum.tenants.localhost/callback",
            "http://127.0.0.1/callback",
            "http://[::1]:9/callback",
        ] {
            assert_eq!(check_redirect(address, false), Ok(()), "{address}");
        }
        for (address, problem) in [
            ("/callback", InvalidRedirect::NotAbsolute),
            ("collection.example.com", InvalidRedirect::NotAbsolute),
            ("javascript:alert(1)", InvalidRedirect::NotAbsolute),
            ("http://collection.example.com/callback", InvalidRedirect::NotSecure),
            ("ftp://collection.example.com/callback", InvalidRedirect::NotSecure),
            ("https://*.example.com/callback", InvalidRedirect::Inexact),
            ("https://collection.example.com/callback#top", InvalidRedirect::Inexact),
            ("https://ada@collection.example.com/callback", InvalidRedirect::Inexact),
            ("{{ tenant.url }}/callback", InvalidRedirect::Expression),
        ] {
            assert_eq!(check_redirect(address, false), Err(problem), "{address}");
        }
    }

    #[test]
    fn a_dedicated_product_names_its_tenants() {
        assert_eq!(check_redirect("{{ tenant.url }}/callback", true), Ok(()));
        for address in [
            "{{ tenant.url }}",
            "{{ tenant.url }}.evil.example/",
            "{{ tenant.url }}/{{ tenant.name }}",
            "https://{{ tenant.host }}/",
        ] {
            assert_eq!(
                check_redirect(address, true),
                Err(InvalidRedirect::Expression),
                "{address}"
            );
        }
        assert_eq!(
            at_tenant("{{ tenant.url }}/callback", "http://museum.tenants.localhost:8080"),
            "http://museum.tenants.localhost:8080/callback"
        );
    }
}
