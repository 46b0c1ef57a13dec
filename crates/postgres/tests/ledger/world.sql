-- One row in every table that belongs to somebody, for the organization {organization} and its only user {user}.
-- {n} is a small number, different for each world.
insert into users (id, email_normalized, name, verified_at)
    values ('{user}', 'person-{n}@example.org', 'Person {n}', now());
insert into sessions (id, user_id, secret_hash, expires_at)
    values (gen_random_uuid(), '{user}', sha256('session {n}'), now() + interval '1 day');
insert into user_avatars (user_id, content_type, bytes, sha256)
    values ('{user}', 'image/png', 'picture {n}', sha256('picture {n}'));
insert into refresh_tokens (id, user_id, session_id, hash)
    select gen_random_uuid(), user_id, id, sha256('refresh {n}') from sessions where user_id = '{user}';
insert into known_devices (user_id, secret_hash) values ('{user}', sha256('device {n}'));
insert into totp_factors (user_id, sealed_secret) values ('{user}', 'sealed');
insert into recovery_codes (user_id, hash) values ('{user}', sha256('recovery {n}'));
insert into personal_keys (user_id, key_id, wrapped_key, ciphertext) values ('{user}', 'k1', '\x00', '\x00');
insert into organizations (id, name) values ('{organization}', 'Museum {n}');
insert into memberships (organization_id, user_id, role) values ('{organization}', '{user}', 'owner');
insert into organization_slugs (slug, organization_id, is_current) values ('museum-{n}', '{organization}', true);
insert into billing_customers (organization_id, provider_id) values ('{organization}', 'cus_{n}');
insert into subscriptions (id, organization_id, product, delivery, plan_version_id, price_id, source, status,
                           stripe_subscription_id)
    select '{subscription}', '{organization}', 'collection', 'dedicated', v.id, p.id, 'stripe', 'active', 'sub_{n}'
    from plan_versions v join prices p on p.plan_version_id = v.id;
insert into entitlements (subscription_id, organization_id, access, limits)
    values ('{subscription}', '{organization}', 'full', '{}');
insert into limit_counters (id, organization_id, subscription_id, limit_key)
    values (gen_random_uuid(), '{organization}', '{subscription}', 'tenants');
insert into tenants (id, organization_id, subscription_id, product, cluster_id, name, namespace, release,
                     plan_version_wanted)
    select '{tenant}', '{organization}', '{subscription}', 'collection', c.id, 'museum-{n}', 'tenant-{n}', 'tenant-{n}',
           v.id
    from clusters c, plan_versions v;
insert into domains (host, organization_id, tenant_id)
    values ('museum-{n}.example.org', '{organization}', '{tenant}');
insert into checkouts (id, organization_id, product, price_id, tenant_id, stripe_session_id, expires_at)
    select gen_random_uuid(), '{organization}', 'collection', p.id, '{tenant}', 'cs_{n}', now() + interval '1 day'
    from prices p;
insert into operations (id, organization_id, tenant_id, kind, params, cause, actor)
    values ('{operation}', '{organization}', '{tenant}', 'provision', '{}', 'a test', 'system');
insert into operation_steps (operation_id, seq, organization_id, step, phase, record, epoch, attempt)
    values ('{operation}', 1, '{organization}', 'namespace', 'do', 'started', 1, 1);
insert into audit_events (id, organization_id, user_id, action, actor)
    values (gen_random_uuid(), '{organization}', '{user}', 'tenant.created', 'user');
