use std::net::{Ipv4Addr, TcpListener};

/// A loopback port that nobody listens on at the moment. Somebody else may take it before it is used, so whoever starts
/// a server on it has to be ready to try another.
///
/// # Panics
/// When no port is left.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port on loopback")
        .port()
}
