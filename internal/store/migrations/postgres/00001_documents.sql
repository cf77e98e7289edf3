-- +goose Up

-- A row per service: its lock, the last number of its change log and the highest number compacted away. Rows are never
-- removed, so that a service made anew under an old name goes on counting.
-- Texts compare by bytes (COLLATE "C"), as in SQLite and Go.
CREATE TABLE services (
	id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name      TEXT COLLATE "C" NOT NULL UNIQUE,
	seq       BIGINT NOT NULL,
	compacted BIGINT NOT NULL
);

CREATE TABLE documents (
	key      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	path     TEXT COLLATE "C" NOT NULL,
	service  BIGINT NOT NULL,
	type     TEXT COLLATE "C" NOT NULL,
	parent   TEXT COLLATE "C" NOT NULL,
	name     TEXT COLLATE "C" NOT NULL,
	etag     TEXT COLLATE "C" NOT NULL,
	seq      BIGINT NOT NULL,
	created  BIGINT NOT NULL, -- microseconds since 1970, as all times
	modified BIGINT NOT NULL,
	body     BYTEA  NOT NULL
);
CREATE INDEX documents_by_parent  ON documents (parent, type, key);
CREATE INDEX documents_by_service ON documents (service, key);
CREATE INDEX documents_by_type    ON documents (service, type, key);

CREATE TABLE index_rows (
	name     TEXT COLLATE "C" NOT NULL,
	value    TEXT COLLATE "C" NOT NULL,
	key      TEXT COLLATE "C" NOT NULL,
	distinct_value INTEGER NOT NULL,
	PRIMARY KEY (name, value, key)
);
CREATE UNIQUE INDEX index_rows_distinct ON index_rows (name, value) WHERE distinct_value = 1;
CREATE INDEX index_rows_by_key ON index_rows (key);

CREATE TABLE changes (
	service BIGINT NOT NULL,
	seq     BIGINT NOT NULL,
	key     TEXT COLLATE "C" NOT NULL,
	type    TEXT COLLATE "C" NOT NULL,
	deleted INTEGER NOT NULL,
	at      BIGINT NOT NULL,
	PRIMARY KEY (service, seq)
);

CREATE TABLE secrets (
	key    TEXT COLLATE "C" NOT NULL,
	name   TEXT COLLATE "C" NOT NULL,
	sealed BYTEA NOT NULL,
	PRIMARY KEY (key, name)
);

CREATE TABLE blobs (
	key  TEXT COLLATE "C" NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	data BYTEA NOT NULL,
	PRIMARY KEY (key, name)
);

CREATE TABLE data_keys (
	id      BIGINT PRIMARY KEY,
	wrapped BYTEA NOT NULL
);
