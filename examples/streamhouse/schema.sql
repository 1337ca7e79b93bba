-- The metadata of a streaming platform whose events lie in an object store: topics, their partitions and segments, how
-- far consumers have read, which agents are alive and which of them leads which partition. Times are milliseconds since
-- 1970. (The application's own table _sqlx_migrations is not mapped, so it is not published.)
CREATE TABLE topics (
  name            text PRIMARY KEY,
  partition_count int    NOT NULL CHECK (partition_count > 0),
  retention_ms    bigint,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL,
  config          jsonb  NOT NULL DEFAULT '{}'
);

CREATE TABLE partitions (
  topic          text   NOT NULL REFERENCES topics ON DELETE CASCADE,
  partition_id   int    NOT NULL,
  high_watermark bigint NOT NULL DEFAULT 0,
  created_at     bigint NOT NULL,
  updated_at     bigint NOT NULL,
  PRIMARY KEY (topic, partition_id)
);

CREATE TABLE segments (
  id           text PRIMARY KEY,
  topic        text   NOT NULL,
  partition_id int    NOT NULL,
  base_offset  bigint NOT NULL,
  end_offset   bigint NOT NULL CHECK (end_offset >= base_offset),
  record_count int    NOT NULL,
  size_bytes   bigint NOT NULL,
  s3_bucket    text   NOT NULL,
  s3_key       text   NOT NULL,
  created_at   bigint NOT NULL,
  CONSTRAINT segments_location UNIQUE (topic, partition_id, base_offset),
  FOREIGN KEY (topic, partition_id) REFERENCES partitions ON DELETE CASCADE
);
-- A DELETE, also one that a cascade brings, then names a segment by its place and not by its id.
ALTER TABLE segments REPLICA IDENTITY USING INDEX segments_location;

CREATE TABLE consumer_groups (
  group_id   text PRIMARY KEY,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);

CREATE TABLE consumer_offsets (
  group_id         text   NOT NULL REFERENCES consumer_groups ON DELETE CASCADE,
  topic            text   NOT NULL,
  partition_id     int    NOT NULL,
  committed_offset bigint NOT NULL,
  metadata         text,
  committed_at     bigint NOT NULL,
  PRIMARY KEY (group_id, topic, partition_id),
  FOREIGN KEY (topic, partition_id) REFERENCES partitions ON DELETE CASCADE
);

CREATE TABLE agents (
  agent_id          text PRIMARY KEY,
  address           text   NOT NULL UNIQUE,
  availability_zone text   NOT NULL,
  agent_group       text   NOT NULL,
  last_heartbeat    bigint NOT NULL,
  started_at        bigint NOT NULL,
  metadata          jsonb  NOT NULL DEFAULT '{}'
);

CREATE TABLE partition_leases (
  topic            text   NOT NULL,
  partition_id     int    NOT NULL,
  leader_agent_id  text   NOT NULL REFERENCES agents ON DELETE CASCADE,
  lease_expires_at bigint NOT NULL,
  acquired_at      bigint NOT NULL,
  epoch            bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (topic, partition_id),
  FOREIGN KEY (topic, partition_id) REFERENCES partitions ON DELETE CASCADE
);
-- A takeover changes the leader: only the whole old row says whose list the lease leaves. These rows are small.
ALTER TABLE partition_leases REPLICA IDENTITY FULL;
