//! How many tokens clients of single sign-on may ask for: counted for the network that asks, and for the client in whose
//! name it does.

use std::net::IpAddr;

use tenantry_domain::accounts::{
    Allowance,
    rate::{Rate, TOKENS_PER_CLIENT, TOKENS_PER_NETWORK, TOKENS_PER_PUBLIC_CLIENT},
};

use super::{
    super::{
        request_rate,
        throttle::{network, subject},
    },
    Client,
};
use crate::{App, error::Fault};

const DOOR: &str = "tokens";

/// Why nobody looks at a request for tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenRateError {
    /// Too many were made.
    #[error("too many tokens were asked for")]
    TooManyRequests(Allowance),
    /// Not the client's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Counts a request for tokens. `client` is who makes it, as far as they have proved it. Returns what is left.
///
/// # Errors
/// When too many were made.
pub async fn admit_token_request(
    app: &App,
    client: Option<&Client>,
    address: Option<IpAddr>,
) -> Result<Allowance, TokenRateError> {
    let mut tx = app
        .database
        .system("count requests for tokens: nobody is signed in by them")
        .await
        .map_err(Fault::from)?;
    let mut left: Option<Allowance> = None;
    for (subject, rate) in subjects(app, client, address)? {
        let its = request_rate::admit(app, &mut tx, &subject, rate)
            .await?
            .map_err(TokenRateError::TooManyRequests)?;
        left = Some(left.map_or(its, |left| left.or_less(its)));
    }
    tx.commit().await.map_err(Fault::from)?;
    Ok(left.unwrap_or_else(|| TOKENS_PER_NETWORK.untouched()))
}

/// The network first, always, so that no two requests wait for each other.
fn subjects(app: &App, client: Option<&Client>, address: Option<IpAddr>) -> Result<Vec<([u8; 32], Rate)>, Fault> {
    let network = address.map(network);
    let mut subjects = Vec::new();
    if let Some(network) = &network {
        subjects.push((subject(app, &[DOOR, "network", network])?, TOKENS_PER_NETWORK));
    }
    if let Some(client) = client {
        subjects.push(if client.is_confidential() {
            (subject(app, &[DOOR, "client", client.id()])?, TOKENS_PER_CLIENT)
        } else {
            let network = network.unwrap_or_default();
            (
                subject(app, &[DOOR, "public client", client.id(), &network])?,
                TOKENS_PER_PUBLIC_CLIENT,
            )
        });
    }
    Ok(subjects)
}
