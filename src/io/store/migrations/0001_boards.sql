-- What the bridge remembers of its boards.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE boards (
    id     TEXT PRIMARY KEY,
    label  TEXT,
    secret TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Ids that were chosen instead of derived ones.
CREATE TABLE id_overrides (
    derived TEXT PRIMARY KEY,
    chosen  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which path had a USB serial first, and whether two boards were ever seen with it.
CREATE TABLE serials (
    key       TEXT PRIMARY KEY,
    last_path TEXT NOT NULL,
    shared    INTEGER NOT NULL CHECK (shared IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Yes or no to one board ('board:UUID') or to every device of a chip ('chip:VID:PID').
CREATE TABLE admissions (
    subject TEXT PRIMARY KEY,
    answer  TEXT NOT NULL CHECK (answer IN ('allow', 'ignore'))
) STRICT, WITHOUT ROWID;

-- Records that may exist at a registry. A row is written before the first PUT and removed after the DELETE.
CREATE TABLE registrations (
    registry   TEXT NOT NULL,
    board      TEXT NOT NULL,
    last_error TEXT,
    PRIMARY KEY (registry, board)
) STRICT, WITHOUT ROWID;
