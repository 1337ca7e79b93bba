-- A management system of charging stations (OCPP): tokens, stations and their settings, transactions with meter values,
-- local lists, reservations. Times without a zone are UTC. (The table schema_migrations of the application's own
-- migrations is not mapped, so it is not published.)
CREATE TABLE tokens (
  id            bigserial PRIMARY KEY,
  country_code  varchar(2)  NOT NULL,
  party_id      varchar(3)  NOT NULL,
  type          varchar(36) NOT NULL,
  uid           varchar(36) NOT NULL,
  contract_id   varchar(36) NOT NULL,
  visual_number varchar(64),
  issuer        varchar(64) NOT NULL,
  group_id      varchar(36),
  valid         boolean     NOT NULL,
  language_code varchar(2),
  cache_mode    varchar(36) NOT NULL,
  last_updated  timestamp   NOT NULL,
  created_at    timestamp   NOT NULL DEFAULT now(),
  updated_at    timestamp   NOT NULL DEFAULT now(),
  CONSTRAINT tokens_uid_unique UNIQUE (uid)
);
-- Keys are made of the uid: that, and not the id, is what a DELETE must say.
ALTER TABLE tokens REPLICA IDENTITY USING INDEX tokens_uid_unique;

CREATE TABLE charge_stations (
  charge_station_id        varchar(48) PRIMARY KEY,
  security_profile         int     NOT NULL DEFAULT 0,
  base64_sha256_password   text,
  invalid_username_allowed boolean NOT NULL DEFAULT false
);

CREATE TABLE charge_station_settings (
  charge_station_id varchar(48) PRIMARY KEY REFERENCES charge_stations ON DELETE CASCADE,
  settings          jsonb     NOT NULL DEFAULT '{}',      -- {"<name>": {"Value": ..., "Status": ..., "SendAfter": ...}}
  updated_at        timestamp NOT NULL DEFAULT now()
);

CREATE TABLE charge_station_runtime (
  charge_station_id varchar(48) PRIMARY KEY REFERENCES charge_stations ON DELETE CASCADE,
  ocpp_version      varchar(16) NOT NULL,
  vendor            text,
  model             text,
  serial_number     text,
  firmware_version  text
);

CREATE TABLE charge_station_certificates (
  id                              bigserial PRIMARY KEY,
  charge_station_id               varchar(48) NOT NULL REFERENCES charge_stations ON DELETE CASCADE,
  certificate_type                text NOT NULL,
  certificate                     text NOT NULL,
  certificate_id                  text NOT NULL,
  certificate_installation_status text NOT NULL,
  send_after                      timestamp NOT NULL,
  CONSTRAINT charge_station_certificates_unique UNIQUE (charge_station_id, certificate_id)
);
ALTER TABLE charge_station_certificates REPLICA IDENTITY USING INDEX charge_station_certificates_unique;

CREATE TABLE charge_station_triggers (
  id                bigserial PRIMARY KEY,
  charge_station_id varchar(48) NOT NULL REFERENCES charge_stations ON DELETE CASCADE,
  message_type      text NOT NULL,
  connector_id      int,
  trigger_status    text NOT NULL,
  send_after        timestamp NOT NULL,
  CONSTRAINT charge_station_triggers_station_unique UNIQUE (charge_station_id)
);
ALTER TABLE charge_station_triggers REPLICA IDENTITY USING INDEX charge_station_triggers_station_unique;

CREATE TABLE charge_station_status (
  charge_station_id varchar(48) PRIMARY KEY,
  connected         boolean NOT NULL DEFAULT false,
  last_heartbeat    timestamptz
);

CREATE TABLE connector_status (
  charge_station_id varchar(48) NOT NULL,
  connector_id      int  NOT NULL,
  status            text NOT NULL,
  error_code        text,
  updated_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (charge_station_id, connector_id)
);

-- Not an heir of the station: transactions outlive it. Old rows in full, because their lists are made of the station.
CREATE TABLE transactions (
  id                varchar(36) PRIMARY KEY,
  charge_station_id varchar(48) NOT NULL,
  token_uid         varchar(36) NOT NULL,
  token_type        varchar(36) NOT NULL,
  meter_start       int NOT NULL,
  meter_stop        int,
  start_timestamp   timestamp NOT NULL,
  stop_timestamp    timestamp,
  stopped_reason    text,
  updated_seq_no    int NOT NULL DEFAULT 0,
  offline           boolean NOT NULL DEFAULT false,
  last_cost         numeric(12, 4)
);
ALTER TABLE transactions REPLICA IDENTITY FULL;

CREATE TABLE transaction_meter_values (
  id             bigserial PRIMARY KEY,
  transaction_id varchar(36) NOT NULL REFERENCES transactions ON DELETE CASCADE,
  timestamp      timestamp NOT NULL,
  sampled_values jsonb NOT NULL
);

CREATE TABLE certificates (
  certificate_hash text PRIMARY KEY,
  certificate_type text NOT NULL,
  certificate_data text NOT NULL
);

CREATE TABLE local_auth_list_versions (
  charge_station_id varchar(48) PRIMARY KEY,
  version           int NOT NULL
);

CREATE TABLE local_auth_list_entries (
  charge_station_id varchar(48) NOT NULL,
  id_tag            varchar(36) NOT NULL,
  status            text NOT NULL,
  expiry_date       text,
  parent_id_tag     text,
  PRIMARY KEY (charge_station_id, id_tag)
);

CREATE TABLE reservations (
  reservation_id    int PRIMARY KEY,
  charge_station_id varchar(48) NOT NULL,
  connector_id      int  NOT NULL,
  id_tag            varchar(36) NOT NULL,
  expiry_date       timestamptz NOT NULL,
  status            text NOT NULL
);
ALTER TABLE reservations REPLICA IDENTITY FULL;

CREATE TABLE charging_profiles (
  id                  bigserial PRIMARY KEY,
  charge_station_id   varchar(48) NOT NULL,
  charging_profile_id int NOT NULL,
  connector_id        int NOT NULL,
  purpose             text NOT NULL,
  stack_level         int NOT NULL,
  periods             jsonb NOT NULL DEFAULT '[]',
  CONSTRAINT charging_profiles_unique UNIQUE (charge_station_id, charging_profile_id)
);
ALTER TABLE charging_profiles REPLICA IDENTITY USING INDEX charging_profiles_unique;

CREATE TABLE locations (
  id            text PRIMARY KEY,
  country_code  varchar(2) NOT NULL,
  party_id      varchar(3) NOT NULL,
  location_data jsonb NOT NULL,
  created_at    timestamp NOT NULL DEFAULT now()
);

CREATE TABLE ocpi_registrations (
  token  text PRIMARY KEY,
  status text NOT NULL
);

CREATE TABLE ocpi_parties (
  id           bigserial PRIMARY KEY,
  role         text NOT NULL,
  country_code varchar(2) NOT NULL,
  party_id     varchar(3) NOT NULL,
  url          text NOT NULL,
  token        text NOT NULL,
  CONSTRAINT ocpi_party_unique UNIQUE (role, country_code, party_id)
);
ALTER TABLE ocpi_parties REPLICA IDENTITY USING INDEX ocpi_party_unique;
