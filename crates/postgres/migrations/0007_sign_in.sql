-- Everything about signing in beyond a password: links in mails, second factors, devices that are known, tokens for
-- programs, single sign-on into products, and operators who look through a customer's eyes.

alter table users
    add column notifications jsonb not null default '{}',
    add constraint users_locale_is_short check (length(locale) between 2 and 35),
    add constraint users_time_zone_is_short check (length(time_zone) between 1 and 64);

-- Decoded and encoded again before it is kept, at most 512 pixels wide and high.
create table user_avatars (
    user_id uuid primary key references users (id) on delete cascade,
    content_type text not null check (content_type in ('image/png', 'image/jpeg', 'image/webp')),
    bytes bytea not null check (length(bytes) between 1 and 1048576),
    sha256 bytea not null check (length(sha256) = 32),
    updated_at timestamptz not null default now()
);
call isolate('user_avatars', 'user');

-- A link in a mail, by the hash of its token. `email_normalized` is the address that the link proves.
create table one_time_tokens (
    hash bytea primary key check (length(hash) = 32),
    purpose text not null check (purpose in ('reset_password', 'change_email', 'first_operator')),
    email_normalized text not null,
    user_id uuid references users (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    check ((purpose = 'first_operator') = (user_id is null))
);
create index one_time_tokens_by_user on one_time_tokens (user_id, purpose) where used_at is null;
call isolate('one_time_tokens', 'system');

-- A session that a browser holds has a secret; one that a program holds has refresh tokens instead. `proved_at` is when
-- its person last proved who they are (by password or factor): acts that cannot be taken back ask how long ago that was.
alter table sessions
    alter column secret_hash drop not null,
    add constraint sessions_secret_in_browsers check ((kind = 'browser') = (secret_hash is not null)),
    add column mfa_at timestamptz,
    add column proved_at timestamptz not null default now(),
    add column impersonator_id uuid references operators (id),
    add column impersonation_reason text check (length(impersonation_reason) between 1 and 500),
    add constraint sessions_impersonated_with_a_reason
        check ((impersonator_id is null) = (impersonation_reason is null)),
    add constraint sessions_of_a_user unique (user_id, id);

-- The chain of refresh tokens of a session: only the last one is unspent. A successor is derived from its predecessor
-- by a keyed hash, so that it is the same for everybody who asks at once and is kept nowhere in clear.
create table refresh_tokens (
    id uuid primary key,
    user_id uuid not null,
    session_id uuid not null,
    hash bytea not null unique check (length(hash) = 32),
    created_at timestamptz not null default now(),
    spent_at timestamptz,
    foreign key (user_id, session_id) references sessions (user_id, id) on delete cascade
);
create unique index refresh_tokens_one_unspent on refresh_tokens (session_id) where spent_at is null;
call isolate('refresh_tokens', 'user');

-- Browsers that signed in before: their own count of failures keeps strangers from locking their owner out.
create table known_devices (
    secret_hash bytea not null check (length(secret_hash) = 32),
    user_id uuid not null references users (id) on delete cascade,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    primary key (user_id, secret_hash)
);
call isolate('known_devices', 'user');

-- `last_step` is the time step of the last code that was used: none is taken twice. A factor without `confirmed_at` is
-- being set up and asks for nothing yet.
create table totp_factors (
    user_id uuid primary key references users (id) on delete cascade,
    sealed_secret text not null,
    last_step bigint not null default 0,
    created_at timestamptz not null default now(),
    confirmed_at timestamptz
);
call isolate('totp_factors', 'user');

create table recovery_codes (
    user_id uuid not null references users (id) on delete cascade,
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz not null default now(),
    used_at timestamptz,
    primary key (user_id, hash)
);
call isolate('recovery_codes', 'user');

create table operator_totp_factors (
    operator_id uuid primary key references operators (id) on delete cascade,
    sealed_secret text not null,
    last_step bigint not null default 0,
    created_at timestamptz not null default now(),
    confirmed_at timestamptz
);
call isolate('operator_totp_factors', 'system');

create table operator_recovery_codes (
    operator_id uuid not null references operators (id) on delete cascade,
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz not null default now(),
    used_at timestamptz,
    primary key (operator_id, hash)
);
call isolate('operator_recovery_codes', 'system');

alter table operator_sessions
    add column mfa_at timestamptz,
    add column proved_at timestamptz not null default now();

-- A password was right and a second factor is still to come. `device` and `grant_kind` are what the sign-in asked for.
create table sign_in_challenges (
    hash bytea primary key check (length(hash) = 32),
    user_id uuid references users (id) on delete cascade,
    operator_id uuid references operators (id) on delete cascade,
    grant_kind text not null default 'browser' check (grant_kind in ('browser', 'token')),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    failures int not null default 0,
    used_at timestamptz,
    check (num_nonnulls(user_id, operator_id) = 1)
);
create index sign_in_challenges_expired on sign_in_challenges (expires_at);
call isolate('sign_in_challenges', 'system');

-- From this moment on members need a second factor; null where they do not.
alter table organizations add column second_factor_required_from timestamptz;

-- Keys that sign tokens. Published from `created_at` on, signing between `not_before` and `retire_at`, and published
-- until `remove_at`, so that every token finds its key for as long as it lives.
create table signing_keys (
    kid text primary key check (length(kid) between 8 and 64),
    algorithm text not null check (algorithm in ('EdDSA', 'RS256')),
    public_jwk jsonb not null,
    sealed_private text not null,
    created_at timestamptz not null default now(),
    not_before timestamptz not null,
    retire_at timestamptz not null,
    remove_at timestamptz not null,
    check (created_at <= not_before and not_before < retire_at and retire_at < remove_at)
);
create index signing_keys_by_time on signing_keys (algorithm, not_before desc);
call isolate('signing_keys', 'system');

-- Programs that people sign in to with their account here: the products of the catalog.
create table oidc_clients (
    client_id text primary key check (length(client_id) between 1 and 100),
    product text not null references products (key),
    name text not null,
    redirect_uris text[] not null check (cardinality(redirect_uris) > 0),
    post_logout_redirect_uris text[] not null default '{}',
    secret_hash bytea check (length(secret_hash) = 32),
    created_at timestamptz not null default now(),
    retired_at timestamptz
);
call isolate('oidc_clients', 'system');

create table oidc_codes (
    hash bytea primary key check (length(hash) = 32),
    client_id text not null references oidc_clients (client_id) on delete cascade,
    user_id uuid not null,
    session_id uuid not null,
    organization_id uuid references organizations (id) on delete cascade,
    redirect_uri text not null,
    code_challenge text not null,
    scope text not null,
    nonce text,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    foreign key (user_id, session_id) references sessions (user_id, id) on delete cascade
);
create index oidc_codes_expired on oidc_codes (expires_at);
call isolate('oidc_codes', 'system');
