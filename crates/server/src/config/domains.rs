//! Whether two hosts would share cookies.

/// The registrable domain of a host: what one customer of a registry owns. Hosts without one (addresses, `localhost`)
/// stand for themselves.
fn registrable(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.parse::<std::net::IpAddr>().is_ok() {
        return host;
    }
    psl::domain_str(&host).map(str::to_owned).unwrap_or(host)
}

/// Whether a page under one host can set cookies that the other receives.
#[must_use]
pub fn share_registrable_domain(one: &str, other: &str) -> bool {
    registrable(one) == registrable(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_share_and_strangers_do_not() {
        assert!(share_registrable_domain("console.example.com", "tenants.example.com"));
        assert!(share_registrable_domain("example.co.uk", "a.b.example.co.uk"));
        assert!(!share_registrable_domain("console.example.com", "example.net"));
        assert!(!share_registrable_domain("one.co.uk", "two.co.uk"));
    }

    #[test]
    fn on_one_machine_tenants_live_beside_localhost() {
        assert!(!share_registrable_domain("localhost", "tenants.localhost"));
        assert!(!share_registrable_domain("127.0.0.1", "tenants.localhost"));
    }
}
