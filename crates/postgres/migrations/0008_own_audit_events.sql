-- A person's acts on their own account are written down in the transaction that does them, which runs in the person's own
-- scope. They belong to no organization, and their person may read them.
create policy own on audit_events for select to tenantry_app
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own_act on audit_events for insert to tenantry_app
    with check (user_id = nullif(current_setting('app.user_id', true), '')::uuid and organization_id is null);

-- Expired links, and failures that are forgotten, are swept away by their age.
create index one_time_tokens_expired on one_time_tokens (expires_at);
create index sign_in_failures_by_age on sign_in_failures (last_failed_at);
