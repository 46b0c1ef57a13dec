//! Where people and tenants are reached.

use super::Finding;
use crate::config::{Configuration, share_registrable_domain};

const AREA: &str = "domains";

pub(super) fn check(configuration: &Configuration) -> Vec<Finding> {
    let public_host = configuration.public_url.host_str().unwrap_or_default();
    let apart = if share_registrable_domain(public_host, &configuration.tenant_domain) {
        Finding::wrong(
            AREA,
            "cookies",
            format!("{public_host} and {} share cookies", configuration.tenant_domain),
            "give tenants a registrable domain of their own by TENANTRY_TENANT_DOMAIN",
        )
    } else {
        Finding::ok(
            AREA,
            "cookies",
            format!("{public_host} and *.{} share none", configuration.tenant_domain),
        )
    };
    let on_this_machine = public_host == "localhost" || public_host.starts_with("127.");
    let encrypted = if configuration.public_url.scheme() == "https" || on_this_machine {
        Finding::ok(AREA, "transport", configuration.public_url.as_str())
    } else {
        let mend = "serve it by https://; browsers drop the session cookie otherwise";
        Finding::wrong(
            AREA,
            "transport",
            format!("{} is not encrypted", configuration.public_url),
            mend,
        )
    };
    vec![apart, encrypted]
}
