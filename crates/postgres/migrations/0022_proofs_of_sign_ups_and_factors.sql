-- A secret for an authenticator app waits a few minutes for the app's first code: one that lies around would let whoever
-- learned it, or guesses its codes, put their app in the place of the owner's. Those that wait now wait no more.
alter table totp_factors add column prepared_at timestamptz;
alter table operator_totp_factors add column prepared_at timestamptz;
