//! From which address a request comes, when proxies stand between.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::extract::FromRequestParts;
use http::{HeaderMap, request::Parts};

use crate::{AppState, problem::Problem};

/// The client's address; `None` only where there is no connection, as in tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(None)))
    }
}

/// The networks of proxies whose word about an address counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is neither an address (10.0.0.1) nor a network (10.0.0.0/8)")]
pub struct InvalidNetwork {
    /// That text.
    pub text: String,
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork { text: text.to_owned() };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), |prefix| prefix.parse().map_err(|_| invalid()))?;
        if prefix > bits {
            Err(invalid())
        } else {
            Ok(Self { address, prefix })
        }
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        let (ours, theirs, width) = match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => (u128::from(ours.to_bits()), u128::from(theirs.to_bits()), 32),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => (ours.to_bits(), theirs.to_bits(), 128),
            _ => return false,
        };
        let shift = width - u32::from(self.prefix);
        // Shifting by the whole width is a network of everything.
        ours.checked_shr(shift).unwrap_or(0) == theirs.checked_shr(shift).unwrap_or(0)
    }
}

impl TrustedProxies {
    /// Reads addresses and networks.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, InvalidNetwork> {
        texts
            .into_iter()
            .map(|text| text.as_ref().trim().parse())
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the address is a trusted proxy's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client behind the peer. Each proxy adds to the right the address that it saw, so the list is read from the
    /// right, for as long as the one who speaks is trusted; what stands further left is anybody's invention.
    pub(crate) fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let mut address = peer?.to_canonical();
        // Element by element, as bytes: what somebody wrote on the left must not spoil what a proxy added on the right.
        let forwarded: Vec<&[u8]> = headers
            .get_all("x-forwarded-for")
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .collect();
        for claimed in forwarded.iter().rev() {
            if !self.contains(address) {
                break;
            }
            match claimed_address(claimed) {
                Some(claimed) => address = claimed.to_canonical(),
                None => break,
            }
        }
        Some(address)
    }
}

/// One element of the list: an address, which some gateways write with its port, and IPv6 in brackets.
fn claimed_address(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim();
    let unbracketed = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    unbracketed
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(proxies: &[&str], peer: &str, forwarded: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            HeaderValue::from_bytes(forwarded.as_bytes()).unwrap(),
        );
        let proxies = TrustedProxies::parse(proxies).unwrap();
        proxies
            .client(Some(peer.parse().unwrap()), &headers)
            .unwrap()
            .to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client(&[], "203.0.113.9", "1.2.3.4"), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", "1.2.3.4"), "1.2.3.4");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", "6.6.6.6, 1.2.3.4"), "1.2.3.4");
        assert_eq!(
            client(&["10.0.0.0/8"], "10.1.2.3", "6.6.6.6, 1.2.3.4, 10.9.9.9"),
            "1.2.3.4"
        );
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", "1.2.3.4, nonsense"), "10.1.2.3");
        assert_eq!(client(&["10.0.0.0/8"], "::ffff:10.1.2.3", "2001:db8::7"), "2001:db8::7");
        assert_eq!(client(&["0.0.0.0/0"], "10.1.2.3", "1.2.3.4"), "1.2.3.4");
    }

    #[test]
    fn ports_and_what_a_stranger_wrote_on_the_left_change_nothing() {
        for forwarded in [
            "1.2.3.4:5678",
            "\u{ff}\u{fe}, 1.2.3.4",
            ", ,1.2.3.4",
            "[2001:db8::1]:7, 1.2.3.4:1",
        ] {
            assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", forwarded), "1.2.3.4", "{forwarded}");
        }
        for forwarded in ["[2001:db8::1]", "[2001:db8::1]:443", "2001:db8::1"] {
            assert_eq!(
                client(&["10.0.0.0/8"], "10.1.2.3", forwarded),
                "2001:db8::1",
                "{forwarded}"
            );
        }
    }

    #[test]
    fn networks_must_be_networks() {
        for text in ["", "10.0.0.0/33", "10.0.0.0/x", "example.org"] {
            assert!(TrustedProxies::parse([text]).is_err(), "{text}");
        }
    }
}
