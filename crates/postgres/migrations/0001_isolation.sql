-- How every table is isolated, written once. A table belongs to one of four classes (crates/postgres/src/isolation.rs
-- holds the same list, and the server refuses to start when the two disagree):
--   organization       rows of the organization in whose scope the transaction runs
--   organization_user  the same, and readable by a user for every organization that the user is a member of
--   user               rows of the user in whose scope the transaction runs
--   system             nobody but the system role
-- Two log-in roles exist: tenantry_app sees one scope at a time, tenantry_system sees everything and is used by name.
-- `tenantry migrate` has made both roles before this file runs.

create procedure isolate(target regclass, class text)
language plpgsql as $$
declare
    own_organization constant text := 'organization_id = nullif(current_setting(''app.organization_id'', true), '''')::uuid';
    own_user constant text := 'user_id = nullif(current_setting(''app.user_id'', true), '''')::uuid';
    of_member constant text :=
        'organization_id in (select m.organization_id from memberships m
          where m.user_id = nullif(current_setting(''app.user_id'', true), '''')::uuid)';
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy owner on %s to current_user using (true) with check (true)', target);
    execute format('create policy system on %s to tenantry_system using (true) with check (true)', target);
    execute format('grant select, insert, update, delete on %s to tenantry_system', target);
    case class
    when 'organization' then
        execute format('create policy organization on %s to tenantry_app using (%s) with check (%s)', target, own_organization, own_organization);
        execute format('grant select, insert, update, delete on %s to tenantry_app', target);
    when 'organization_user' then
        execute format('create policy organization on %s to tenantry_app using (%s) with check (%s)', target, own_organization, own_organization);
        execute format('create policy member on %s for select to tenantry_app using (%s)', target, of_member);
        execute format('grant select, insert, update, delete on %s to tenantry_app', target);
    when 'user' then
        execute format('create policy own on %s to tenantry_app using (%s) with check (%s)', target, own_user, own_user);
        execute format('grant select, insert, update, delete on %s to tenantry_app', target);
    when 'system' then
        null;
    else
        raise exception 'unknown isolation class %', class;
    end case;
end $$;

-- One row: which installation this database belongs to, and whether it may touch live money. Objects in clusters and
-- at the payment provider carry this id, so that two installations never take each other's things for orphans.
create table installation (
    singleton boolean primary key default true check (singleton),
    id uuid not null,
    livemode boolean,
    created_at timestamptz not null default now()
);
call isolate('installation', 'system');

-- The list of migrations is the migrator's own; the system role reads it to see whether the schema is current.
call isolate('_sqlx_migrations', 'system');
revoke insert, update, delete on _sqlx_migrations from tenantry_system;
