-- +goose Up

-- What gateways have reported last: a report that comes again is known by its number.
CREATE TABLE usage_seen (
	origin   TEXT COLLATE "C" PRIMARY KEY,
	sequence BIGINT NOT NULL,
	at       BIGINT NOT NULL
);

-- Sums of requests by interval. Times are microseconds; at is the start of the interval in seconds.
CREATE TABLE usage (
	service      TEXT COLLATE "C" NOT NULL,
	at           BIGINT NOT NULL,
	region       TEXT COLLATE "C" NOT NULL,
	api          TEXT COLLATE "C" NOT NULL,
	operation    TEXT COLLATE "C" NOT NULL,
	product      TEXT COLLATE "C" NOT NULL,
	subscription TEXT COLLATE "C" NOT NULL,
	developer    TEXT COLLATE "C" NOT NULL,
	success      BIGINT NOT NULL,
	blocked      BIGINT NOT NULL,
	failed       BIGINT NOT NULL,
	other        BIGINT NOT NULL,
	bytes        BIGINT NOT NULL,
	hits         BIGINT NOT NULL,
	misses       BIGINT NOT NULL,
	api_time     BIGINT NOT NULL,
	api_min      BIGINT NOT NULL,
	api_max      BIGINT NOT NULL,
	service_time BIGINT NOT NULL,
	service_min  BIGINT NOT NULL,
	service_max  BIGINT NOT NULL,
	PRIMARY KEY (service, at, region, api, operation, product, subscription, developer)
);
CREATE INDEX usage_by_time ON usage (at);

-- Single requests, for a shorter while. at is microseconds.
CREATE TABLE usage_requests (
	n       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	service TEXT COLLATE "C" NOT NULL,
	at      BIGINT NOT NULL,
	body    BYTEA NOT NULL -- JSON of the writer's
);
CREATE INDEX usage_requests_by_service ON usage_requests (service, at);
CREATE INDEX usage_requests_by_time ON usage_requests (at);
