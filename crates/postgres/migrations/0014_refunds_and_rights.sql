-- A payment that is to go back: of which subscription at the provider it was, and when it had gone back.
alter table checkouts
    add column refund_of text,
    add column refunded_at timestamptz,
    add constraint checkouts_refunded_or_needed check (not (refund_needed and refunded_at is not null));

-- One open checkout for one purchase, also of what has no tenant of its own.
drop index checkouts_one_open;
create unique index checkouts_one_open on checkouts (organization_id, product, tenant_id) nulls not distinct
    where state = 'open';

-- What names an organization names one that exists. None is ever deleted, only erased.
alter table audit_events add foreign key (organization_id) references organizations (id);
alter table sealed_secrets add foreign key (organization_id) references organizations (id);
alter table stripe_objects add foreign key (organization_id) references organizations (id);

-- Members see these in all their organizations.
create policy member on audit_events for select to tenantry_app
    using (organization_id in (select m.organization_id from memberships m
                               where m.user_id = nullif(current_setting('app.user_id', true), '')::uuid));
create policy member on limit_counters for select to tenantry_app
    using (organization_id in (select m.organization_id from memberships m
                               where m.user_id = nullif(current_setting('app.user_id', true), '')::uuid));

-- `isolate` gives tenantry_app every verb; here it keeps those that a statement of its uses. isolation.rs has the list,
-- and a server whose list and schema disagree does not start.
revoke insert, update, delete on
    billing_customers, checkouts, domains, entitlements, limit_counters, memberships, operation_steps, operations,
    organization_slugs, subscriptions, tenants
    from tenantry_app;
revoke insert on organizations from tenantry_app;
revoke insert, delete on sessions from tenantry_app;
revoke delete on refresh_tokens from tenantry_app;

-- From here on a new table is readable in its scope, and a right to write is granted where a statement needs it.
create or replace procedure isolate(target regclass, class text)
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
        execute format('grant select on %s to tenantry_app', target);
    when 'organization_user' then
        execute format('create policy organization on %s to tenantry_app using (%s) with check (%s)', target, own_organization, own_organization);
        execute format('create policy member on %s for select to tenantry_app using (%s)', target, of_member);
        execute format('grant select on %s to tenantry_app', target);
    when 'user' then
        execute format('create policy own on %s to tenantry_app using (%s) with check (%s)', target, own_user, own_user);
        execute format('grant select on %s to tenantry_app', target);
    when 'system' then
        null;
    else
        raise exception 'unknown isolation class %', class;
    end case;
end $$;
