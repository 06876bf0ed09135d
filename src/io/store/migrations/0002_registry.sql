-- The registry that the bridge is.

CREATE TABLE users (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    -- SHA-256 of the token.
    token_hash BLOB NOT NULL UNIQUE,
    -- The one user made at first start, whose token lies beside the database.
    local      INTEGER NOT NULL CHECK (local IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_local_user ON users (local) WHERE local = 1;

CREATE TABLE runtimes (
    id         TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    -- JSON, every key but the secret.
    record     TEXT NOT NULL,
    secret     TEXT,
    -- Milliseconds since 1970, UTC.
    registered INTEGER NOT NULL,
    seen       INTEGER NOT NULL
) STRICT;

CREATE INDEX runtimes_of_user ON runtimes (user, registered);
