-- What the golden streams record: every message that pgoutput sends to a slot that neither streams open transactions nor
-- announces two-phase commits. golden_test.cc says what each statement must decode to.

-- A value of every kind, NULLs, and a text that is stored apart from its row.
INSERT INTO plain VALUES (1, 'Zoë', 12.50, '{a,"b c",NULL}', '2026-01-02 03:04:05.5+00', 'very happy', repeat('x', 2100));
INSERT INTO plain (id) VALUES (2);
-- The text apart is not touched: 'u'.
UPDATE plain SET name = 'Zoe' WHERE id = 1;
-- The key changes: the old one comes as a 'K' row.
UPDATE plain SET id = 10 WHERE id = 1;
UPDATE plain SET big = '' WHERE id = 10;
DELETE FROM plain WHERE id = 10;

-- One transaction of several statements, one of which is taken back.
BEGIN;
INSERT INTO plain (id, name) VALUES (3, 'kept');
SAVEPOINT before;
INSERT INTO plain (id, name) VALUES (4, 'taken back');
ROLLBACK TO before;
INSERT INTO plain (id, name) VALUES (5, E'tab\there');
COMMIT;

-- Replica identity FULL: whole old rows, 'O'.
INSERT INTO whole VALUES (1, 'one'), (NULL, NULL);
UPDATE whole SET note = 'uno' WHERE id = 1;
DELETE FROM whole;

-- Replica identity of another index than the primary key.
INSERT INTO indexed VALUES (1, 'first', 'alpha');
UPDATE indexed SET code = 'zwei' WHERE id = 1;
DELETE FROM indexed;

-- A foreign key carries the delete, and the truncate, to another table.
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (7, 1);
DELETE FROM parent WHERE id = 1;
TRUNCATE parent CASCADE;
TRUNCATE plain, whole RESTART IDENTITY;

-- A new shape of a table is announced before its next row.
ALTER TABLE "odd ""schema"""."odd.table" ADD COLUMN added boolean DEFAULT true;
INSERT INTO "odd ""schema"""."odd.table" VALUES (1, true);
ALTER TABLE "odd ""schema"""."odd.table" DROP COLUMN added;
INSERT INTO "odd ""schema"""."odd.table" VALUES (2);

SELECT pg_logical_emit_message(true, 'walrelay', 'in a transaction');
SELECT pg_logical_emit_message(false, '', 'outside of all');

-- A transaction that came from elsewhere.
SELECT pg_replication_origin_create('upstream');
SELECT pg_replication_origin_session_setup('upstream');
BEGIN;
SELECT pg_replication_origin_xact_setup('AB/CDEF0123', '2026-01-01 00:00:00+00');
INSERT INTO whole VALUES (5, 'from upstream');
COMMIT;
SELECT pg_replication_origin_session_reset();
