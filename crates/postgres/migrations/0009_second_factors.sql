-- Second factors that move to another app, and browsers that several people share.

-- The secret of the app that is to replace the present one, which counts until the new one has shown a code.
alter table totp_factors add column replacement text;

-- A browser that somebody else signs in from gets a new secret, under which it stays known to all of them.
create index known_devices_by_secret on known_devices (secret_hash);
