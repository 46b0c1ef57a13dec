-- People, how they prove who they are, and the operators of this installation (unrelated to customers, also when the
-- e-mail address is the same).

create table users (
    id uuid primary key,
    email_normalized text not null unique check (length(email_normalized) between 3 and 320),
    name text not null check (length(name) between 1 and 200),
    locale text not null default 'en',
    time_zone text not null default 'UTC',
    verified_at timestamptz not null,
    created_at timestamptz not null default now(),
    deleted_at timestamptz
);

create table credentials (
    user_id uuid primary key references users (id) on delete cascade,
    password_hash text not null,
    updated_at timestamptz not null default now()
);
call isolate('credentials', 'system');

-- A sign-up is nothing but a promise to send a mail: several may exist for one address, and only confirming one makes
-- a user, with that row's password.
create table sign_ups (
    token_hash bytea primary key check (length(token_hash) = 32),
    email_normalized text not null,
    password_hash text not null,
    name text not null,
    organization_name text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    confirmed_at timestamptz,
    voided_at timestamptz
);
create index sign_ups_by_email on sign_ups (email_normalized) where confirmed_at is null and voided_at is null;
call isolate('sign_ups', 'system');

create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    kind text not null default 'browser' check (kind in ('browser', 'token')),
    secret_hash bytea not null unique check (length(secret_hash) = 32),
    device text not null default '' check (length(device) <= 500),
    address inet,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index sessions_by_user on sessions (user_id) where ended_at is null;
call isolate('sessions', 'user');

-- Failed sign-ins by what was tried and from where; the delay they cause is computed from these counts, so that all
-- replicas agree. `subject` is a keyed hash, never an address in clear.
create table sign_in_failures (
    subject bytea primary key,
    failures int not null,
    last_failed_at timestamptz not null
);
call isolate('sign_in_failures', 'system');

create table operators (
    id uuid primary key,
    email_normalized text not null unique,
    password_hash text not null,
    role text not null check (role in ('viewer', 'support', 'admin')),
    created_at timestamptz not null default now(),
    disabled_at timestamptz
);
call isolate('operators', 'system');

create table operator_sessions (
    id uuid primary key,
    operator_id uuid not null references operators (id) on delete cascade,
    secret_hash bytea not null unique check (length(secret_hash) = 32),
    device text not null default '' check (length(device) <= 500),
    address inet,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz
);
call isolate('operator_sessions', 'system');

-- users is isolated in 0003, once memberships exist.
