-- +goose Up

-- What replicas tell each other for a short while: in no log, no document, no backup.
CREATE TABLE notes (
	scope TEXT NOT NULL,
	name  TEXT NOT NULL,
	at    INTEGER NOT NULL,
	body  BLOB    NOT NULL,
	PRIMARY KEY (scope, name)
) WITHOUT ROWID;
