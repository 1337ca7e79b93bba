-- A catalogue of data assets with its policies, prices and receipts, and the lineage graph of the jobs that made them.
-- Redis is a cache beside it: the application fills it on a miss.
CREATE TABLE producers (
  producer_id  text PRIMARY KEY,
  identity_key text NOT NULL UNIQUE,
  display_name text,
  website      text,
  created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE assets (
  version_id   text PRIMARY KEY,
  dataset_id   text,
  producer_id  text REFERENCES producers,
  name         text,
  description  text,
  content_hash text NOT NULL,
  mime_type    text,
  size_bytes   bigint,
  policy_meta  jsonb,
  updated_at   timestamptz NOT NULL DEFAULT now(),
  created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE manifests (
  version_id     text PRIMARY KEY,
  manifest_hash  text NOT NULL,
  content_hash   text,
  title          text,
  license        text,
  classification text,
  created_at     text,
  manifest_json  text NOT NULL,
  dataset_id     text,
  producer_id    text
);

CREATE TABLE policies (
  policy_id  text PRIMARY KEY,
  name       text NOT NULL,
  enabled    boolean NOT NULL DEFAULT true,
  doc        jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE policy_runs (
  run_id       text PRIMARY KEY,
  policy_id    text NOT NULL REFERENCES policies ON DELETE CASCADE,
  version_id   text NOT NULL,
  decision     text NOT NULL CHECK (decision IN ('allow', 'warn', 'block')),
  reasons      jsonb NOT NULL DEFAULT '[]',
  evidence     jsonb NOT NULL DEFAULT '{}',
  evaluated_at timestamptz NOT NULL DEFAULT now()
);
-- The key to invalidate is made of version_id, which a DELETE by primary key would not carry.
ALTER TABLE policy_runs REPLICA IDENTITY FULL;

CREATE TABLE prices (
  version_id text PRIMARY KEY,
  satoshis   int NOT NULL
);

CREATE TABLE price_rules (
  rule_id     serial PRIMARY KEY,
  version_id  text,
  producer_id text,
  tier_from   int NOT NULL DEFAULT 1,
  satoshis    int NOT NULL,
  CHECK (num_nonnulls(version_id, producer_id) = 1)
);
ALTER TABLE price_rules REPLICA IDENTITY FULL;

CREATE TABLE receipts (
  receipt_id       text PRIMARY KEY,
  version_id       text NOT NULL,
  status           text NOT NULL CHECK (status IN ('pending', 'paid', 'confirmed')),
  payment_txid     text,
  unit_price_sat   int NOT NULL,
  quantity         int NOT NULL DEFAULT 1,
  outputs_json     jsonb,
  quote_expires_at timestamptz,
  paid_at          timestamptz,
  created_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE edges (
  child_version_id  text NOT NULL,
  parent_version_id text NOT NULL,
  PRIMARY KEY (child_version_id, parent_version_id)
);

CREATE TABLE declarations (
  version_id text PRIMARY KEY,
  txid       text UNIQUE,
  type       text NOT NULL,
  status     text NOT NULL,
  created_at bigint NOT NULL,
  block_hash text,
  height     int
);

CREATE TABLE lineage_event_audit (
  event_hash   text PRIMARY KEY,
  event_time   timestamptz NOT NULL,
  namespace    text NOT NULL,
  job_name     text,
  run_id       text,
  payload_json jsonb NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
);

-- The lineage graph. Its keys in Redis are made of natural keys; so are the replica identities.
CREATE TABLE ol_events (
  event_id     text PRIMARY KEY,
  event_time   text NOT NULL,
  namespace    text NOT NULL,
  job_name     text,
  run_id       text,
  event_type   text NOT NULL,
  payload_json jsonb NOT NULL,
  hash         text NOT NULL UNIQUE,
  created_at   bigint NOT NULL,
  CONSTRAINT ol_events_natural UNIQUE (namespace, hash)
);
ALTER TABLE ol_events REPLICA IDENTITY USING INDEX ol_events_natural;

CREATE TABLE ol_jobs (
  job_id             text PRIMARY KEY,
  namespace          text NOT NULL,
  name               text NOT NULL,
  latest_facets_json jsonb NOT NULL DEFAULT '{}',
  updated_at         bigint NOT NULL,
  CONSTRAINT ol_jobs_natural UNIQUE (namespace, name)
);
ALTER TABLE ol_jobs REPLICA IDENTITY USING INDEX ol_jobs_natural;

CREATE TABLE ol_runs (
  id                 text PRIMARY KEY,
  namespace          text NOT NULL,
  job_name           text NOT NULL,
  run_id             text NOT NULL,
  state              text,
  start_time         text,
  end_time           text,
  latest_facets_json jsonb NOT NULL DEFAULT '{}',
  updated_at         bigint NOT NULL,
  CONSTRAINT ol_runs_natural UNIQUE (namespace, run_id)
);
ALTER TABLE ol_runs REPLICA IDENTITY USING INDEX ol_runs_natural;

CREATE TABLE ol_datasets (
  dataset_id         text PRIMARY KEY,
  namespace          text NOT NULL,
  name               text NOT NULL,
  latest_facets_json jsonb NOT NULL DEFAULT '{}',
  updated_at         bigint NOT NULL,
  CONSTRAINT ol_datasets_natural UNIQUE (namespace, name)
);
ALTER TABLE ol_datasets REPLICA IDENTITY USING INDEX ol_datasets_natural;

-- Two runs may draw the same edge: both rows support one member of a set, and a DELETE must say which.
CREATE TABLE ol_edges (
  edge_id             text PRIMARY KEY,
  namespace           text NOT NULL,
  parent_dataset_name text NOT NULL,
  child_dataset_name  text NOT NULL,
  run_id              text NOT NULL,
  created_at          bigint NOT NULL
);
ALTER TABLE ol_edges REPLICA IDENTITY FULL;
