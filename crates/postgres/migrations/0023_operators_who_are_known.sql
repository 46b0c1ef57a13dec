-- Browsers from which an operator signed in before: their own count of failures keeps strangers from locking the console.
create table operator_known_devices (
    operator_id uuid not null references operators (id) on delete cascade,
    secret_hash bytea not null check (length(secret_hash) = 32),
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    primary key (operator_id, secret_hash)
);
call isolate('operator_known_devices', 'system');

-- Somebody took the operator's second factor away: the next one is set up by whoever holds this link, too, and not by
-- everybody who has learned the password. The hash stays until then, also of a link that is too old.
alter table operators
    add column enrolment_hash bytea check (length(enrolment_hash) = 32),
    add column enrolment_expires_at timestamptz,
    add constraint operators_enrol_by_a_link_that_expires
        check ((enrolment_hash is null) = (enrolment_expires_at is null));
