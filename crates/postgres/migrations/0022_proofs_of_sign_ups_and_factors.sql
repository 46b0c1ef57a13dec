-- A secret for an authenticator app waits a few minutes for the app's first code: one that lies around would let whoever
-- learned it, or guesses its codes, put their app in the place of the owner's. Those that wait now wait no more.
alter table totp_factors add column prepared_at timestamptz;
alter table operator_totp_factors add column prepared_at timestamptz;

-- The browser that signed up, by the hash of a secret that it keeps. From another one the link in the mail is confirmed by
-- the password that was chosen: whoever reads the inbox is not always who signed up, nor the other way round.
alter table sign_ups add column browser_hash bytea check (length(browser_hash) = 32);
