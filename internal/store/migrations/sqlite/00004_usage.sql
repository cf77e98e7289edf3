-- +goose Up

-- What gateways have reported last: a report that comes again is known by its number.
CREATE TABLE usage_seen (
	origin   TEXT    PRIMARY KEY,
	sequence INTEGER NOT NULL,
	at       INTEGER NOT NULL
);

-- Sums of requests by interval. Times are microseconds; at is the start of the interval in seconds.
CREATE TABLE usage (
	service      TEXT    NOT NULL,
	at           INTEGER NOT NULL,
	region       TEXT    NOT NULL,
	api          TEXT    NOT NULL,
	operation    TEXT    NOT NULL,
	product      TEXT    NOT NULL,
	subscription TEXT    NOT NULL,
	developer    TEXT    NOT NULL,
	success      INTEGER NOT NULL,
	blocked      INTEGER NOT NULL,
	failed       INTEGER NOT NULL,
	other        INTEGER NOT NULL,
	bytes        INTEGER NOT NULL,
	hits         INTEGER NOT NULL,
	misses       INTEGER NOT NULL,
	api_time     INTEGER NOT NULL,
	api_min      INTEGER NOT NULL,
	api_max      INTEGER NOT NULL,
	service_time INTEGER NOT NULL,
	service_min  INTEGER NOT NULL,
	service_max  INTEGER NOT NULL,
	PRIMARY KEY (service, at, region, api, operation, product, subscription, developer)
);
CREATE INDEX usage_by_time ON usage (at);

-- Single requests, for a shorter while. at is microseconds.
CREATE TABLE usage_requests (
	n       INTEGER PRIMARY KEY AUTOINCREMENT,
	service TEXT    NOT NULL,
	at      INTEGER NOT NULL,
	body    BLOB NOT NULL -- JSON of the writer's
);
CREATE INDEX usage_requests_by_service ON usage_requests (service, at);
CREATE INDEX usage_requests_by_time ON usage_requests (at);
