-- One row in every table that belongs to the installation.
insert into catalog_revisions (sha256, document, applied_by) values (sha256('catalog'), 'products: {}', 'a test');
insert into products (key, delivery, definition) values ('collection', 'dedicated', '{}');
insert into plan_versions (id, product, plan, version, definition)
    values (gen_random_uuid(), 'collection', 'starter', 1, '{}');
insert into prices (id, plan_version_id, recurrence, currency, amount_minor, lookup_key)
    select gen_random_uuid(), id, 'month', 'EUR', 4900, 'collection_starter_month_eur' from plan_versions;
insert into clusters (id, name) values (gen_random_uuid(), 'local');
insert into sign_ups (token_hash, email_normalized, password_hash, name, organization_name, expires_at)
    values (sha256('token'), 'new@example.org', 'hash', 'New', 'New', now() + interval '1 day');
insert into sign_in_failures (subject, failures, last_failed_at) values ('subject', 1, now());
insert into request_rates (subject, used_until) values (sha256('subject'), now());
insert into operators (id, email_normalized, password_hash, role)
    values (gen_random_uuid(), 'operator@example.org', 'hash', 'admin');
insert into operator_sessions (id, operator_id, secret_hash, expires_at)
    select gen_random_uuid(), id, sha256('operator'), now() + interval '1 day' from operators;
insert into stripe_events (id, type, livemode, payload, created_at) values ('evt_1', 'invoice.paid', false, '{}', now());
insert into stripe_objects (object_id) values ('sub_0');
insert into stripe_calls (key, purpose, request_hash, idempotency_key) values ('key', 'customer', sha256('request'), 'key');
insert into idempotency_keys (principal, key, request_hash, expires_at)
    values ('user', 'key', sha256('request'), now() + interval '1 day');
insert into mail_causes (hash, queued_at) values (sha256('tenant_ready'), now());
insert into jobs (id, kind, payload) values (gen_random_uuid(), 'mail.send', '{}');
insert into sealed_secrets (id, scope, owner_id, name, key_id, wrapped_key, ciphertext)
    values (gen_random_uuid(), 'tenant', gen_random_uuid(), 'admin-password', 'k1', '\x00', '\x00');
-- Belongs to a person, and is seen by the system alone.
insert into users (id, email_normalized, name, verified_at)
    values (gen_random_uuid(), 'stranger@example.org', 'A stranger', now());
insert into credentials (user_id, password_hash) select id, 'hash' from users;
insert into one_time_tokens (hash, purpose, email_normalized, user_id, expires_at)
    select sha256('link'), 'reset_password', email_normalized, id, now() + interval '1 hour' from users;
insert into operator_totp_factors (operator_id, sealed_secret) select id, 'sealed' from operators;
insert into operator_recovery_codes (operator_id, hash) select id, sha256('recovery') from operators;
insert into operator_known_devices (operator_id, secret_hash) select id, sha256('operator device') from operators;
insert into sign_in_challenges (hash, user_id, expires_at)
    select sha256('challenge'), id, now() + interval '5 minutes' from users;
insert into signing_keys (kid, algorithm, public_jwk, sealed_private, not_before, retire_at, remove_at)
    values ('key-of-a-test', 'EdDSA', '{}', 'sealed', now(), now() + interval '1 day', now() + interval '2 days');
insert into oidc_clients (client_id, product, name, redirect_uris)
    values ('collection', 'collection', 'Collection', '{https://collection.example.com/callback}');
insert into sessions (id, user_id, secret_hash, expires_at)
    select gen_random_uuid(), id, sha256('session of a stranger'), now() + interval '1 day' from users;
insert into oidc_codes (hash, client_id, user_id, session_id, redirect_uri, code_challenge, scope, expires_at)
    select sha256('code'), 'collection', user_id, id, 'https://collection.example.com/callback', 'challenge', 'openid',
           now() + interval '1 minute'
    from sessions;
insert into audit_chains (chain, scope, seq, hash)
    values ('00000000-0000-0000-0000-000000000000', 'system', 1, sha256('row'));
insert into audit_anchors (chain, scope, seq, hash, anchored_at, signature)
    values ('00000000-0000-0000-0000-000000000000', 'system', 1, sha256('row'), now(), sha512('signature'));
