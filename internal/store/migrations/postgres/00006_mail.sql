-- +goose Up

-- The outbox: mail that waits to be sent, and mail that could not be. What was sent is removed.
CREATE TABLE mail (
	n       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id      TEXT COLLATE "C" NOT NULL UNIQUE,
	service TEXT COLLATE "C" NOT NULL, -- lower-case ID of the service whose mail it is
	created BIGINT NOT NULL,
	due     BIGINT NOT NULL, -- when it is to be tried next; somebody who sends it moves that into the future
	tries   BIGINT NOT NULL,
	dead    BIGINT NOT NULL, -- 1: it is not tried any more
	problem TEXT COLLATE "C" NOT NULL, -- of the last try
	sealed  BYTEA NOT NULL  -- encrypted: mail holds addresses, and links that act as passwords
);
CREATE INDEX mail_by_due ON mail (dead, due, n);
CREATE INDEX mail_by_service ON mail (service, n);
