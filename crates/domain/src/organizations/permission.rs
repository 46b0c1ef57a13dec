//! Who may do what: one table, asked by name everywhere.

use std::fmt;

use super::Role;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $code:literal: [$($role:ident),+];)+) => {
        /// One thing that a role may or may not do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            /// All permissions, in the order of the table.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$name),+];

            /// The stable name.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// The roles that hold it.
            #[must_use]
            pub const fn holders(self) -> &'static [Role] {
                match self {
                    $(Self::$name => &[$(Role::$role),+],)+
                }
            }
        }
    };
}

permissions! {
    /// See the organization.
    OrganizationRead = "organization.read": [Owner, Admin, Member];
    /// Rename it and change its settings.
    OrganizationManage = "organization.manage": [Owner, Admin];
    /// See who belongs to it.
    MembersRead = "members.read": [Owner, Admin, Member];
    /// Invite people.
    MembersInvite = "members.invite": [Owner, Admin];
    /// Change roles and remove people.
    MembersManage = "members.manage": [Owner, Admin];
    /// See plans, subscriptions and invoices.
    BillingRead = "billing.read": [Owner, Admin];
    /// Buy, change and cancel.
    BillingManage = "billing.manage": [Owner];
    /// See tenants and their operations.
    TenantsRead = "tenants.read": [Owner, Admin, Member];
    /// Make a tenant.
    TenantsCreate = "tenants.create": [Owner, Admin];
    /// Change, suspend and remove tenants.
    TenantsManage = "tenants.manage": [Owner, Admin];
    /// Read who did what.
    AuditRead = "audit.read": [Owner, Admin];
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_may_everything_and_each_role_less_than_the_one_before() {
        assert_eq!(Role::Owner.permissions().len(), Permission::ALL.len());
        for permission in Permission::ALL {
            assert!(
                !Role::Member.may(permission) || Role::Admin.may(permission),
                "{permission}"
            );
        }
        assert!(!Role::Member.may(Permission::TenantsCreate));
        assert!(!Role::Admin.may(Permission::BillingManage));
    }
}
