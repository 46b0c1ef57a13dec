//! Who calls an endpoint that needs no session.

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use tenantry_app::accounts::Visitor;

use crate::{AppState, ClientAddress, Problem, cookie::SessionCookie, csrf};

/// Where a call comes from. A call that a browser makes from another site is refused.
#[derive(Debug, Clone)]
pub struct AtTheDoor(pub Visitor);

impl FromRequestParts<AppState> for AtTheDoor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        csrf::check_origin_if_sent(state, parts)?;
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        let device = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        Ok(Self(Visitor {
            address,
            device: device.unwrap_or_default().to_owned(),
            device_secret: SessionCookie::Device.read(&parts.headers),
            operator_device_secret: SessionCookie::OperatorDevice.read(&parts.headers),
            sign_up_secret: SessionCookie::SignUp.read(&parts.headers),
        }))
    }
}
