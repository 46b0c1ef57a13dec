-- Customers: organizations, the names they are found under, and who belongs to them.

create table organizations (
    id uuid primary key,
    name text not null check (length(name) between 1 and 200),
    state text not null default 'active' check (state in ('active', 'deleting', 'erased')),
    delete_at timestamptz,
    created_at timestamptz not null default now()
);

create table memberships (
    organization_id uuid not null references organizations (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    role text not null check (role in ('owner', 'admin', 'member')),
    created_at timestamptz not null default now(),
    primary key (organization_id, user_id)
);
create unique index memberships_one_owner on memberships (organization_id) where role = 'owner';
create index memberships_by_user on memberships (user_id, organization_id) include (role);

-- At most one owner is the index above; at least one is checked when the transaction ends, so that a transfer may
-- demote first and promote second.
create function organization_has_owner() returns trigger language plpgsql as $$
declare
    checked uuid := coalesce(old.organization_id, new.organization_id);
begin
    if exists (select from organizations o where o.id = checked and o.state = 'active')
        and not exists (select from memberships m where m.organization_id = checked and m.role = 'owner') then
        raise exception 'organization % has no owner', checked
            using errcode = 'integrity_constraint_violation', constraint = 'memberships_at_least_one_owner';
    end if;
    return null;
end $$;
create constraint trigger memberships_at_least_one_owner
    after update or delete on memberships deferrable initially deferred
    for each row execute function organization_has_owner();

create function new_organization_has_owner() returns trigger language plpgsql as $$
begin
    if exists (select from organizations o where o.id = new.id and o.state = 'active')
        and not exists (select from memberships m where m.organization_id = new.id and m.role = 'owner') then
        raise exception 'organization % has no owner', new.id
            using errcode = 'integrity_constraint_violation', constraint = 'memberships_at_least_one_owner';
    end if;
    return null;
end $$;
create constraint trigger organizations_have_owner
    after insert or update of state on organizations deferrable initially deferred
    for each row execute function new_organization_has_owner();

-- A slug is never given to another organization, also after a rename.
create table organization_slugs (
    slug text primary key check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    organization_id uuid not null references organizations (id),
    is_current boolean not null,
    created_at timestamptz not null default now()
);
create unique index organization_slugs_current on organization_slugs (organization_id) where is_current;
call isolate('organization_slugs', 'organization_user');

-- The three tables whose scope is not simply a column of that name.
call isolate('memberships', 'organization');
create policy member on memberships for select to tenantry_app
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);

call isolate('organizations', 'system');
grant select, insert, update on organizations to tenantry_app;
create policy organization on organizations to tenantry_app
    using (id = nullif(current_setting('app.organization_id', true), '')::uuid)
    with check (id = nullif(current_setting('app.organization_id', true), '')::uuid);
create policy member on organizations for select to tenantry_app
    using (id in (select m.organization_id from memberships m
                  where m.user_id = nullif(current_setting('app.user_id', true), '')::uuid));

call isolate('users', 'system');
grant select, update on users to tenantry_app;
create policy own on users to tenantry_app
    using (id = nullif(current_setting('app.user_id', true), '')::uuid)
    with check (id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy organization on users for select to tenantry_app
    using (id in (select m.user_id from memberships m
                  where m.organization_id = nullif(current_setting('app.organization_id', true), '')::uuid));
