-- The log of who did what can be changed by nobody, and yet a person may ask to be forgotten. What it keeps of a person
-- beside the act itself (where from) is therefore sealed under a key of that person's own: erasing drops the key. The nil
-- id stands for those whom nobody knows: strangers at the door, and operators.
create table personal_keys (
    user_id uuid primary key,
    key_id text not null,
    wrapped_key bytea not null,
    ciphertext bytea not null,
    created_at timestamptz not null default now()
);
call isolate('personal_keys', 'user');
grant select, insert on personal_keys to tenantry_app;
revoke update, delete on personal_keys from tenantry_app;

-- Nothing has been kept for longer than a demonstration, so nothing is carried over.
alter table audit_events drop column address, add column sealed_personal bytea;
