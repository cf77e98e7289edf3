-- +goose Up

-- How many documents of each type every parent has: counting a million takes too long for a page of a list. Writers of
-- one parent hold the lock on their service's row, so that none waits for another here.
CREATE TABLE counts (
	parent TEXT COLLATE "C" NOT NULL,
	type   TEXT COLLATE "C" NOT NULL,
	n      BIGINT NOT NULL,
	PRIMARY KEY (parent, type)
);
INSERT INTO counts (parent, type, n) SELECT parent, type, count(*) FROM documents GROUP BY parent, type;

-- +goose StatementBegin
CREATE FUNCTION count_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO counts AS c (parent, type, n) SELECT parent, type, count(*) FROM made GROUP BY parent, type
		ON CONFLICT (parent, type) DO UPDATE SET n = c.n + excluded.n;
	RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION count_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE counts c SET n = c.n - g.n FROM (SELECT parent, type, count(*) AS n FROM gone GROUP BY parent, type) g
		WHERE c.parent = g.parent AND c.type = g.type;
	DELETE FROM counts c USING (SELECT DISTINCT parent, type FROM gone) g
		WHERE c.parent = g.parent AND c.type = g.type AND c.n = 0;
	RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER documents_counted AFTER INSERT ON documents
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION count_made();
CREATE TRIGGER documents_discounted AFTER DELETE ON documents
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_gone();
