-- +goose Up

-- How many documents of each type every parent has: counting a million takes too long for a page of a list.
CREATE TABLE counts (
	parent TEXT    NOT NULL,
	type   TEXT    NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (parent, type)
) WITHOUT ROWID;
INSERT INTO counts (parent, type, n) SELECT parent, type, count(*) FROM documents GROUP BY parent, type;

-- +goose StatementBegin
CREATE TRIGGER documents_counted AFTER INSERT ON documents BEGIN
	INSERT INTO counts (parent, type, n) VALUES (NEW.parent, NEW.type, 1)
		ON CONFLICT (parent, type) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_discounted AFTER DELETE ON documents BEGIN
	UPDATE counts SET n = n - 1 WHERE parent = OLD.parent AND type = OLD.type;
	DELETE FROM counts WHERE parent = OLD.parent AND type = OLD.type AND n = 0;
END;
-- +goose StatementEnd
