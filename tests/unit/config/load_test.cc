// Over 300 lines because the cases of one loader are easier to compare in one table.
// Keys, types, precedence: which value wins, and what is said of a wrong one, at which line and column.
#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/schema.h"
#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::load;
using testing::mistakes;
using testing::parameter;

const std::string kSource = "source: {url: postgres://h/d}\n";

TEST(Load, DefaultsAreThoseOfTheStruct) {
  const Config config = load(kSource);
  const Config defaults;
  EXPECT_EQ(config.source.slot, defaults.source.slot);
  EXPECT_EQ(config.flush.interval, defaults.flush.interval);
  EXPECT_EQ(config.target.host, "127.0.0.1");
  EXPECT_EQ(config.target.port, 6379);
  EXPECT_FALSE(config.target.tls);
  EXPECT_TRUE(config.mappings.empty());
  EXPECT_EQ(config.file, "w.yaml");
}

TEST(Load, EveryKeyReachesItsField) {
  const Config c = load(R"(
source:
  host: h1,h2
  port: 5433,5434
  user: u
  password: p
  dbname: d
  sslmode: verify-full
  sslrootcert: /ca
  sslcert: /cert
  sslkey: /key
  sslpassword: kp
  target_session_attrs: read-write
  options: "-c geqo=off"
  connect_timeout: 7
  slot: s_1
  publication: "My Pub"
  temporary_slot: yes
  create_slot: off
  manage_publication: false
  slot_timeout: 1m
  status_interval: 2s
  format: text
target:
  host: r
  port: 6380
  user: ru
  password: rp
  database: 4
  timeout: 3s
  tls: {ca: /rca, certificate: /rcert, key: /rkey, server_name: n, verify: false}
flush: {interval: 0, batch_size: 5, max_bytes: 1MiB, max_transaction: 128MiB}
ack: {hold: 1s, replicas: 2, fsynced: true}
load: {connections: 3, chunk_bytes: 2MiB}
http: {listen: "[::]:1", token: bearer}
log: {level: debug, format: json}
on_gap: halt
on_row_error: dead_letter
)");
  EXPECT_EQ(parameter(c, "host"), "h1,h2");
  EXPECT_EQ(parameter(c, "port"), "5433,5434");
  EXPECT_EQ(parameter(c, "user"), "u");
  EXPECT_EQ(parameter(c, "dbname"), "d");
  EXPECT_EQ(parameter(c, "sslmode"), "verify-full");
  EXPECT_EQ(parameter(c, "sslrootcert"), "/ca");
  EXPECT_EQ(parameter(c, "sslcert"), "/cert");
  EXPECT_EQ(parameter(c, "sslkey"), "/key");
  EXPECT_EQ(parameter(c, "target_session_attrs"), "read-write");
  EXPECT_EQ(parameter(c, "options"), "-c geqo=off");
  EXPECT_EQ(parameter(c, "connect_timeout"), "7");
  EXPECT_EQ(c.source.parameters.size(), 11U);
  EXPECT_EQ(c.source.password.value.reveal(), "p");
  EXPECT_EQ(c.source.key_password.value.reveal(), "kp");
  EXPECT_EQ(c.source.slot, "s_1");
  EXPECT_EQ(c.source.publication, "My Pub");
  EXPECT_TRUE(c.source.temporary_slot);
  EXPECT_FALSE(c.source.create_slot);
  EXPECT_FALSE(c.source.manage_publication);
  EXPECT_EQ(c.source.slot_timeout, milliseconds(60000));
  EXPECT_EQ(c.source.status_interval, milliseconds(2000));
  EXPECT_EQ(c.source.format, "text");
  EXPECT_EQ(c.target.host, "r");
  EXPECT_EQ(c.target.port, 6380);
  EXPECT_EQ(c.target.user, "ru");
  EXPECT_EQ(c.target.password.value.reveal(), "rp");
  EXPECT_EQ(c.target.database, 4);
  EXPECT_EQ(c.target.timeout, milliseconds(3000));
  EXPECT_TRUE(c.target.tls);
  EXPECT_EQ(c.target.tls_ca + c.target.tls_certificate + c.target.tls_key + c.target.tls_server_name,
            "/rca/rcert/rkeyn");
  EXPECT_FALSE(c.target.tls_verify);
  EXPECT_EQ(c.flush.interval, milliseconds(0));
  EXPECT_EQ(c.flush.batch_size, 5U);
  EXPECT_EQ(c.flush.max_bytes, 1048576U);
  EXPECT_EQ(c.flush.max_transaction, 134217728U);
  EXPECT_EQ(c.ack.hold, milliseconds(1000));
  EXPECT_EQ(c.ack.replicas, 2);
  EXPECT_TRUE(c.ack.fsynced);
  EXPECT_EQ(c.load.connections, 3);
  EXPECT_EQ(c.load.chunk_bytes, 2097152U);
  EXPECT_EQ(c.http.listen, "[::]:1");
  EXPECT_EQ(c.http.token.value.reveal(), "bearer");
  EXPECT_EQ(c.log.level + c.log.format + c.on_gap + c.on_row_error, "debugjsonhaltdead_letter");
}

