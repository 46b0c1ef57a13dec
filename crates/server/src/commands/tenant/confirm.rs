//! Asking before something is lost.

use std::io::{self, IsTerminal, Write};

use tenantry_app::provisioning::TenantView;

use crate::exit::{Failure, FailureKind};

/// Names what is lost and asks for the tenant's name.
pub(super) fn ask(tenant: &TenantView) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            FailureKind::Usage,
            "this removes a tenant with its data and is not asked on a terminal; say --yes if you mean it",
        ));
    }
    let mut err = io::stderr();
    let address = tenant.url.as_deref().unwrap_or("without an address");
    // A terminal that cannot be written to will not answer either.
    let _ = write!(
        err,
        "This removes tenant {} ({address}), its namespace {} and all of its data, and ends the \
         subscription that pays for it alone. There is no undo.\nType {} to confirm: ",
        tenant.id, tenant.namespace, tenant.name
    );
    let _ = err.flush();
    let answer = io::stdin().lines().next().and_then(Result::ok).unwrap_or_default();
    if answer.trim() == tenant.name {
        Ok(())
    } else {
        Err(Failure::new(FailureKind::Refused, "not confirmed; nothing was changed"))
    }
}
