-- +goose Up

-- Who did what: written with the change itself, read by people, forgotten after a while.
CREATE TABLE audit (
	n         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id        TEXT COLLATE "C" NOT NULL UNIQUE,
	at        BIGINT NOT NULL,
	scope     TEXT COLLATE "C" NOT NULL, -- lower-case ID of the resource
	principal TEXT COLLATE "C" NOT NULL,
	body      BYTEA  NOT NULL,
	sealed    BYTEA  NOT NULL  -- secrets as they were before, encrypted; empty for none
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_scope ON audit (scope, n);
