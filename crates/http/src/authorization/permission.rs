//! Permissions as types, to stand in a handler's signature: `Authorized<TenantsRead>`. Several together are a tuple:
//! `Authorized<(BillingManage, TenantsCreate)>`.

use tenantry_domain::organizations::Permission;

/// What a caller must be allowed to do, all of it.
pub trait Permissions: Send + Sync + 'static {
    /// The permissions asked for.
    const REQUIRED: &'static [Permission];
}

macro_rules! permission_types {
    ($($name:ident),+ $(,)?) => {
        $(
            #[doc = concat!("Asks for [`Permission::", stringify!($name), "`].")]
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl Permissions for $name {
                const REQUIRED: &'static [Permission] = &[Permission::$name];
            }
        )+
    };
}

permission_types!(
    OrganizationRead,
    OrganizationManage,
    BillingRead,
    BillingManage,
    TenantsRead,
    TenantsCreate,
);

impl<A: Permissions, B: Permissions> Permissions for (A, B) {
    const REQUIRED: &'static [Permission] = &[A::REQUIRED[0], B::REQUIRED[0]];
}
