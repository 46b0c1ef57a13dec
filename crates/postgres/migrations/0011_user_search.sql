-- How operators find people among a million: newest first, and by the beginning of any word of a name or an address
-- ('love', 'ada@example'). Full-text search needs no extension, and the index answers a prefix of any word of both.

-- Punctuation only separates words: without this the parser would take an address for a single one. Letters beyond
-- ASCII are left to the parser.
create function user_words(name text, email text) returns tsvector
    language sql immutable parallel safe
    return to_tsvector('simple'::regconfig,
        translate(name || ' ' || email, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)));

create index users_by_words on users using gin (user_words(name, email_normalized)) where deleted_at is null;
create index users_by_creation on users (created_at desc, id desc) where deleted_at is null;

-- Sessions through which an operator looks: found when that operator loses the right to.
create index sessions_by_impersonator on sessions (impersonator_id) where impersonator_id is not null and ended_at is null;
