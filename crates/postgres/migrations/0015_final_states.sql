-- Ends that are ends: what the program takes care of, the database keeps, as it does for the moves of tenants.

-- A payment is never taken back here, and no attempt to buy is opened again. One that expired or failed may still turn
-- out to be paid.
create function checkouts_stay_settled() returns trigger language plpgsql as $$
begin
    if new.state = 'open' or old.state = 'paid' then
        raise exception 'checkout % cannot go from % to %', old.id, old.state, new.state
            using errcode = 'integrity_constraint_violation', constraint = 'checkouts_legal_moves';
    end if;
    return new;
end $$;
create trigger checkouts_legal_moves before update of state on checkouts
    for each row when (old.state is distinct from new.state) execute function checkouts_stay_settled();

-- What is to be done again is another operation.
create function operations_stay_ended() returns trigger language plpgsql as $$
begin
    raise exception 'operation % has ended: it cannot go from % to %', old.id, old.state, new.state
        using errcode = 'integrity_constraint_violation', constraint = 'operations_legal_moves';
end $$;
create trigger operations_legal_moves before update of state on operations
    for each row when (old.state in ('done', 'undone') and old.state is distinct from new.state)
    execute function operations_stay_ended();

-- The plan of a tenant is one of its product's.
alter table tenants
    add constraint tenants_plan_wanted_of_product foreign key (plan_version_wanted, product)
        references plan_versions (id, product),
    add constraint tenants_plan_applied_of_product foreign key (plan_version_applied, product)
        references plan_versions (id, product);

-- Where polling goes on from is asked every two seconds, and what has been settled for long is swept away by its age.
create index stripe_events_by_creation on stripe_events (created_at);
