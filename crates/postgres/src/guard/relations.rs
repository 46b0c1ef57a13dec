//! Tables, views and functions: is each of them under row-level security?

use sqlx::PgConnection;

use super::OpenDoor;
use crate::{
    error::DatabaseError,
    isolation::{self, TABLES},
};

#[derive(sqlx::FromRow)]
struct Relation {
    name: String,
    kind: String,
    secured: bool,
    forced: bool,
    policies: i64,
    root: Option<String>,
    security_invoker: bool,
}

pub(super) async fn open_doors(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let relations = relations(connection).await?;
    let mut doors: Vec<OpenDoor> = relations.iter().flat_map(of_relation).collect();
    doors.extend(
        TABLES
            .iter()
            .filter(|(table, _)| !relations.iter().any(|found| found.name == *table))
            .map(|(table, _)| OpenDoor::MissingTable {
                table: (*table).to_owned(),
            }),
    );
    doors.extend(rules(connection).await?);
    doors.extend(functions(connection).await?);
    Ok(doors)
}

fn of_relation(relation: &Relation) -> Vec<OpenDoor> {
    let name = || relation.name.clone();
    match relation.kind.as_str() {
        "v" if relation.security_invoker => Vec::new(),
        "v" => vec![OpenDoor::ViewWithOwnersRights { view: name() }],
        "m" => vec![OpenDoor::MaterializedView { view: name() }],
        _ => match &relation.root {
            Some(root) => of_partition(relation, root),
            None => of_table(relation),
        },
    }
}

fn of_table(table: &Relation) -> Vec<OpenDoor> {
    let name = || table.name.clone();
    if isolation::class_of(&table.name).is_none() {
        return vec![OpenDoor::UnclassifiedTable { table: name() }];
    }
    let mut doors = Vec::new();
    if !table.secured {
        doors.push(OpenDoor::RowSecurityOff { table: name() });
    }
    if !table.forced {
        doors.push(OpenDoor::RowSecurityNotForced { table: name() });
    }
    doors
}

/// A partition is a table of its own for whoever names it.
fn of_partition(partition: &Relation, root: &str) -> Vec<OpenDoor> {
    if partition.secured && partition.forced && partition.policies > 0 {
        return Vec::new();
    }
    vec![OpenDoor::PartitionWithoutPolicy {
        partition: partition.name.clone(),
        table: root.to_owned(),
    }]
}

/// Everything that holds or shows rows, outside of PostgreSQL's own schemas and of extensions. Names are qualified
/// unless they are in the schema of the application.
async fn relations(connection: &mut PgConnection) -> Result<Vec<Relation>, DatabaseError> {
    Ok(sqlx::query_as(
        "select case n.nspname when 'public' then c.relname::text else n.nspname || '.' || c.relname end as name,
                c.relkind::text as kind,
                c.relrowsecurity as secured,
                c.relforcerowsecurity as forced,
                (select count(*) from pg_policy p where p.polrelid = c.oid) as policies,
                case when c.relispartition then pg_partition_root(c.oid)::regclass::text end as root,
                coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
                          where o.option_name = 'security_invoker'), false) as security_invoker
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'f', 'v', 'm')
           and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
           and n.nspname not like 'pg\\_temp\\_%'
           and not exists (select from pg_depend d
                           where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
         order by 1",
    )
    .fetch_all(connection)
    .await?)
}

/// Rules on tables; those of views are the views themselves.
async fn rules(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let rules: Vec<(String, String)> = sqlx::query_as(
        "select c.oid::regclass::text, r.rulename::text
         from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
         order by 1, 2",
    )
    .fetch_all(connection)
    .await?;
    Ok(rules
        .into_iter()
        .map(|(table, rule)| OpenDoor::RewriteRule { table, rule })
        .collect())
}

async fn functions(connection: &mut PgConnection) -> Result<Vec<OpenDoor>, DatabaseError> {
    let functions: Vec<String> = sqlx::query_scalar(
        "select p.oid::regprocedure::text
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where p.prosecdef
           and n.nspname not in ('pg_catalog', 'information_schema')
           and not exists (select from pg_depend d
                           where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
         order by 1",
    )
    .fetch_all(connection)
    .await?;
    Ok(functions
        .into_iter()
        .map(|function| OpenDoor::SecurityDefinerFunction { function })
        .collect())
}