TEST(Load, APodsNameIsASlotsName) {
  const Environment pod = [](const std::string& name) -> std::optional<std::string> {
    if (name == "WALRELAY_SOURCE_SLOT") return "shop-5d8f7c9b4.x2-k7p";
    return std::nullopt;
  };
  EXPECT_EQ(load_text("source: {url: postgres://h/d, slot: other}\n", "w.yaml", pod, {}, {}).source.slot,
            "shop_5d8f7c9b4_x2_k7p");
}

TEST(Load, WrongValuesAreAllReportedWhereTheyStand) {
  EXPECT_THAT(
      mistakes(R"(source:
  url: postgres://h/d
  slot: My-Slot
  publication: ""
  temporary_slot: maybe
  slot_timeout: 5 minutes
  format: binry
  connect_timeout: soon
  sslmode: on
target:
  port: 70000
  database: -1
flush:
  interval: 100
  batch_size: 0
  max_bytes: 1
  max_transaction: big
ack: never
load: [1]
http: {listen: "9847"}
log: {level: [info], format: {json}}
on_gap:
health:
  cache_hit_ratio_below: 0.7
  p95_above: 500
  redis_memory_above: 101
)"),
      ElementsAre(
          "w.yaml:3:9: source.slot: must be 1 to 63 lower-case letters, digits or underscores",
          "w.yaml:4:16: source.publication: must be a name of 1 to 63 bytes",
          "w.yaml:5:19: source.temporary_slot: \"maybe\" is neither true nor false",
          "w.yaml:6:17: source.slot_timeout: \"5 minutes\" is no duration; write a whole number with its unit (ms, s, "
          "m, h or d), as in 100ms, 5s or 1h30m",
          "w.yaml:7:11: source.format: \"binry\" is not allowed; write auto, text or binary",
          "w.yaml:8:20: source.connect_timeout: \"soon\" is no whole number",
          "w.yaml:9:12: source.sslmode: \"on\" is not allowed; write disable, allow, prefer, require, verify-ca or "
          "verify-full",
          "w.yaml:11:9: target.port: must be from 1 to 65535",
          "w.yaml:12:13: target.database: must be from 0 to 1000000",
          "w.yaml:14:13: flush.interval: \"100\" has no unit; write a whole number with its unit (ms, s, m, h or d), "
          "as in 100ms, 5s or 1h30m",
          "w.yaml:15:15: flush.batch_size: must be from 1 to 10000000",
          "w.yaml:16:14: flush.max_bytes: must be from 4KiB to 1GiB",
          "w.yaml:17:20: flush.max_transaction: \"big\" is no size; write a whole number of bytes, or one with a unit, "
          "as in 512k, 64MB or 1MiB",
          "w.yaml:18:6: ack: \"never\" is not allowed; write fsynced",
          "w.yaml:19:7: \"load\" must be a map of keys, not a list",
          "w.yaml:20:16: http.listen: must be host:port, as in 127.0.0.1:9847 or [::1]:9847, or empty for none",
          "w.yaml:21:14: \"log.level\" must be a single value, not a list",
          "w.yaml:21:30: \"log.format\" must be a single value, not a map; put a text that begins with \"{\" in quotes",
          "w.yaml:22:1: \"on_gap\" has no value; give one, or remove the key",
          "w.yaml:24:26: health.cache_hit_ratio_below: \"0.7\" is no whole number",
          "w.yaml:25:14: health.p95_above: \"500\" has no unit; write a whole number with its unit (ms, s, m, h or d), "
          "as in 100ms, 5s or 1h30m",
          "w.yaml:26:23: health.redis_memory_above: must be from 0 to 100"));
}

