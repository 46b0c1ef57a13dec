-- The system's statements ask by the tenant, or by its contract, alone; an index that begins with the organization sends
-- them through the whole table. Each step of each operation does so several times. Where an organization asks, the tenant
-- alone is narrow enough, and foreign keys are checked by it as well: the older indexes go.
create index domains_of_tenant on domains (tenant_id, created_at);
drop index domains_by_tenant;
create index operations_of_tenant on operations (tenant_id, created_at desc, id desc);
drop index operations_by_tenant;
create index checkouts_of_tenant on checkouts (tenant_id, created_at) where tenant_id is not null;
create index tenants_of_subscription on tenants (subscription_id) where subscription_id is not null;
drop index tenants_by_subscription;

-- One payment's way is followed through the two largest tables. The columns hold a whole `traceparent`; this is the trace.
create index stripe_events_by_trace on stripe_events (split_part(trace_id, '-', 2)) where trace_id is not null;
create index jobs_by_trace on jobs (split_part(trace_id, '-', 2)) where trace_id is not null;
