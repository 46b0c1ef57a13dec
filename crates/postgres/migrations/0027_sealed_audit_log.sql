-- The log of who did what shows what was done to it. Rows belong to a chain (an organization's, a user's own, the system's);
-- a sealer gives each, once and soon after its commit, the next number of its chain and a hash over the row and the hash
-- before it. What is hashed is defined in crates/domain/src/audit/record.rs. Whoever goes around the triggers below, as a
-- superuser can, is found out by `tenantry audit verify`.
--
-- This is the longest table, and everybody writes to it: nothing here writes it anew, and nothing is checked of rows for which
-- it holds anyway, since they have null in the new columns. What is there waits for its seal, as any new row does.
alter table audit_events
    add column chain uuid,
    add column seq bigint,
    add column prev_hash bytea,
    add column hash bytea,
    add constraint audit_events_sealed_whole check (num_nonnulls(chain, seq, prev_hash, hash) in (0, 4)) not valid,
    add constraint audit_events_sealed_well
        check (seq > 0 and length(prev_hash) = 32 and length(hash) = 32) not valid;
-- The end of a chain, and the walk along it.
create unique index audit_events_by_chain on audit_events (chain, seq) where seq is not null;
-- What waits for its seal: soon as good as empty, whatever the size of the log.
create index audit_events_unsealed on audit_events (at, id) where seq is null;

-- The end of each chain, and up to where it was signed. A tail that is cut off is shorter than this says.
create table audit_chains (
    chain uuid primary key,
    scope text not null check (scope in ('organization', 'user', 'system')),
    seq bigint not null check (seq > 0),
    hash bytea not null check (length(hash) = 32),
    -- When the first row that is left was written, where one is left: finds what has become old.
    first_at timestamptz,
    -- Nobody may say that what is still to come was signed.
    checkpoint_seq bigint not null default 0 check (checkpoint_seq <= seq)
);
create index audit_chains_to_sign on audit_chains (chain) where checkpoint_seq < seq;
create index audit_chains_by_age on audit_chains (first_at) where first_at is not null;
call isolate('audit_chains', 'system');

-- What is left of a beginning that became old: the last row that was dropped, signed.
create table audit_anchors (
    chain uuid primary key,
    scope text not null check (scope in ('organization', 'user', 'system')),
    seq bigint not null check (seq > 0),
    hash bytea not null check (length(hash) = 32),
    anchored_at timestamptz not null,
    signature bytea not null check (length(signature) = 64)
);
call isolate('audit_anchors', 'system');
revoke delete on audit_chains, audit_anchors from tenantry_system;

-- The sealer writes these three columns, and a trigger the chain; what is old is dropped behind an anchor. The triggers hold
-- them to it.
grant update (seq, prev_hash, hash) on audit_events to tenantry_system;
grant delete on audit_events to tenantry_system;

drop trigger audit_events_are_append_only on audit_events;
create trigger audit_events_are_append_only before truncate on audit_events
    for each statement execute function audit_events_are_append_only();
create trigger audit_events_begin_unsealed before insert on audit_events
    for each row when (num_nonnulls(new.chain, new.seq, new.prev_hash, new.hash) > 0)
    execute function audit_events_are_append_only();

-- Once, and nothing else, to the last bit. The chain follows from the row itself.
create function audit_events_are_sealed_once() returns trigger language plpgsql as $$
declare
    unsealed audit_events := new;
begin
    unsealed.seq := null;
    unsealed.prev_hash := null;
    unsealed.hash := null;
    unsealed.chain := null;
    if new.seq is null or unsealed *<> old then
        raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
    end if;
    new.chain := coalesce(new.organization_id, new.user_id, '00000000-0000-0000-0000-000000000000');
    return new;
end $$;
create trigger audit_events_are_sealed_once before update on audit_events
    for each row execute function audit_events_are_sealed_once();

-- In order: each row follows the row, the end or the anchor that has the number before its own.
create function audit_seals_follow() returns trigger language plpgsql as $$
declare
    nothing constant bytea := decode(repeat('00', 32), 'hex');
begin
    if exists (
        select from sealed s
        left join audit_chains head on head.chain = s.chain
        left join audit_events before on before.chain = s.chain and before.seq = s.seq - 1
        left join audit_anchors anchor on anchor.chain = s.chain and anchor.seq = s.seq - 1
        where s.seq <= coalesce(head.seq, 0)
           or (s.seq = 1 and s.prev_hash = nothing
               or before.hash = s.prev_hash
               or head.seq = s.seq - 1 and head.hash = s.prev_hash
               or anchor.hash = s.prev_hash) is not true
    ) then
        raise exception 'a seal does not follow the end of its chain' using errcode = 'insufficient_privilege';
    end if;
    return null;
end $$;
create trigger audit_seals_follow after update on audit_events referencing new table as sealed
    for each statement execute function audit_seals_follow();

-- From the beginning, up to the anchor, and nothing that is younger than a year.
create function audit_events_are_dropped_behind_an_anchor() returns trigger language plpgsql as $$
begin
    if exists (
        select from dropped d left join audit_anchors a on a.chain = d.chain
        where (d.seq <= a.seq and d.at < now() - interval '365 days') is not true
           or d.seq = a.seq and d.hash <> a.hash
    ) or exists (
        select from audit_anchors a join audit_events e on e.chain = a.chain and e.seq <= a.seq
        where a.chain in (select d.chain from dropped d)
    ) then
        raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
    end if;
    return null;
end $$;
create trigger audit_events_are_dropped_behind_an_anchor after delete on audit_events referencing old table as dropped
    for each statement execute function audit_events_are_dropped_behind_an_anchor();
