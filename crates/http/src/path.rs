//! Things that an address names. A text of the wrong form names nothing, so it is not found.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use tenantry_domain::{
    ids::{CheckoutId, OperationId, OperatorId, OrganizationId, SessionId, SubscriptionId, TenantId, UserId},
    organizations::slug,
};

use crate::problem::{Problem, kinds};

/// A type that stands in addresses under a name of its own: `{tenant}`.
pub trait PathParameter: FromStr {
    /// The name between the braces.
    const NAME: &'static str;
}

macro_rules! path_parameters {
    ($($kind:ty = $name:literal;)+) => {
        $(impl PathParameter for $kind {
            const NAME: &'static str = $name;
        })+
    };
}

path_parameters! {
    CheckoutId = "checkout";
    OperationId = "operation";
    OperatorId = "operator";
    OrganizationRef = "organization";
    SessionId = "session";
    SubscriptionId = "subscription";
    TenantId = "tenant";
    UserId = "user";
}

/// The identifier that stands in the address, such as `PathId(tenant): PathId<TenantId>`.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<T, S> FromRequestParts<S> for PathId<T>
where
    T: PathParameter,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, T::NAME)
            .await
            .and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(|| Problem::of(kinds::NOT_FOUND))
    }
}

/// The decoded text of a path parameter. The ledger's texts hold no NUL, so one that does names nothing.
pub(crate) async fn parameter<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Option<String> {
    let parameters = RawPathParams::from_request_parts(parts, state).await.ok()?;
    parameters
        .iter()
        .find(|(key, value)| *key == name && !value.contains('\0'))
        .map(|(_, value)| value.to_owned())
}

/// An organization, named by its id or by its slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganizationRef {
    /// `org_…`
    Id(OrganizationId),
    /// `museum-of-examples`; it may be a former one.
    Slug(String),
}

/// A text that no organization can have for a name in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither an organization's id nor a slug")]
pub struct NoSuchName;

impl FromStr for OrganizationRef {
    type Err = NoSuchName;

    fn from_str(text: &str) -> Result<Self, NoSuchName> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let is_slug = !text.is_empty()
            && text.len() <= slug::MAX_CHARS
            && text
                .bytes()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-');
        if is_slug {
            Ok(Self::Slug(text.to_owned()))
        } else {
            Err(NoSuchName)
        }
    }
}
