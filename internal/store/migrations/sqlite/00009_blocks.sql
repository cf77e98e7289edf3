-- +goose Up

-- The documents of a parent and type in the order of their keys, in blocks: where each begins and how many it has. So the
-- thousandth or the millionth is found without walking past those before it. The first block begins with ''; one that has
-- become long is divided by the program.
DROP TRIGGER documents_counted;
DROP TRIGGER documents_discounted;
DROP TABLE counts;
CREATE TABLE blocks (
	parent TEXT    NOT NULL,
	type   TEXT    NOT NULL,
	first  TEXT    NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (parent, type, first)
) WITHOUT ROWID;
CREATE INDEX blocks_long ON blocks (n) WHERE n > 2048;
INSERT INTO blocks (parent, type, first, n)
	SELECT parent, type, CASE block WHEN 0 THEN '' ELSE min(key) END, count(*) FROM (
		SELECT parent, type, key, (row_number() OVER (PARTITION BY parent, type ORDER BY key) - 1) / 1024 AS block FROM documents
	) GROUP BY parent, type, block;

-- +goose StatementBegin
CREATE TRIGGER documents_counted AFTER INSERT ON documents BEGIN
	INSERT INTO blocks (parent, type, first, n) VALUES (NEW.parent, NEW.type, '', 0) ON CONFLICT DO NOTHING;
	UPDATE blocks SET n = n + 1 WHERE parent = NEW.parent AND type = NEW.type AND first =
		(SELECT max(first) FROM blocks WHERE parent = NEW.parent AND type = NEW.type AND first <= NEW.key);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_discounted AFTER DELETE ON documents BEGIN
	UPDATE blocks SET n = n - 1 WHERE parent = OLD.parent AND type = OLD.type AND first =
		(SELECT max(first) FROM blocks WHERE parent = OLD.parent AND type = OLD.type AND first <= OLD.key);
	DELETE FROM blocks WHERE parent = OLD.parent AND type = OLD.type AND n = 0 AND first IN ('',
		(SELECT max(first) FROM blocks WHERE parent = OLD.parent AND type = OLD.type AND first <= OLD.key));
END;
-- +goose StatementEnd
