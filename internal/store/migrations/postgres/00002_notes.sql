-- +goose Up

-- What replicas tell each other for a short while: in no log, no document, no backup.
CREATE TABLE notes (
	scope TEXT COLLATE "C" NOT NULL,
	name  TEXT COLLATE "C" NOT NULL,
	at    BIGINT NOT NULL,
	body  BYTEA  NOT NULL,
	PRIMARY KEY (scope, name)
);
