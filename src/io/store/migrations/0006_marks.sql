-- In which order they were stored: of the ids that boards store themselves only the newest of each place are kept.
ALTER TABLE serials ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
