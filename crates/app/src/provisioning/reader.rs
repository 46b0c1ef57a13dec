//! Who looks at tenants and operations, and in which scope that is read.

use tenantry_domain::ids::OrganizationId;

/// Who looks. A use case that shows anything takes one, so that nobody sees everything by leaving something out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A member of this organization: read in its scope, where PostgreSQL shows no other's rows.
    Organization(OrganizationId),
    /// Somebody who runs this installation: read in the system's scope.
    Operator,
}
