-- How often somebody asked for tokens, as the moment at which all of it is forgotten. `subject` is a keyed hash, which names
-- nobody. There is no index but the key's: every request writes its row, and an index on what it writes would cost more
-- than the sweep of a small table now and then.
create table request_rates (
    subject bytea primary key check (length(subject) = 32),
    used_until timestamptz not null
);
call isolate('request_rates', 'system');

-- A key that somebody else may have is believed no more from this moment on. Its row stays until its last token has died,
-- without the private half, so that revoking it again finds it.
alter table signing_keys add column revoked_at timestamptz;
