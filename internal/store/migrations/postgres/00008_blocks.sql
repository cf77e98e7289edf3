-- +goose Up

-- The documents of a parent and type in the order of their keys, in blocks: where each begins and how many it has. So the
-- thousandth or the millionth is found without walking past those before it. The first block begins with ''; one that has
-- become long is divided by the program. Writers of one parent hold the lock on their service's row, so that none waits for
-- another here.
DROP TRIGGER documents_counted ON documents;
DROP TRIGGER documents_discounted ON documents;
DROP FUNCTION count_made();
DROP FUNCTION count_gone();
DROP TABLE counts;
CREATE TABLE blocks (
	parent TEXT COLLATE "C" NOT NULL,
	type   TEXT COLLATE "C" NOT NULL,
	first  TEXT COLLATE "C" NOT NULL,
	n      BIGINT NOT NULL,
	PRIMARY KEY (parent, type, first)
);
CREATE INDEX blocks_long ON blocks (n) WHERE n > 2048;
INSERT INTO blocks (parent, type, first, n)
	SELECT parent, type, CASE block WHEN 0 THEN '' ELSE min(key) END, count(*) FROM (
		SELECT parent, type, key, (row_number() OVER (PARTITION BY parent, type ORDER BY key) - 1) / 1024 AS block FROM documents
	) AS numbered GROUP BY parent, type, block;

-- +goose StatementBegin
CREATE FUNCTION block_of(p TEXT, t TEXT, k TEXT) RETURNS TEXT LANGUAGE sql STABLE AS $$
	SELECT first FROM blocks WHERE parent = p AND type = t AND first <= k COLLATE "C" ORDER BY first DESC LIMIT 1
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION count_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO blocks (parent, type, first, n) SELECT DISTINCT parent, type, '', 0 FROM made ON CONFLICT DO NOTHING;
	UPDATE blocks b SET n = b.n + m.n FROM (
		SELECT parent, type, block_of(parent, type, key) AS first, count(*) AS n FROM made GROUP BY 1, 2, 3
	) m WHERE b.parent = m.parent AND b.type = m.type AND b.first = m.first;
	RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION count_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE blocks b SET n = b.n - g.n FROM (
		SELECT parent, type, block_of(parent, type, key) AS first, count(*) AS n FROM gone GROUP BY 1, 2, 3
	) g WHERE b.parent = g.parent AND b.type = g.type AND b.first = g.first;
	DELETE FROM blocks b USING (SELECT DISTINCT parent, type FROM gone) g
		WHERE b.parent = g.parent AND b.type = g.type AND b.n = 0;
	RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER documents_counted AFTER INSERT ON documents
	REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION count_made();
CREATE TRIGGER documents_discounted AFTER DELETE ON documents
	REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_gone();
