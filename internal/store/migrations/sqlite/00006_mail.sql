-- +goose Up

-- The outbox: mail that waits to be sent, and mail that could not be. What was sent is removed.
CREATE TABLE mail (
	n       INTEGER PRIMARY KEY AUTOINCREMENT,
	id      TEXT    NOT NULL UNIQUE,
	service TEXT    NOT NULL, -- lower-case ID of the service whose mail it is
	created INTEGER NOT NULL,
	due     INTEGER NOT NULL, -- when it is to be tried next; somebody who sends it moves that into the future
	tries   INTEGER NOT NULL,
	dead    INTEGER NOT NULL, -- 1: it is not tried any more
	problem TEXT    NOT NULL, -- of the last try
	sealed  BLOB    NOT NULL  -- encrypted: mail holds addresses, and links that act as passwords
);
CREATE INDEX mail_by_due ON mail (dead, due, n);
CREATE INDEX mail_by_service ON mail (service, n);
