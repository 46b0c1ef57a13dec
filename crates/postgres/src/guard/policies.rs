//! Policies: does each depend on a scope, and does each right that was given have one?

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::OpenDoor;
use crate::{
    error::DatabaseError,
    isolation::{self, Class, TABLES},
    roles::{APP_ROLE, SYSTEM_ROLE},
};

const ORGANIZATION_SETTING: &str = "current_setting('app.organization_id'";
const USER_SETTING: &str = "current_setting('app.user_id'";

#[derive(sqlx::FromRow)]
struct Policy {
    table: String,
    name: String,
    /// Whether only the system role and the table's owner are bound by it.
    for_the_trusted: bool,
    /// Whether the application's role is bound by it.
    for_the_application: bool,
    /// The conditions for rows that are read and for rows that are written, where it has them.
    using: Option<String>,
    with_check: Option<String>,
}

impl Policy {
    fn conditions(&self) -> impl Iterator<Item = &str> {
        self.using.iter().chain(&self.with_check).map(String::as_str)
    }

    /// A condition that names a scope beside an OR can be true in any scope, so OR takes two policies.
    fn is_scoped(&self) -> bool {
        let mut conditions = self.conditions().peekable();
        conditions.peek().is_some()
            && conditions.all(|condition| {
                (condition.contains(ORGANIZATION_SETTING) || condition.contains(USER_SETTING))
                    && !condition.contains(" OR ")
            })
    }
}

pub(super) async fn open_doors(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let policies = policies(connection).await?;
    let mut doors: Vec<OpenDoor> = policies
        .iter()
        .filter(|policy| !policy.for_the_trusted && !policy.is_scoped())
        .map(|policy| OpenDoor::UnscopedPolicy {
            table: policy.table.clone(),
            policy: policy.name.clone(),
        })
        .collect();
    // An unscoped policy has no class, and was reported already.
    if doors.is_empty() {
        doors.extend(other_classes(&policies));
    }
    doors.extend(commands_without_policy(connection).await?);
    doors.extend(extra_rights(connection).await?);
    Ok(doors)
}

/// Tables whose policies for the application amount to another class than the list gives them.
fn other_classes(policies: &[Policy]) -> Vec<OpenDoor> {
    let mut scopes: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for policy in policies.iter().filter(|policy| policy.for_the_application) {
        let (organization, user) = scopes.entry(&policy.table).or_default();
        for condition in policy.conditions() {
            *organization |= condition.contains(ORGANIZATION_SETTING);
            *user |= condition.contains(USER_SETTING);
        }
    }
    TABLES
        .iter()
        .filter_map(|(table, class)| {
            let found = match scopes.get(table) {
                None | Some((false, false)) => Class::System,
                Some((true, false)) => Class::Organization,
                Some((false, true)) => Class::User,
                Some((true, true)) => Class::OrganizationUser,
            };
            (found != *class).then(|| OpenDoor::OtherClass {
                table: (*table).to_owned(),
                class: class.name(),
                found: found.name(),
            })
        })
        .collect()
}

async fn policies(connection: &mut PgConnection) -> Result<Vec<Policy>, DatabaseError> {
    Ok(sqlx::query_as(
        "select p.polrelid::regclass::text as \"table\",
                p.polname::text as name,
                p.polroles <@ array[c.relowner, $2::text::regrole::oid] as for_the_trusted,
                p.polroles && array[0::oid, $1::text::regrole::oid] as for_the_application,
                pg_get_expr(p.polqual, p.polrelid) as \"using\",
                pg_get_expr(p.polwithcheck, p.polrelid) as with_check
         from pg_policy p join pg_class c on c.oid = p.polrelid
         where p.polpermissive and to_regrole($1) is not null and to_regrole($2) is not null
         order by 1, 2",
    )
    .bind(APP_ROLE)
    .bind(SYSTEM_ROLE)
    .fetch_all(connection)
    .await?)
}

/// Rights of the server's roles and of each table's owner that no permissive policy decides about. No policy binds a
/// superuser.
async fn commands_without_policy(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let found: Vec<(String, String, String)> = sqlx::query_as(
        "select c.oid::regclass::text, r.rolname::text, command.name
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         join pg_roles r on r.rolname in ($1, $2) or r.oid = c.relowner
         cross join (values ('select', 'r'), ('insert', 'a'), ('update', 'w'), ('delete', 'd')) command (name, code)
         where c.relkind in ('r', 'p')
           and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
           and n.nspname not like 'pg\\_temp\\_%'
           and c.relrowsecurity and not r.rolsuper
           and (has_table_privilege(r.oid, c.oid, command.name)
                or command.name <> 'delete' and has_any_column_privilege(r.oid, c.oid, command.name))
           and not exists (select from pg_policy p
                           where p.polrelid = c.oid and p.polpermissive
                             and p.polcmd::text in ('*', command.code)
                             and p.polroles && array[0::oid, r.oid])
         order by 1, 2, 3",
    )
    .bind(APP_ROLE)
    .bind(SYSTEM_ROLE)
    .fetch_all(connection)
    .await?;
    Ok(found
        .into_iter()
        .map(|(table, role, command)| OpenDoor::CommandWithoutPolicy { table, role, command })
        .collect())
}

/// What was granted to the application's role or to everybody, on tables and on columns, beyond the list.
async fn extra_rights(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let granted: Vec<(String, String)> = sqlx::query_as(
        "select distinct c.oid::regclass::text, lower(granted.privilege_type)
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         cross join lateral (
             select grantee, privilege_type from aclexplode(c.relacl)
             union all
             select acl.grantee, acl.privilege_type from pg_attribute a cross join aclexplode(a.attacl) acl
             where a.attrelid = c.oid and not a.attisdropped) granted
         where c.relkind in ('r', 'p')
           and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
           and n.nspname not like 'pg\\_temp\\_%'
           and granted.grantee in (0, to_regrole($1)::oid) and granted.grantee <> c.relowner
         order by 1, 2",
    )
    .bind(APP_ROLE)
    .fetch_all(connection)
    .await?;
    Ok(granted
        .into_iter()
        .filter(|(table, command)| !isolation::may(table, command))
        .map(|(table, command)| OpenDoor::ExtraRight { table, command })
        .collect())
}
