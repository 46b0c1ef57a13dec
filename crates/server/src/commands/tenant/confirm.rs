//! Asking before a tenant is lost.

use tenantry_app::provisioning::TenantView;

use crate::{commands::confirm, exit::Failure};

/// Names what is lost and asks for the tenant's name.
pub(super) fn ask(tenant: &TenantView) -> Result<(), Failure> {
    let address = tenant.url.as_deref().unwrap_or("without an address");
    let warning = format!(
        "This removes tenant {} ({address}), its namespace {} and all of its data, and ends the \
         subscription that pays for it alone. There is no undo.",
        tenant.id, tenant.namespace
    );
    confirm::ask("removes a tenant with its data", &warning, &tenant.name)
}
