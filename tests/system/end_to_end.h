// What the end-to-end tests share: one PostgreSQL and one Redis for a suite, and for each test a database, a slot and a
// walrelay of its own. What Redis must hold is said by PostgreSQL itself.
//
//   table ── SQL ──> expected ─────────────┐
//     └──── walrelay ──> Redis ──> found ──┴── in_step(): equal at last
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/servers.h"

namespace walrelay::support {

using Hashes = std::map<std::string, std::map<std::string, std::string>>;

inline std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

inline std::size_t count_of(const std::string& text, const std::string& words) {
  std::size_t count = 0;
  for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + words.size())) ++count;
  return count;
}

class EndToEnd : public testing::Test {
 public:
  static void SetUpTestSuite() { open_servers(); }
  static void TearDownTestSuite() {
    servers().redis.reset();
    servers().postgres.reset();
  }

 protected:
  static void open_servers(const Postgres::Options& postgres = {}, const Redis::Options& redis = {}) {
    servers().postgres.emplace(postgres);
    servers().redis.emplace(redis);
  }
  static Postgres& postgres() { return *servers().postgres; }
  static Redis& redis() { return *servers().redis; }

  // Redis stops answering as soon as the load begins, so that most of it is still to come: call resume().
  void launch_and_hold(const std::string& mappings, const std::string& more) {
    launch(mappings, more);
    walrelay().wait_log("every table is read\"");
    redis().pause();
  }

  void SetUp() override {
    static int number = 0;
    name_ = "t" + std::to_string(++number);
    create_database();
    redis().flush();
  }
  void TearDown() override {
    if (HasFailure() && walrelay_ != nullptr) std::cerr << "walrelay's log:\n" << walrelay_->log() << "\n";
    walrelay_.reset();
    drop_slot();
  }

