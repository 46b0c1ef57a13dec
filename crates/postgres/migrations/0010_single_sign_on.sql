-- A code that is shown twice takes what it gave with it; and a dedicated product signs people in at one of its tenants.
alter table oidc_codes
    add column revoked_at timestamptz,
    add column tenant_id uuid,
    add foreign key (organization_id, tenant_id) references tenants (organization_id, id) on delete cascade;

-- A session that goes takes its chain of tokens and its codes along.
create index refresh_tokens_by_session on refresh_tokens (session_id);
create index oidc_codes_by_session on oidc_codes (session_id);
