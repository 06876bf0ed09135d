-- The registry's tables. Ids are text and times milliseconds since 1970, as in the SQLite file, so that both have the
-- same queries.

CREATE TABLE users (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    -- SHA-256 of the token.
    token_hash BYTEA NOT NULL UNIQUE,
    -- The one user made at first start, whose token lies in that host's state directory.
    local      BOOLEAN NOT NULL
);

CREATE UNIQUE INDEX one_local_user ON users (local) WHERE local;

CREATE TABLE runtimes (
    id         TEXT PRIMARY KEY,
    "user"     TEXT NOT NULL,
    -- JSON, every key but the secret.
    record     TEXT NOT NULL,
    secret     TEXT,
    -- Milliseconds since 1970, UTC.
    registered BIGINT NOT NULL,
    seen       BIGINT NOT NULL
);

CREATE INDEX runtimes_of_user ON runtimes ("user", registered);
