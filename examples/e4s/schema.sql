-- What an index service keeps: for which day, month or year there is data of which meter. Epoch values count days,
-- months or years since 1970; a partition is 180 days, 6 months or one year.
CREATE SCHEMA IF NOT EXISTS e4s_index;

CREATE TABLE e4s_index.meter_index (
  id            bigserial PRIMARY KEY,
  index_name    varchar(100) NOT NULL,
  entity_id     bigint       NOT NULL,
  granularity   varchar(10)  NOT NULL,   -- DAY, MONTH or YEAR
  epoch_value   int          NOT NULL,
  partition_num int          NOT NULL,
  created_at    timestamp DEFAULT now(),
  CONSTRAINT meter_index_mark UNIQUE (index_name, entity_id, granularity, epoch_value)
);
CREATE INDEX meter_index_slice ON e4s_index.meter_index (granularity, partition_num);

-- A DELETE names its row by the replica identity. The primary key says nothing about the meter or the day.
ALTER TABLE e4s_index.meter_index REPLICA IDENTITY USING INDEX meter_index_mark;

-- Where walrelay notes what it reads again, for programs that look here (reindex.status_table).
CREATE TABLE e4s_index.reindex_status (
  id                bigserial PRIMARY KEY,
  index_name        varchar(100) NOT NULL,
  status            varchar(20)  NOT NULL,
  granularity       varchar(10),
  partition_num     int,
  total_records     bigint,
  processed_records bigint    DEFAULT 0,
  started_at        timestamp DEFAULT now(),
  completed_at      timestamp,
  error_message     text,
  UNIQUE (index_name, status)
);
