-- A client that shows its secret may bind a code to the browser by a nonce alone.
alter table oidc_codes
    alter column code_challenge drop not null,
    add check (num_nonnulls(code_challenge, nonce) > 0);

-- Product tokens are exchanged for every few minutes; the log names the first time for each organization.
alter table oidc_codes add column exchanged_for uuid[] not null default '{}';
