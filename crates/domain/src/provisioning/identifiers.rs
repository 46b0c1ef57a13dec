//! Every name that a tenant has in a cluster, made once, here.

use std::collections::BTreeMap;

use crate::{
    ids::{InstallationId, OperationId, OrganizationId, TenantId},
    provisioning::names::HostLabel,
};

/// Label that every object of ours carries, as Kubernetes recommends it.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Its value.
pub const TENANTRY: &str = "tenantry";
/// Label: which installation an object belongs to. Objects of others are never touched.
pub const INSTALLATION: &str = "tenantry.dev/installation";
/// Label: which tenant.
pub const TENANT: &str = "tenantry.dev/tenant";
/// Label: whose tenant.
pub const ORGANIZATION: &str = "tenantry.dev/organization";
/// Label: of which product.
pub const PRODUCT: &str = "tenantry.dev/product";
/// Label: the operation that wrote the object last, so that a stalled worker's late act is recognised.
pub const OPERATION: &str = "tenantry.dev/operation";

/// Name of the account that a tenant's pods run under, in its namespace.
pub const SERVICE_ACCOUNT: &str = "tenant";

const NAMESPACE_PREFIX: &str = "t-";

/// The namespace of a tenant: all 128 bits of its id, so that no two tenants of any installation share one, and the
/// tenant is read off the name. 28 characters, beginning with a letter.
#[must_use]
pub fn namespace(tenant: TenantId) -> String {
    let id = tenant.to_string();
    let bits = id.rsplit('_').next().unwrap_or_default();
    format!("{NAMESPACE_PREFIX}{bits}")
}

/// The Helm release of a tenant. Also the prefix of the names of the chart's objects.
#[must_use]
pub fn release(tenant: TenantId) -> String {
    namespace(tenant)
}

/// The tenant that a namespace was made for; `None` for a namespace that is none of ours.
#[must_use]
pub fn tenant_of_namespace(namespace: &str) -> Option<TenantId> {
    let bits = namespace.strip_prefix(NAMESPACE_PREFIX)?;
    format!("{}_{bits}", TenantId::PREFIX).parse().ok()
}

/// The host that a tenant answers to below the tenants' domain.
#[must_use]
pub fn host(name: &HostLabel, tenant_domain: &str) -> String {
    format!("{name}.{tenant_domain}")
}

/// The host that a text would stand for if it were a name, for showing beside the reason why it is none.
#[must_use]
pub fn host_of_text(text: &str, tenant_domain: &str) -> String {
    format!("{text}.{tenant_domain}")
}

/// Where a tenant lives and on whose behalf something is done to it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Whose cluster objects these are.
    pub installation: InstallationId,
    /// Whose tenant.
    pub organization: OrganizationId,
    /// Which tenant.
    pub tenant: TenantId,
    /// Key of the product.
    pub product: String,
    /// The operation that acts.
    pub operation: OperationId,
    /// As the ledger holds it: made once by [`namespace`].
    pub namespace: String,
    /// As the ledger holds it: made once by [`release`].
    pub release: String,
}

impl Placement {
    /// The labels of every object that belongs to the tenant.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        [
            (MANAGED_BY, TENANTRY.to_owned()),
            (INSTALLATION, self.installation.to_string()),
            (ORGANIZATION, self.organization.to_string()),
            (TENANT, self.tenant.to_string()),
            (PRODUCT, self.product.clone()),
            (OPERATION, self.operation.to_string()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_namespace_leads_back_to_its_tenant() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(0x0188_bac7_4afa_78aa_bc3b_bd1e_ef28_d881));
        assert_eq!(namespace(tenant), "t-01h2xcejqtf2nbrexx3vqjhp41");
        assert_eq!(tenant_of_namespace(&namespace(tenant)), Some(tenant));
        assert_eq!(tenant_of_namespace("kube-system"), None);
        assert_eq!(tenant_of_namespace("t-shirts"), None);
    }

    #[test]
    fn names_fit_where_kubernetes_and_helm_put_them() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(u128::MAX));
        // Helm allows 53 characters for a release, Kubernetes 63 for a namespace.
        assert!(namespace(tenant).len() <= 53);
        assert!(
            namespace(tenant)
                .bytes()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-')
        );
    }
}
