-- What is sold, who bought what, and what the payment provider told us.

create table catalog_revisions (
    id bigint generated always as identity primary key,
    sha256 bytea not null check (length(sha256) = 32),
    document text not null,
    applied_at timestamptz not null default now(),
    applied_by text not null
);
call isolate('catalog_revisions', 'system');

create table products (
    key text primary key check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
    delivery text not null check (delivery in ('dedicated', 'shared')),
    definition jsonb not null,
    stripe_product_id text unique,
    retired_at timestamptz,
    unique (key, delivery)
);
call isolate('products', 'system');

-- A subscription pins the version that it was sold under, so a version never changes; a change of the catalog adds one.
create table plan_versions (
    id uuid primary key,
    product text not null references products (key),
    plan text not null check (plan ~ '^[a-z][a-z0-9_]{0,39}$'),
    version int not null check (version > 0),
    definition jsonb not null,
    created_at timestamptz not null default now(),
    retired_at timestamptz,
    unique (product, plan, version),
    unique (id, product)
);
create unique index plan_versions_current on plan_versions (product, plan) where retired_at is null;
call isolate('plan_versions', 'system');

create function plan_versions_are_immutable() returns trigger language plpgsql as $$
begin
    if (new.id, new.product, new.plan, new.version, new.definition, new.created_at)
        is distinct from (old.id, old.product, old.plan, old.version, old.definition, old.created_at) then
        raise exception 'plan version % is immutable', old.id
            using errcode = 'integrity_constraint_violation', constraint = 'plan_versions_are_immutable';
    end if;
    return new;
end $$;
create trigger plan_versions_are_immutable before update on plan_versions
    for each row execute function plan_versions_are_immutable();

create table prices (
    id uuid primary key,
    plan_version_id uuid not null references plan_versions (id),
    recurrence text not null check (recurrence in ('month', 'year')),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor >= 0),
    lookup_key text not null,
    stripe_price_id text unique,
    created_at timestamptz not null default now(),
    retired_at timestamptz
);
create unique index prices_current on prices (lookup_key) where retired_at is null;
call isolate('prices', 'system');

create table billing_customers (
    organization_id uuid primary key references organizations (id),
    provider text not null default 'stripe',
    provider_id text unique,
    created_at timestamptz not null default now()
);
call isolate('billing_customers', 'organization');

create table subscriptions (
    id uuid primary key,
    organization_id uuid not null references organizations (id),
    product text not null,
    delivery text not null,
    plan_version_id uuid not null,
    price_id uuid references prices (id),
    source text not null check (source in ('stripe', 'free', 'operator')),
    status text not null check (status in
        ('incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled', 'incomplete_expired')),
    current_period_end timestamptz,
    cancel_at_period_end boolean not null default false,
    stripe_subscription_id text unique,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    unique (organization_id, id),
    foreign key (product, delivery) references products (key, delivery),
    foreign key (plan_version_id, product) references plan_versions (id, product),
    check ((source = 'stripe') = (stripe_subscription_id is not null))
);
create unique index subscriptions_one_shared on subscriptions (organization_id, product)
    where ended_at is null and delivery = 'shared';
create unique index subscriptions_one_free on subscriptions (organization_id, product)
    where ended_at is null and source = 'free';
create index subscriptions_by_organization on subscriptions (organization_id, created_at desc);
call isolate('subscriptions', 'organization_user');

create table entitlements (
    subscription_id uuid primary key,
    organization_id uuid not null,
    access text not null check (access in ('full', 'grace', 'read_only', 'suspended', 'none')),
    limits jsonb not null,
    valid_until timestamptz,
    updated_at timestamptz not null default now(),
    foreign key (organization_id, subscription_id) references subscriptions (organization_id, id) on delete cascade
);
call isolate('entitlements', 'organization');

-- `limit_key` because LIMIT is a reserved word; the row's lock is what serialises two people racing for the last unit.
create table limit_counters (
    id uuid primary key,
    organization_id uuid not null references organizations (id),
    subscription_id uuid,
    limit_key text not null,
    used bigint not null default 0 check (used >= 0),
    unique nulls not distinct (organization_id, subscription_id, limit_key),
    foreign key (organization_id, subscription_id) references subscriptions (organization_id, id) on delete cascade
);
call isolate('limit_counters', 'organization');

-- The inbox. An event is stored, with the job that will look at it, before it is acknowledged.
create table stripe_events (
    id text primary key,
    type text not null,
    object_id text,
    object_type text,
    api_version text,
    livemode boolean not null,
    payload jsonb not null,
    state text not null default 'received' check (state in ('received', 'applied', 'ignored', 'failed')),
    reason text,
    attempts int not null default 0,
    trace_id text,
    created_at timestamptz not null,
    received_at timestamptz not null default now(),
    settled_at timestamptz
);
create index stripe_events_waiting on stripe_events (object_id) where state = 'received';
create index stripe_events_by_state on stripe_events (state, received_at desc);
create index stripe_events_by_time on stripe_events (received_at desc, id);
call isolate('stripe_events', 'system');

-- The fence of one object at the provider: a fetch takes the next number before it asks, and what it learned is
-- applied only if nothing asked for later has been applied already.
create table stripe_objects (
    object_id text primary key,
    organization_id uuid,
    next_fetch_no bigint not null default 0,
    applied_fetch_no bigint not null default 0,
    applied_at timestamptz
);
call isolate('stripe_objects', 'system');

-- The intent of every write to the provider, recorded before it is sent: after a crash or an answer that never came,
-- the same key is sent again, or the object is looked up by our id before another key is used.
create table stripe_calls (
    key text primary key,
    purpose text not null,
    subject_id uuid,
    request_hash bytea not null check (length(request_hash) = 32),
    idempotency_key text not null,
    state text not null default 'intended' check (state in ('intended', 'sent', 'done', 'failed')),
    attempts int not null default 0,
    result_id text,
    error jsonb,
    created_at timestamptz not null default now(),
    first_sent_at timestamptz,
    at timestamptz not null default now()
);
call isolate('stripe_calls', 'system');
