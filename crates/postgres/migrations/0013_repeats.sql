-- What keeps an act from being done twice: the id that every attempt of one call shares, and who is sending a write.

-- `act_id` is the id of what the call creates. It is drawn by the first attempt, and whoever takes the key over after a
-- crash or a failure of ours uses it again. `released` is set when an attempt failed: nobody need wait for it.
alter table idempotency_keys
    add column act_id uuid not null default gen_random_uuid(),
    add column released boolean not null default false;

-- One program at a time carries a write out; it has to be done, or say so, before this time.
alter table stripe_calls add column leased_until timestamptz;

-- Which mails were queued, by the hash of their cause: a cause that comes again after a crash sends nothing.
create table mail_causes (
    hash bytea primary key check (length(hash) = 32),
    queued_at timestamptz not null
);
create index mail_causes_by_time on mail_causes (queued_at);
call isolate('mail_causes', 'system');