TEST(Load, UnknownKeysAreAnsweredWithTheNearest) {
  struct Row {
    const char* text;
    const char* mistake;
  };
  for (const Row& row : {
           Row{"surce: {}", "2:1: unknown key \"surce\"; did you mean \"source\"?"},
           Row{"mapings: []", "2:1: unknown key \"mapings\"; did you mean \"mappings\"?"},
           Row{"flush: {batchSize: 5}", "2:9: unknown key \"batchSize\" in \"flush\"; did you mean \"batch_size\"?"},
           Row{"flush: {intervall: 5s}", "2:9: unknown key \"intervall\" in \"flush\"; did you mean \"interval\"?"},
           Row{"target: {db: 1}", "2:10: unknown key \"db\" in \"target\"; did you mean \"database\"?"},
           Row{"target: {tls: {cert: /x}}",
               "2:16: unknown key \"cert\" in \"target.tls\"; did you mean \"certificate\"?"},
           Row{"target: {username: u}", "2:10: unknown key \"username\" in \"target\"; did you mean \"user\"?"},
           Row{"slot: x", "2:1: unknown key \"slot\"; did you mean \"source.slot\"?"},
           Row{"batch_size: 5", "2:1: unknown key \"batch_size\"; did you mean \"flush.batch_size\"?"},
           Row{"health: {hit_ratio: 5}",
               "2:10: unknown key \"hit_ratio\" in \"health\"; did you mean \"cache_hit_ratio_below\"?"},
           Row{"xyzzy: 5", "2:1: unknown key \"xyzzy\""},
           Row{"log: {xyzzy: 5}", "2:7: unknown key \"xyzzy\" in \"log\""},
           Row{"log: {\"not a name\": 5}", "2:7: unknown key in \"log\""},
           Row{"log: {level.x: 5}", "2:7: unknown key \"level.x\" in \"log\"; did you mean \"level\"?"},
       }) {
    EXPECT_THAT(mistakes(kSource + row.text), ElementsAre("w.yaml:" + std::string(row.mistake))) << row.text;
  }
}

TEST(Load, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string text = kSource + "flush: {interval: 1s, batch_size: 1, max_bytes: 1MiB}\n";
  const testing::Variables variables = {{"WALRELAY_FLUSH_INTERVAL", "2s"}, {"WALRELAY_FLUSH_BATCH_SIZE", "2"}};
  const Config config = load(text, variables, {{{"flush.interval", "3s"}, {"flush.interval", "4s"}}});
  EXPECT_EQ(config.flush.interval, milliseconds(4000));
  EXPECT_EQ(config.flush.batch_size, 2U);
  EXPECT_EQ(config.flush.max_bytes, 1048576U);
  EXPECT_EQ(config.flush.max_transaction, Flush{}.max_transaction);
  EXPECT_EQ(config.origins.at("flush.interval"), "flag");
  EXPECT_EQ(config.origins.at("flush.batch_size"), "environment WALRELAY_FLUSH_BATCH_SIZE");
  EXPECT_EQ(config.origins.at("flush.max_bytes"), "w.yaml:2");
  EXPECT_FALSE(config.origins.contains("flush.max_transaction"));
}

