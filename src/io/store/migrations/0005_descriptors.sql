-- What boards have said of their firmware: read once for all boards that have it.
CREATE TABLE descriptors (
    -- In the order in which they were read.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- What a board says to show that it has this one.
    fingerprint TEXT NOT NULL UNIQUE,
    dialect TEXT NOT NULL,
    bytes BLOB NOT NULL
);
