#include "config/schema.h"

namespace walrelay::config {

// config/walrelay.example.yaml is this text; a test keeps them equal and loads it.
std::string example() {
  return R"(# yaml-language-server: $schema=./walrelay.schema.json
#
# walrelay keeps Redis in step with PostgreSQL. Every key but the two addresses may be left out; docs/configuration.md
# lists them all. A value may come from the environment, as in ${NAME} or ${NAME:-default}; "$$" is a dollar sign.
# Each key can also be set by a variable (flush.interval: WALRELAY_FLUSH_INTERVAL) or by a flag (--set flush.interval=0).

source:
  # postgres://, postgresql://, jdbc:postgresql:// or "host=... dbname=...". Connect directly, not through a pooler.
  url: ${DATABASE_URL:-postgres://walrelay@127.0.0.1:5432/app}
  # password_file: /run/secrets/postgres-password      # read again at every connect
  slot: walrelay
  publication: walrelay        # created, and kept equal to the mappings, where the role may

target:
  # redis://, rediss:// (TLS) or unix:///run/redis/redis.sock?db=0
  url: ${REDIS_URL:-redis://127.0.0.1:6379/0}
  # tls: {ca: /etc/redis/ca.crt, certificate: /etc/redis/client.crt, key: /etc/redis/client.key}

flush:
  interval: 100ms              # 0: send as soon as the last batch is acknowledged
  batch_size: 1000

ack:
  hold: 5s                     # PostgreSQL keeps what is younger, so that a Redis that forgot it can be healed

http:
  listen: 127.0.0.1:9847       # /livez, /readyz, /metrics

# health: {cache_hit_ratio_below: 70, p95_above: 500ms}  # thresholds that /health tells beside its figures

log:
  level: info

on_gap: rebuild                # or halt
on_row_error: halt             # or dead_letter
on_removed: keep               # or sweep: a reload that takes a mapping away removes its keys

# What is written for the rows of which table. Without mappings every published table becomes a hash.
mappings:
  - table: public.users
    write:
      - hash: {key: "user:{id}"}            # all columns; NULL is an absent field

  # Every table that matches, those created later included; the named group stands in the key.
  - tables: '^public\.orders_(?<region>[a-z]+)$'
    write:
      - hash:
          key: "order:{region}:{id}"
          columns: {exclude: [internal_note], rename: {customer_id: customer}}
          ttl: 7d
)";
}

}  // namespace walrelay::config