TEST(Load, MistakesOfEnvironmentAndFlagsFollowThoseOfTheFile) {
  EXPECT_THAT(mistakes(kSource + "log: {level: loud}\n", {{"WALRELAY_TARGET_PORT", "x"}, {"WALRELAY_LOG_FORMAT", ""}},
                       {{{"flush.interval", "5"},
                         {"flush.intervall", "5s"},
                         {"mappings", "[]"},
                         {"source", "x"},
                         {"slto", "x"},
                         {"a b", "x"}}}),
              ElementsAre("w.yaml:2:14: log.level: \"loud\" is not allowed; write trace, debug, info, warn or error",
                          "WALRELAY_TARGET_PORT: target.port: \"x\" is no whole number",
                          "flag flush.interval: flush.interval: \"5\" has no unit; write a whole number with its unit "
                          "(ms, s, m, h or d), as in 100ms, 5s or 1h30m",
                          "flag flush.intervall: unknown key \"intervall\" in \"flush\"; did you mean \"interval\"?",
                          "flag mappings: \"mappings\" cannot be given by a flag; only single values can",
                          "flag source: \"source\" cannot be given by a flag; only single values can",
                          "flag slto: unknown key \"slto\"; did you mean \"source.slot\"?", "flag --set: unknown key"));
}

TEST(Load, ShortFormsAndSecondNames) {
  EXPECT_TRUE(load(kSource + "ack: fsynced\n").ack.fsynced);
  EXPECT_TRUE(load(kSource, {{"WALRELAY_ACK", "fsynced"}}).ack.fsynced);
  EXPECT_TRUE(load(kSource + "target: {tls: true}\n").target.tls);
  EXPECT_TRUE(load(kSource + "target: {tls: {enabled: true}}\n").target.tls);
  EXPECT_TRUE(load(kSource, {{"WALRELAY_TARGET_TLS", "1"}}).target.tls);
  EXPECT_FALSE(load(kSource + "target: {tls: {enabled: false, ca: /ca}}\n").target.tls);
  EXPECT_FALSE(load(kSource + "target: {tls: {ca: /ca}}\n", {}, {{{"target.tls", "off"}}}).target.tls);
  EXPECT_EQ(parameter(load("source: {host: h, database: d}\n"), "dbname"), "d");
  EXPECT_THAT(mistakes("source: {host: h, database: a, dbname: b}\n"),
              ElementsAre("w.yaml:1:40: source.dbname is given twice, under two names (w.yaml:1:29); keep one"));
}

TEST(Load, VariablesAreExpandedInScalarsOfAnyType) {
  const testing::Variables variables = {{"PORT", "7"}, {"TABLE", "t"}, {"PREFIX", "p"}, {"TTL", "5s"}, {"EMPTY", ""}};
  const Config mapped = load(kSource + R"(
target:
  port: ${PORT}
flush: {interval: "${NONE:-250ms}"}
mappings:
  - table: ${TABLE}
    write: {hash: {key: "${PREFIX}:{id}:$$1", ttl: "${TTL}", columns: {include: ["${TABLE}"], rename: {a: "${PREFIX}"}}}}
)",
                             variables);
  EXPECT_EQ(mapped.target.port, 7);
  EXPECT_EQ(mapped.flush.interval, milliseconds(250));
  const Parameter& columns = mapped.mappings.at(0).writes.at(0).parameters.at("columns");
  EXPECT_EQ(mapped.mappings[0].table, "t");
  EXPECT_EQ(mapped.mappings[0].writes[0].parameters.at("key").text, "p:{id}:$1");
  EXPECT_EQ(mapped.mappings[0].writes[0].parameters.at("ttl").duration, milliseconds(5000));
  EXPECT_THAT(columns.include, ElementsAre("t"));
  EXPECT_EQ(columns.rename.at("a"), "p");
  EXPECT_THAT(
      mistakes(
          "source: {url: \"${NONE}\", slot: \"${EMPTY:?name the slot}\"}\nlog: {level: \"${PORT}\", format: '${'}\n",
          variables),
      ElementsAre(
          "w.yaml:1:15: source.url: the environment variable NONE is not set; set it, or write ${NONE:-default}",
          "w.yaml:1:32: source.slot: the environment variable EMPTY: name the slot",
          "w.yaml:2:14: log.level: the value of ${PORT} is not allowed; write trace, debug, info, warn or error",
          "w.yaml:2:33: log.format: a \"${\" is not closed by \"}\"; write \"$${\" for the characters themselves"));
}

