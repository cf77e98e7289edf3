-- +goose Up

-- Secrets stand in the order of their documents, so that reading those of a whole service reads each page once.
CREATE TABLE secrets_in_order (
	key    TEXT NOT NULL,
	name   TEXT NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (key, name)
) WITHOUT ROWID;
INSERT INTO secrets_in_order (key, name, sealed) SELECT key, name, sealed FROM secrets ORDER BY key, name;
DROP TABLE secrets;
ALTER TABLE secrets_in_order RENAME TO secrets;
