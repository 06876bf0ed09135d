-- A user is named by name or id.
CREATE UNIQUE INDEX users_by_name ON users (name);
