-- Browsers from which an operator signed in before: their own count of failures keeps strangers from locking the console.
create table operator_known_devices (
    operator_id uuid not null references operators (id) on delete cascade,
    secret_hash bytea not null check (length(secret_hash) = 32),
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    primary key (operator_id, secret_hash)
);
call isolate('operator_known_devices', 'system');
