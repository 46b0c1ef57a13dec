//! Permissions as types, to stand in a handler's signature: `Authorized<TenantsRead>`. Several together are a tuple:
//! `Authorized<(BillingManage, TenantsCreate)>`.

use std::marker::PhantomData;

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

/// No handler asks for more at once; one that did would not compile.
const MOST: usize = 8;

impl<A: Permissions, B: Permissions> Permissions for (A, B) {
    const REQUIRED: &'static [Permission] = Both::<A, B>::PADDED.split_at(A::REQUIRED.len() + B::REQUIRED.len()).0;
}

/// Computes what two ask for together. Lengths are not known to arrays here, so the list is padded.
struct Both<A, B>(PhantomData<(A, B)>);

impl<A: Permissions, B: Permissions> Both<A, B> {
    const PADDED: &'static [Permission] = &concatenated(A::REQUIRED, B::REQUIRED);
}

const fn concatenated(first: &[Permission], second: &[Permission]) -> [Permission; MOST] {
    let mut all = [first[0]; MOST];
    let mut at = 0;
    while at < first.len() {
        all[at] = first[at];
        at += 1;
    }
    while at < first.len() + second.len() {
        all[at] = second[at - first.len()];
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_ask_for_all_that_each_asks_for() {
        use Permission as P;
        type Nested = (
            (OrganizationRead, BillingRead),
            (TenantsRead, (TenantsCreate, BillingManage)),
        );
        assert_eq!(
            <(BillingManage, TenantsCreate)>::REQUIRED,
            [P::BillingManage, P::TenantsCreate]
        );
        assert_eq!(
            Nested::REQUIRED,
            [
                P::OrganizationRead,
                P::BillingRead,
                P::TenantsRead,
                P::TenantsCreate,
                P::BillingManage
            ]
        );
    }
}