class LoadFile : public ::testing::Test {
 protected:
  LoadFile() : folder_(std::filesystem::temp_directory_path() / ("walrelay_config_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~LoadFile() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_ / name;
    std::ofstream(path) << text;
    return path;
  }
  const std::filesystem::path folder_;
};

TEST_F(LoadFile, FromTheDisk) {
  const std::string path = write("w.yaml", kSource + "mappings:\n  - {table: t, write: {hash: {key: \"{id}\"}}}\n");
  const Config config = load_file(path, testing::environment({}), testing::kinds(), {});
  EXPECT_EQ(config.file, path);
  EXPECT_EQ(config.mappings.at(0).where, path + ":3:5");
}

TEST_F(LoadFile, WithoutAFileTheEnvironmentIsEnough) {
  const Config config =
      load_file("", testing::environment({{"DATABASE_URL", "postgres://h/d"}, {"REDIS_URL", "redis://r:1/2"}}),
                testing::kinds(), {});
  EXPECT_EQ(parameter(config, "host"), "h");
  EXPECT_EQ(config.target.host, "r");
  EXPECT_EQ(config.file, "");
  try {
    load_file("", testing::environment({}), testing::kinds(), {});
    FAIL() << "a source is needed";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(
        error.what(),
        "configuration: no source is given; set source.url, or the environment variable DATABASE_URL or PGHOST");
  }
}

TEST_F(LoadFile, WhatCannotBeRead) {
  for (const std::string& path : {std::string(folder_ / "none.yaml"), std::string(folder_)}) {
    try {
      load_file(path, testing::environment({}), testing::kinds(), {});
      FAIL() << path;
    } catch (const ConfigError& error) {
      ASSERT_EQ(error.mistakes().size(), 1U);
      EXPECT_EQ(error.mistakes()[0].file, path);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(": the configuration cannot be read: ")) << path;
    }
  }
}

TEST_F(LoadFile, SecretFiles) {
  const std::string url = write("url", "postgres://u:p@h/d\n");
  const std::string password = write("password", "s e c\r\n");
  const Config config = load("source: {url_file: " + url + ", password_file: " + password + "}\n");
  EXPECT_EQ(parameter(config, "host"), "h");
  EXPECT_EQ(config.source.password.read().reveal(), "s e c");
  EXPECT_EQ(config.source.password.file, password);
  EXPECT_EQ(load("", {{"WALRELAY_SOURCE_URL_FILE", url}}).source.password.value.reveal(), "p");
  write("password", "rotated\n\n");
  EXPECT_EQ(config.source.password.read().reveal(), "rotated\n");  // read again, and only one line end is dropped
  EXPECT_THAT(mistakes("source: {url_file: " + (folder_ / "none").string() + "}\n"),
              ElementsAre("w.yaml:1:20: source.url_file: \"" + (folder_ / "none").string() +
                          "\" cannot be read: No such file or directory"));
  const SecretSource missing{Secret(), folder_ / "none"};
  EXPECT_THROW(static_cast<void>(missing.read()), std::runtime_error);
  const SecretSource folder{Secret(), folder_};
  EXPECT_THROW(static_cast<void>(folder.read()), std::runtime_error);
}

TEST(Load, ProcessEnvironment) {
  ::setenv("WALRELAY_TEST_VARIABLE", "x", 1);
  EXPECT_EQ(process_environment()("WALRELAY_TEST_VARIABLE"), "x");
  EXPECT_EQ(process_environment()("WALRELAY_TEST_NO_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace walrelay::config
