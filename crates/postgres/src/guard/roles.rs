//! The two roles of the server: do policies bind them?

use sqlx::PgConnection;

use super::OpenDoor;
use crate::{
    error::DatabaseError,
    roles::{APP_ROLE, SYSTEM_ROLE},
};

#[derive(sqlx::FromRow)]
struct Role {
    name: String,
    superuser: bool,
    bypasses_policies: bool,
    creates_roles: bool,
    replicates: bool,
}

pub(super) async fn open_doors(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let roles = roles(connection).await?;
    let mut doors = Vec::new();
    for wanted in [APP_ROLE, SYSTEM_ROLE] {
        match roles.iter().find(|role| role.name == wanted) {
            None => doors.push(OpenDoor::MissingRole { role: wanted }),
            Some(role) => doors.extend(attributes(role)),
        }
    }
    doors.extend(possessions(connection).await?);
    doors.extend(memberships(connection).await?);
    Ok(doors)
}

fn attributes(role: &Role) -> impl Iterator<Item = OpenDoor> {
    [
        (role.superuser, "SUPERUSER"),
        (role.bypasses_policies, "BYPASSRLS"),
        (role.creates_roles, "CREATEROLE"),
        // Reads everything as files, or as a stream of changes.
        (role.replicates, "REPLICATION"),
    ]
    .into_iter()
    .filter(|(has, _)| *has)
    .map(|(_, attribute)| OpenDoor::PowerfulRole {
        role: role.name.clone(),
        attribute,
    })
}

async fn roles(connection: &mut PgConnection) -> Result<Vec<Role>, DatabaseError> {
    Ok(sqlx::query_as(
        "select rolname::text as name, rolsuper as superuser, rolbypassrls as bypasses_policies,
                rolcreaterole as creates_roles, rolreplication as replicates
         from pg_roles where rolname in ($1, $2)",
    )
    .bind(APP_ROLE)
    .bind(SYSTEM_ROLE)
    .fetch_all(connection)
    .await?)
}

/// What the roles own in this database and what they own for all databases.
async fn possessions(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let owned: Vec<(String, String)> = sqlx::query_as(
        "select r.rolname::text, pg_describe_object(d.classid, d.objid, d.objsubid)
         from pg_shdepend d join pg_roles r on r.oid = d.refobjid
         where d.refclassid = 'pg_authid'::regclass and d.deptype = 'o' and r.rolname in ($1, $2)
           and d.dbid in (0, (select oid from pg_database where datname = current_database()))
         order by 1, 2",
    )
    .bind(APP_ROLE)
    .bind(SYSTEM_ROLE)
    .fetch_all(connection)
    .await?;
    Ok(owned
        .into_iter()
        .map(|(role, object)| OpenDoor::OwningRole { role, object })
        .collect())
}

/// The roles whose rights the server's roles have, through however many others, as far as those see more: the owner of
/// the database or of a table, the other role, whoever policies do not bind or who may give rights, and those of
/// PostgreSQL's own that reach the files of the server.
async fn memberships(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let found: Vec<(String, String)> = sqlx::query_as(
        "with recursive acts_as (member, role) as (
            select m.member, m.roleid from pg_auth_members m join pg_roles r on r.oid = m.member
            where r.rolname in ($1, $2)
            union
            select a.member, m.roleid from acts_as a join pg_auth_members m on m.member = a.role
         )
         select member.rolname::text, role.rolname::text
         from acts_as a join pg_roles member on member.oid = a.member join pg_roles role on role.oid = a.role
         where role.rolname in ($1, $2)
            or role.rolsuper or role.rolbypassrls or role.rolcreaterole
            or role.rolname in ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
            or role.oid = (select datdba from pg_database where datname = current_database())
            or exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                       where c.relowner = role.oid and n.nspname not in ('pg_catalog', 'information_schema'))
         order by 1, 2",
    )
    .bind(APP_ROLE)
    .bind(SYSTEM_ROLE)
    .fetch_all(connection)
    .await?;
    Ok(found
        .into_iter()
        .map(|(role, of)| OpenDoor::Membership { role, of })
        .collect())
}
