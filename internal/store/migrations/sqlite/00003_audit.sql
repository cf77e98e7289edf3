-- +goose Up

-- Who did what: written with the change itself, read by people, forgotten after a while.
CREATE TABLE audit (
	n         INTEGER PRIMARY KEY AUTOINCREMENT,
	id        TEXT    NOT NULL UNIQUE,
	at        INTEGER NOT NULL,
	scope     TEXT    NOT NULL, -- lower-case ID of the resource
	principal TEXT    NOT NULL,
	body      BLOB    NOT NULL,
	sealed    BLOB    NOT NULL  -- secrets as they were before, encrypted; empty for none
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_scope ON audit (scope, n);