  // The database of this test, which also names its slot and its publication.
  [[nodiscard]] const std::string& name() const { return name_; }
  virtual void create_database() { postgres().sql("CREATE DATABASE " + name_); }
  void drop_slot() {
    if (!postgres().running()) return;
    postgres().sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '" + name_ +
                   "' AND active");
    EXPECT_TRUE(eventually([this] {
      postgres().sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '" +
                     name_ + "'");
      return true;
    }));
  }

  std::string sql(const std::string& statements) const { return postgres().sql(statements, name_); }

  [[nodiscard]] std::string source() const {
    return "source: {url: \"host=" + postgres().socket_dir() + " port=" + std::to_string(postgres().port()) +
           " user=" + role_ + " dbname=" + name_ + "\", slot: " + name_ + ", publication: " + name_;
  }
  void connect_as(const std::string& role) { role_ = role; }
  // `more` is YAML of the top level; `source_more` goes into source, with a comma before.
  [[nodiscard]] std::string config(const std::string& mappings, const std::string& more = "",
                                   const std::string& source_more = "") const {
    return source() + source_more + "}\ntarget: {url: \"unix://" + redis().socket_path() + "\"}\n" +
           (more.find("flush:") == std::string::npos ? "flush: {interval: 0}\n" : "") + more + "\n" +
           (mappings.empty() ? "" : "mappings:\n" + mappings);
  }
  void start(const std::string& mappings, const std::string& more = "", const std::string& source_more = "") {
    launch(mappings, more, source_more);
    walrelay().wait_ready();
  }
  void launch(const std::string& mappings, const std::string& more = "", const std::string& source_more = "",
              const std::map<std::string, std::string>& env = {}) {
    launch_as({.config = config(mappings, more, source_more), .arguments = {"run"}, .env = env});
  }
  // With a configuration of the test's own.
  void launch_as(const Walrelay::Options& options) {
    walrelay_ = std::make_unique<Walrelay>(options);
    walrelay_->start();
  }
  Walrelay& walrelay() { return *walrelay_; }
  // `walrelay verify` finds no difference.
  testing::AssertionResult verifies() {
    const auto verified = walrelay().command({"verify"});
    return verified.status == 0 ? testing::AssertionSuccess() : testing::AssertionFailure() << verified.output;
  }

  // Every row of `table` as hash, its key by an SQL expression over the row; values as the server prints them.
  [[nodiscard]] Hashes rows_of(const std::string& table, const std::string& key,
                               const std::string& client_encoding = "UTF8") const {
    const std::string one_column =
        "'SELECT encode(textsend((' || $k$" + key +
        "$k$ || ')::text), ''hex'') || '':'' || encode(textsend(' || quote_literal(attname) || "
        "'), ''hex'') || '':'' || encode(textsend(format(''%s'', ' || quote_ident(attname) || ')), ''hex'') FROM ' || "
        "$k$" +
        table + "$k$ || ' WHERE num_nulls(' || quote_ident(attname) || ') = 0'";
    const std::string found =
        sql("SET client_encoding = '" + client_encoding + "'; SET extra_float_digits = 3; SELECT string_agg(" +
            one_column + ", ' UNION ALL ') FROM pg_attribute WHERE attrelid = $k$" + table +
            "$k$::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' \\gexec");
    Hashes rows;
    std::istringstream lines(found);
    for (std::string line; std::getline(lines, line);) {
      const auto first = line.find(':');
      const auto second = line.find(':', first + 1);
      rows[from_hex(line.substr(0, first))][from_hex(line.substr(first + 1, second - first - 1))] =
          from_hex(line.substr(second + 1));
    }
    return rows;
  }

  // Redis' hashes that match `pattern` become what the table says now.
  [[nodiscard]] testing::AssertionResult in_step(const std::string& table, const std::string& key,
                                                 const std::string& pattern, milliseconds timeout = kPatience) {
    const Hashes expected = rows_of(table, key);
    return eventually([&] { return same(redis().client().hashes(pattern), expected); }, timeout);
  }

  // The JSON that Redis holds at `key` becomes what the SQL expression says, both as jsonb prints it.
  [[nodiscard]] testing::AssertionResult json_is(const std::string& key, const std::string& expression) {
    const std::string expected = sql("SELECT (" + expression + ")::jsonb");
    return eventually_equal([&] { return sql("SELECT $json$" + redis().command("GET", key) + "$json$::jsonb"); },
                            expected);
  }

  static testing::AssertionResult same(const Hashes& found, const Hashes& expected) {
    for (const auto& [key, fields] : expected) {
      const auto at = found.find(key);
      if (at == found.end()) return testing::AssertionFailure() << "key \"" << key << "\" is missing";
      if (at->second != fields) {
        return testing::AssertionFailure()
               << "key \"" << key << "\" is " << shortened(at->second) << ", expected " << shortened(fields);
      }
    }
    for (const auto& [key, fields] : found) {
      if (!expected.contains(key)) return testing::AssertionFailure() << "key \"" << key << "\" has no row";
    }
    return testing::AssertionSuccess();
  }
  static std::string shortened(const std::map<std::string, std::string>& fields) {
    std::string text = "{";
    for (const auto& [name, value] : fields) {
      text +=
          " " + name + "=" + value.substr(0, 60) + (value.size() > 60 ? "... of " + std::to_string(value.size()) : "");
    }
    return text + " }";
  }

  // Everything that has committed before this call is in Redis, and Redis' position is behind it.
  [[nodiscard]] testing::AssertionResult caught_up(milliseconds timeout = kPatience) {
    const auto end = sql("SELECT pg_logical_emit_message(true, 'test', '')");
    return eventually(
        [&] {
          const std::string verified = redis().command("HGET", "walrelay:{" + name_ + "}:checkpoint", "verified");
          return sql("SELECT '" + verified.substr(0, verified.find('+')) + "'::pg_lsn >= '" + end + "'") == "t";
        },
        timeout);
  }

 private:
  struct Servers {
    std::optional<Postgres> postgres;
    std::optional<Redis> redis;
  };
  static Servers& servers() {
    static Servers both;
    return both;
  }
  std::string name_;
  std::string role_ = "postgres";
  std::unique_ptr<Walrelay> walrelay_;
};

// SQL that runs beside the test, over a connection of its own; join() gives what it printed.
class Beside {
 public:
  Beside(const Postgres& postgres, const std::string& database, std::string statements)
      : session_(postgres, database), thread_([this, text = std::move(statements)] {
          try {
            output_ = session_.sql(text, seconds(120));
          } catch (const std::exception& error) {
            output_ = std::string("failed: ") + error.what();
          }
          done_ = true;
        }) {}
  ~Beside() {
    if (thread_.joinable()) thread_.join();
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  [[nodiscard]] bool done() const { return done_; }
  std::string join() {
    if (thread_.joinable()) thread_.join();
    return output_;
  }
  // Afterwards, on the same connection.
  std::string sql(const std::string& statements) {
    thread_.join();
    return session_.sql(statements);
  }

 private:
  PsqlSession session_;
  std::string output_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace walrelay::support
