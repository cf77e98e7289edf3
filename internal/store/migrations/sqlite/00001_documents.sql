-- +goose Up

-- A row per service: its lock, the last number of its change log and the highest number compacted away. Rows are never
-- removed, so that a service made anew under an old name goes on counting.
CREATE TABLE services (
	id        INTEGER PRIMARY KEY,
	name      TEXT    NOT NULL UNIQUE,
	seq       INTEGER NOT NULL,
	compacted INTEGER NOT NULL
);

CREATE TABLE documents (
	key      TEXT    NOT NULL PRIMARY KEY,
	path     TEXT    NOT NULL,
	service  INTEGER NOT NULL,
	type     TEXT    NOT NULL,
	parent   TEXT    NOT NULL,
	name     TEXT    NOT NULL,
	etag     TEXT    NOT NULL,
	seq      INTEGER NOT NULL,
	created  INTEGER NOT NULL, -- microseconds since 1970, as all times
	modified INTEGER NOT NULL,
	body     BLOB    NOT NULL
);
CREATE INDEX documents_by_parent  ON documents (parent, type, key);
CREATE INDEX documents_by_service ON documents (service, key);
CREATE INDEX documents_by_type    ON documents (service, type, key);

CREATE TABLE index_rows (
	name     TEXT    NOT NULL,
	value    TEXT    NOT NULL,
	key      TEXT    NOT NULL,
	distinct_value INTEGER NOT NULL,
	PRIMARY KEY (name, value, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX index_rows_distinct ON index_rows (name, value) WHERE distinct_value = 1;
CREATE INDEX index_rows_by_key ON index_rows (key);

CREATE TABLE changes (
	service INTEGER NOT NULL,
	seq     INTEGER NOT NULL,
	key     TEXT    NOT NULL,
	type    TEXT    NOT NULL,
	deleted INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	PRIMARY KEY (service, seq)
) WITHOUT ROWID;

CREATE TABLE secrets (
	key    TEXT NOT NULL,
	name   TEXT NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (key, name)
);

CREATE TABLE blobs (
	key  TEXT NOT NULL,
	name TEXT NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (key, name)
);

CREATE TABLE data_keys (
	id      INTEGER PRIMARY KEY,
	wrapped BLOB    NOT NULL
);
