-- What a client must know that may only look at a board.
ALTER TABLE boards ADD COLUMN read_secret TEXT;

-- The graph that each board had last, as the bridge saw it.
CREATE TABLE graphs (
    board TEXT PRIMARY KEY,
    -- JSON with its version in it.
    graph TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What `microflo generate` wrote of a firmware build.
CREATE TABLE firmwares (
    name       TEXT PRIMARY KEY,
    -- Its component map, JSON.
    components TEXT NOT NULL,
    -- Its embedded graph, JSON.
    graph      TEXT
) STRICT, WITHOUT ROWID;

-- Which boards have it: one board ('board:UUID'), every board of a chip ('chip:VID:PID') or all others ('default').
CREATE TABLE firmware_rules (
    subject  TEXT PRIMARY KEY,
    firmware TEXT NOT NULL REFERENCES firmwares (name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
