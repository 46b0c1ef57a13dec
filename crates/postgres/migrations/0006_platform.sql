-- Shared machinery: background jobs, sealed secrets, replayable answers, and the record of who did what.

create table jobs (
    id uuid primary key,
    kind text not null,
    payload jsonb not null,
    unique_key text unique,
    queue_key text,
    state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
    run_at timestamptz not null default now(),
    attempts int not null default 0,
    max_attempts int not null default 20,
    epoch bigint not null default 0,
    lease_until timestamptz,
    error jsonb,
    trace_id text,
    created_at timestamptz not null default now(),
    ended_at timestamptz
);
create index jobs_to_run on jobs (run_at, id) where state in ('queued', 'running');
create index jobs_in_queue on jobs (queue_key, id) where state in ('queued', 'running') and queue_key is not null;
-- Of the jobs that share a queue at most one runs, also when one commits later than it was made.
create unique index jobs_one_running on jobs (queue_key) where state = 'running';
create index jobs_by_state on jobs (state, created_at desc);
call isolate('jobs', 'system');

create function notify_job_queued() returns trigger language plpgsql as $$
begin
    perform pg_notify('jobs_queued', '');
    return null;
end $$;
-- Per statement: a batch of a thousand rows wakes the workers once.
create trigger jobs_queued after insert on jobs for each statement execute function notify_job_queued();

-- A secret is encrypted under a key of its own, which is wrapped by the master key named `key_id`.
create table sealed_secrets (
    id uuid primary key,
    scope text not null,
    owner_id uuid not null,
    organization_id uuid,
    name text not null,
    key_id text not null,
    wrapped_key bytea not null,
    ciphertext bytea not null,
    created_at timestamptz not null default now(),
    unique (scope, owner_id, name)
);
call isolate('sealed_secrets', 'system');

create table idempotency_keys (
    principal text not null,
    key text not null check (length(key) between 1 and 255),
    request_hash bytea not null check (length(request_hash) = 32),
    status int,
    sealed_response bytea,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (principal, key)
);
create index idempotency_keys_expired on idempotency_keys (expires_at);
call isolate('idempotency_keys', 'system');

create table audit_events (
    id uuid primary key,
    organization_id uuid,
    user_id uuid,
    action text not null,
    actor text not null,
    address inet,
    target text,
    body jsonb not null default '{}',
    at timestamptz not null default now()
);
create index audit_events_by_organization on audit_events (organization_id, at desc, id);
-- Written by whoever acts, read in the organization's scope, changed by nobody.
call isolate('audit_events', 'organization');
revoke update, delete on audit_events from tenantry_app, tenantry_system;

create function audit_events_are_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_events_are_append_only before update or delete or truncate on audit_events
    for each statement execute function audit_events_are_append_only();
