#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/schema.h"
#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::HasSubstr;
using testing::load;
using ::testing::Not;

TEST(Show, NamesEachOrigin) {
  const std::string text = show(load("source:\n  url: postgres://u:p@h/d\ntarget:\n  tls:\n    ca: /ca\nmappings:\n"
                                     "  - table: t\n    write: {hash: {key: \"t:{id}\", ttl: 90s}}\n",
                                     {{"WALRELAY_FLUSH_INTERVAL", "0"}}, {{{"log.level", "warn"}}}),
                                true);
  for (const char* line :
       {"source:\n  host: h  # w.yaml:2\n  user: u  # w.yaml:2\n  dbname: d  # w.yaml:2\n  password: \"***\"  # "
        "w.yaml:2\n",
        "  slot: walrelay  # default\n", "flush:\n  interval: 0  # environment WALRELAY_FLUSH_INTERVAL\n",
        "  level: warn  # flag\n",
        "  tls:\n    enabled: true  # w.yaml:5\n    ca: /ca  # w.yaml:5\n    verify: true  # default\n  timeout: 30s  "
        "# default\n",
        "mappings:\n  - name: t  # w.yaml:7:5\n    table: t\n    write:\n      - hash:  # w.yaml:8:13\n"
        "          key: \"t:{id}\"\n          ttl: 90s\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("url")));
}

const std::string kShapes = R"yaml(source: {host: h}
ttl_classes: {unit: s, defaults: {assets: 300, off: 0}}
mappings:
  - name: a
    table: t
    enabled: true
    identity: ["a b", full]
    let: {size: "CASE g WHEN 'D' THEN '$$$${x}' END", part: "floordiv(v, size)",
                  "null" : 1
}
    on_poison: skip
    write:
      - zset: {key: "k:{part}", score: 0, on: [delete, insert], maxlen: 1000, ttl: {class: assets, jitter: 10}}
      - zset: {key: k, score: " - x", on: all, maxlen: 0, ttl: {at: "epoch_ms(\"x\")", unit: us, add: 1m30s}}
      - zset: {key: k, ttl: {class: assets}, explode: {column: "a b", field: key, value: "value->>'V'", where: "true"}}
      - zset: {key: k, ttl: {class: off, refresh: on_change}, tables: {"s.t": id, u: "SELECT \"a\" # b"}}
      - zset: {key: k, ttl: {at: deadline}, explode: {column: c, field: key, value: value}}
  - {name: b, table: t, identity: full, on_poison: dead_letter, write: {hash: {key: k}}}
  - {name: c, table: t, identity: primary_key, write: {hash: {key: k}}}
  - {name: d, table: t, enabled: false, write: {hash: {key: k}}}
)yaml";

TEST(Show, EveryShapeOfAMapping) {
  const std::string shown = show(load(kShapes), false);
  EXPECT_EQ(shown.substr(shown.find("mappings:")), R"yaml(mappings:
  - name: a
    table: t
    identity: ["a b", full]
    let:
      size: "CASE g WHEN 'D' THEN '$$$${x}' END"
      part: "floordiv(v, size)"
      "null": 1
    on_poison: skip
    write:
      - zset:
          key: "k:{part}"
          maxlen: 1000
          on: [delete, insert]
          score: 0
          ttl: {for: 5m, jitter: 10}
      - zset:
          key: k
          maxlen: 0
          on: [all]
          score: " - x"
          ttl: {at: "epoch_ms(\"x\")", unit: us, add: 90s}
      - zset:
          explode:
            column: "a b"
            field: key
            value: "value->>'V'"
            where: true
          key: k
          ttl: 5m
      - zset:
          key: k
          tables:
            s.t: id
            u: "SELECT \"a\" # b"
          ttl: {for: 0, refresh: on_change}
      - zset:
          explode:
            column: c
            field: key
            value: value
          key: k
          ttl: {at: deadline}
  - name: b
    table: t
    identity: full
    on_poison: dead_letter
    write:
      - hash:
          key: k
  - name: c
    table: t
    identity: primary_key
    write:
      - hash:
          key: k
)yaml");
}

// What it prints is a configuration, and the same one.
TEST(Show, LoadsAgain) {
  for (const std::string& text : std::vector<std::string>{
           "source: {url: postgres://h/d}\n", example(),
           "source: {host: /tmp, password_file: /a b}\ntarget: {unix: /s, database: 2}\nhttp: {listen: '', token: "
           "t}\n",
           "source: {host: h}\nhttp: {token_file: /run/secrets/token}\n",
           "source: {url: 'postgres://u:p@[::1]:5/d?options=-c%20a%3D%22%5C%22&sslcrldir=%24%7Bx%7D'}\n"
           "target: {url: 'rediss://u:p@h:1/2', tls: {verify: false}}\nack: fsynced\n",
           "source: {host: \"a # b\", user: \"null\", dbname: \"~\"}\n"
           "mappings:\n  - {tables: '^a\\.(?<x>[\"$$$${}]+)$', name: \"- x: y\", write: [{string: {key: "
           "\"\\t{a}\\x01 "
           "$$$${b}\", bare: false, format: raw, ttl: 0}},"
           " {hash: {key: k, columns: {include: [a, \"b, c\"], rename: {\"x: y\": \"'\"}}}}]}\n"
           "  - {table: t, write: {hash: {key: k, columns: {}}}}\n",
           kShapes}) {
    const std::string shown = show(load(text), false);
    EXPECT_EQ(show(load(shown), false), shown) << text;
  }
  const Config twice =
      load(show(load("source: {host: h}\nmappings: [{table: t, write: {hash: {key: 'a$$$${$${b}\"\\'}}}]\n"), true));
  EXPECT_EQ(twice.mappings.at(0).writes.at(0).parameters.at("key").text, "a$${${b}\"\\");
}

}  // namespace
}  // namespace walrelay::config
