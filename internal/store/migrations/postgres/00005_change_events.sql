-- +goose Up

-- What those who tell others of changes cannot find out later: that a change made the document, and how a document that
-- was deleted was spelt.
ALTER TABLE changes ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
ALTER TABLE changes ADD COLUMN path TEXT COLLATE "C" NOT NULL DEFAULT '';
