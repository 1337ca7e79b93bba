-- A queue server's storage. It makes its tables itself: one for each partition of a queue, when that is first used, and
-- on whichever of its PostgreSQL servers the partition was put.

-- Only on the server that keeps the queues.
CREATE TABLE queues (
  name                 text PRIMARY KEY,
  namespace            text  NOT NULL DEFAULT '',
  lease_timeout_ns     bigint NOT NULL DEFAULT 60000000000,
  expire_timeout_ns    bigint NOT NULL DEFAULT 86400000000000,
  dead_queue           text  NOT NULL DEFAULT '',
  max_attempts         int   NOT NULL DEFAULT 0,
  reference            text  NOT NULL DEFAULT '',
  requested_partitions int   NOT NULL DEFAULT 1,
  partition_info       jsonb NOT NULL DEFAULT '[]',      -- [{"StorageName": "...", "PartitionNum": 0, ...}, ...]
  created_at           timestamptz NOT NULL DEFAULT now(),
  updated_at           timestamptz NOT NULL DEFAULT now()
);

-- Stands for the application: makes the table of a partition. Both ways of naming are in use,
--   items_<12 hexadecimal digits>_<6 digits> and items_<10 letters and digits, case counts>_<number>.
-- walrelay takes the hash out of the name and never computes it.
CREATE PROCEDURE create_items(partition_table text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I (
    id              text COLLATE "C" PRIMARY KEY,      -- sorts by time
    source_id       text,
    is_leased       boolean NOT NULL DEFAULT false,
    lease_deadline  timestamptz,
    expire_deadline timestamptz NOT NULL,
    enqueue_at      timestamptz,                       -- NULL: may be leased now
    created_at      timestamptz NOT NULL,
    attempts        int  NOT NULL DEFAULT 0,
    max_attempts    int  NOT NULL DEFAULT 0,
    reference       text NOT NULL DEFAULT '''',
    encoding        text NOT NULL DEFAULT '''',
    kind            text NOT NULL DEFAULT '''',
    payload         bytea
  )', partition_table);
  -- No replica identity: it is partial. That is why walrelay keeps the source_id of each item itself (track: redis).
  EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %I (source_id) WHERE source_id IS NOT NULL',
                 partition_table || '_src', partition_table);
END $$;
