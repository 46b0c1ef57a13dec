//! Who may see each table: the list that the schema is held against when a server starts.
//!
//! A migration that adds a table calls `isolate(table, class)` and adds the table here; a server whose list and schema
//! disagree does not start.

/// Whose rows a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// An organization's: seen in that organization's scope.
    Organization,
    /// An organization's, which its members also see, without writing, in their own scope.
    OrganizationUser,
    /// A user's own.
    User,
    /// Nobody's but the installation's: seen by the system role only.
    System,
}

impl Class {
    /// The name that `isolate` knows it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::OrganizationUser => "organization_user",
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// Every table and its class. `users`, `organizations` and `memberships` have policies written by hand, since their
/// scope is not simply a column of the usual name; the class says who sees them all the same.
pub const TABLES: &[(&str, Class)] = &[
    ("_sqlx_migrations", Class::System),
    ("audit_anchors", Class::System),
    ("audit_chains", Class::System),
    ("audit_events", Class::OrganizationUser),
    ("billing_customers", Class::Organization),
    ("catalog_revisions", Class::System),
    ("checkouts", Class::Organization),
    ("clusters", Class::System),
    ("credentials", Class::System),
    ("domains", Class::Organization),
    ("entitlements", Class::Organization),
    ("idempotency_keys", Class::System),
    ("installation", Class::System),
    ("jobs", Class::System),
    ("known_devices", Class::User),
    ("limit_counters", Class::OrganizationUser),
    ("mail_causes", Class::System),
    ("memberships", Class::OrganizationUser),
    ("oidc_clients", Class::System),
    ("oidc_codes", Class::System),
    ("one_time_tokens", Class::System),
    ("operation_steps", Class::Organization),
    ("operations", Class::Organization),
    ("operator_known_devices", Class::System),
    ("operator_recovery_codes", Class::System),
    ("operator_sessions", Class::System),
    ("operator_totp_factors", Class::System),
    ("operators", Class::System),
    ("organization_slugs", Class::OrganizationUser),
    ("organizations", Class::OrganizationUser),
    ("personal_keys", Class::User),
    ("plan_versions", Class::System),
    ("prices", Class::System),
    ("products", Class::System),
    ("recovery_codes", Class::User),
    ("refresh_tokens", Class::User),
    ("request_rates", Class::System),
    ("sealed_secrets", Class::System),
    ("sessions", Class::User),
    ("sign_in_challenges", Class::System),
    ("sign_in_failures", Class::System),
    ("sign_ups", Class::System),
    ("signing_keys", Class::System),
    ("stripe_calls", Class::System),
    ("stripe_events", Class::System),
    ("stripe_objects", Class::System),
    ("subscriptions", Class::OrganizationUser),
    ("tenants", Class::Organization),
    ("totp_factors", Class::User),
    ("user_avatars", Class::User),
    ("users", Class::OrganizationUser),
];

/// What tenantry_app may do besides reading the tables that are not the system's. A statement that needs more gets its
/// grant in a migration and its word here; a server that finds a grant which is not listed does not start.
pub const WRITES: &[(&str, &[&str])] = &[
    ("audit_events", &["insert"]),
    ("known_devices", &["delete", "insert", "update"]),
    ("organizations", &["update"]),
    ("personal_keys", &["insert"]),
    ("recovery_codes", &["delete", "insert", "update"]),
    ("refresh_tokens", &["insert", "update"]),
    ("sessions", &["update"]),
    ("totp_factors", &["delete", "insert", "update"]),
    ("user_avatars", &["delete", "insert", "update"]),
    ("users", &["update"]),
];

/// Whether tenantry_app is meant to have this right on a table.
#[must_use]
pub fn may(table: &str, command: &str) -> bool {
    match class_of(table) {
        None | Some(Class::System) => false,
        Some(_) if command == "select" => true,
        Some(_) => WRITES
            .iter()
            .any(|(name, commands)| *name == table && commands.contains(&command)),
    }
}

/// The class of a table, if it has one.
#[must_use]
pub fn class_of(table: &str) -> Option<Class> {
    TABLES.iter().find(|(name, _)| *name == table).map(|(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_names_each_table_once() {
        assert!(TABLES.is_sorted_by(|before, after| before.0 < after.0));
        assert!(WRITES.is_sorted_by(|before, after| before.0 < after.0));
        assert!(WRITES.iter().all(|(table, _)| class_of(table).is_some()));
    }
}
