-- What runs, where, under which name; and the durable operations that change it.

create table clusters (
    id uuid primary key,
    name text not null unique,
    region text not null default 'local',
    created_at timestamptz not null default now()
);
call isolate('clusters', 'system');

create table tenants (
    id uuid primary key,
    organization_id uuid not null references organizations (id),
    subscription_id uuid,
    product text not null references products (key),
    cluster_id uuid not null references clusters (id),
    name text not null check (length(name) between 1 and 63),
    namespace text not null,
    release text not null,
    desired text not null default 'running' check (desired in ('running', 'suspended', 'deleted')),
    state text not null default 'pending' check (state in
        ('pending', 'provisioning', 'active', 'upgrading', 'suspended', 'deprovisioning', 'deleted', 'failed')),
    state_reason jsonb,
    plan_version_wanted uuid not null references plan_versions (id),
    plan_version_applied uuid references plan_versions (id),
    attempt int not null default 0,
    retry_at timestamptz,
    created_at timestamptz not null default now(),
    state_changed_at timestamptz not null default now(),
    unique (organization_id, id),
    foreign key (organization_id, subscription_id) references subscriptions (organization_id, id)
);
create unique index tenants_namespace on tenants (cluster_id, namespace) where state <> 'deleted';
create index tenants_by_organization on tenants (organization_id, created_at desc, id);
create index tenants_by_state on tenants (state, created_at desc, id);
create index tenants_by_subscription on tenants (organization_id, subscription_id);
create index tenants_to_retry on tenants (retry_at) where retry_at is not null;
call isolate('tenants', 'organization');

create function tenant_moves_are_legal() returns trigger language plpgsql as $$
begin
    if new.state = old.state then
        return new;
    end if;
    if (old.state, new.state) not in (
        ('pending', 'provisioning'), ('pending', 'deprovisioning'), ('pending', 'deleted'),
        ('provisioning', 'active'), ('provisioning', 'failed'),
        ('active', 'upgrading'), ('active', 'suspended'), ('active', 'deprovisioning'), ('active', 'provisioning'),
        ('upgrading', 'active'), ('upgrading', 'failed'),
        ('suspended', 'active'), ('suspended', 'deprovisioning'),
        ('failed', 'provisioning'), ('failed', 'upgrading'), ('failed', 'active'), ('failed', 'deprovisioning'),
        ('deprovisioning', 'deleted')) then
        raise exception 'tenant % cannot go from % to %', old.id, old.state, new.state
            using errcode = 'integrity_constraint_violation', constraint = 'tenants_legal_moves';
    end if;
    new.state_changed_at := now();
    return new;
end $$;
create trigger tenants_legal_moves before update on tenants
    for each row execute function tenant_moves_are_legal();

create table domains (
    host text primary key check (host = lower(host) and length(host) <= 253),
    organization_id uuid not null,
    tenant_id uuid not null,
    reserved_until timestamptz,
    created_at timestamptz not null default now(),
    foreign key (organization_id, tenant_id) references tenants (organization_id, id)
);
create index domains_by_tenant on domains (organization_id, tenant_id);
call isolate('domains', 'organization');

create table checkouts (
    id uuid primary key,
    organization_id uuid not null references organizations (id),
    product text not null references products (key),
    price_id uuid not null references prices (id),
    tenant_id uuid,
    state text not null default 'open' check (state in ('open', 'paid', 'expired', 'failed')),
    failure jsonb,
    stripe_session_id text unique,
    payment_url text,
    subscription_id uuid,
    refund_needed boolean not null default false,
    trace_id text,
    created_by uuid references users (id) on delete set null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    settled_at timestamptz,
    unique (organization_id, id),
    foreign key (organization_id, tenant_id) references tenants (organization_id, id),
    foreign key (organization_id, subscription_id) references subscriptions (organization_id, id)
);
-- One open checkout for one purchase: a new one expires the old.
create unique index checkouts_one_open on checkouts (organization_id, tenant_id) where state = 'open';
create index checkouts_by_organization on checkouts (organization_id, created_at desc);
call isolate('checkouts', 'organization');

create table operations (
    id uuid primary key,
    organization_id uuid not null,
    tenant_id uuid not null,
    kind text not null,
    params jsonb not null,
    state text not null default 'queued' check (state in
        ('queued', 'running', 'waiting', 'undoing', 'stuck', 'done', 'undone')),
    attempt int not null default 1,
    epoch bigint not null default 0,
    lease_until timestamptz,
    wake_at timestamptz not null default now(),
    deadline_at timestamptz,
    cause text not null,
    actor text not null,
    trace_id text,
    error jsonb,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz,
    unique (organization_id, id),
    foreign key (organization_id, tenant_id) references tenants (organization_id, id)
);
create unique index operations_one_at_a_time on operations (tenant_id) where state not in ('done', 'undone');
create index operations_to_run on operations (wake_at) where state in ('queued', 'running', 'waiting', 'undoing');
create index operations_by_tenant on operations (organization_id, tenant_id, created_at desc);
create index operations_by_state on operations (state, created_at desc, id);
create index operations_by_kind on operations (kind, ended_at desc) where state = 'done';
call isolate('operations', 'organization');

create table operation_steps (
    operation_id uuid not null,
    seq int not null,
    organization_id uuid not null,
    step text not null,
    phase text not null check (phase in ('do', 'undo')),
    record text not null check (record in ('started', 'done', 'failed', 'not_yet')),
    epoch bigint not null,
    attempt int not null,
    output jsonb,
    error jsonb,
    at timestamptz not null default clock_timestamp(),
    primary key (operation_id, seq),
    foreign key (organization_id, operation_id) references operations (organization_id, id) on delete cascade
);
call isolate('operation_steps', 'organization');

create function notify_operation_queued() returns trigger language plpgsql as $$
begin
    perform pg_notify('operations_queued', '');
    perform pg_notify('operation_progress', new.id::text);
    return null;
end $$;
create trigger operations_queued after insert on operations
    for each row execute function notify_operation_queued();

create function notify_operation_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('operation_progress', new.id::text);
    -- A pause wakes nobody: whoever polls finds it when it is over.
    if new.state = 'queued'
        or (new.lease_until is null and new.wake_at <= clock_timestamp()
            and new.state in ('waiting', 'running', 'undoing')) then
        perform pg_notify('operations_queued', '');
    end if;
    return null;
end $$;
create trigger operations_changed after update of state, wake_at on operations
    for each row when (old.state is distinct from new.state or old.wake_at is distinct from new.wake_at)
    execute function notify_operation_changed();

create function notify_operation_step() returns trigger language plpgsql as $$
begin
    perform pg_notify('operation_progress', new.operation_id::text);
    return null;
end $$;
create trigger operation_steps_written after insert on operation_steps
    for each row execute function notify_operation_step();
