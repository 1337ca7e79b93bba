// A database with tables of every sort, for the tests of what the catalogue says.
#pragma once

#include "replication/publication.h"
#include "tests/support/loop_task.h"
#include "tests/support/servers.h"

namespace walrelay::replication {

using support::Postgres;
using support::run_task;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

inline constexpr const char* kSchema = R"sql(
CREATE SCHEMA "Odd ""schema""";
CREATE TABLE plain (id bigint PRIMARY KEY, v varchar(40) NOT NULL, gone int, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE plain DROP COLUMN gone;
CREATE TABLE "Odd ""schema"""."it's.a table" ("the ""key""" int, "b.c" text, PRIMARY KEY ("the ""key""", "b.c"));
CREATE TABLE by_index (id int PRIMARY KEY, code text NOT NULL, extra int);
CREATE UNIQUE INDEX by_index_code ON by_index (code) INCLUDE (extra);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code;
CREATE TABLE whole (a int, b text, c int GENERATED ALWAYS AS (a) STORED);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE silent (id int PRIMARY KEY);
ALTER TABLE silent REPLICA IDENTITY NOTHING;
CREATE TABLE keyless (a int);
CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
CREATE VIEW looks AS SELECT 1;
CREATE TABLE base (id int PRIMARY KEY);
CREATE TABLE heir (more int) INHERITS (base);
CREATE TABLE nothing ();

CREATE TABLE parted (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parted_2024 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Odd ""schema"""."parted 2025" PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
  PARTITION BY HASH (id);
CREATE TABLE parted_2025_a PARTITION OF "Odd ""schema"""."parted 2025" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_2025_b PARTITION OF "Odd ""schema"""."parted 2025" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE uneven (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE uneven_1 PARTITION OF uneven FOR VALUES FROM (0) TO (10);
ALTER TABLE uneven REPLICA IDENTITY FULL;
CREATE TABLE empty_root (id int PRIMARY KEY) PARTITION BY RANGE (id);

INSERT INTO parted SELECT g, date '2024-01-01' + g % 700, repeat('x', 100) FROM generate_series(1, 20000) g;
INSERT INTO plain SELECT g, 'v' FROM generate_series(1, 5000) g;
ANALYZE;
)sql";

class CatalogueTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    postgres_ = std::make_unique<Postgres>();
    postgres_->sql(kSchema);
  }
  static void TearDownTestSuite() { postgres_.reset(); }
  static std::unique_ptr<Postgres> postgres_;

  ConnectionOptions options(const std::string& user = "postgres") const {
    ConnectionOptions all;
    all.parameters = {{"host", postgres_->socket_dir()},
                      {"port", std::to_string(postgres_->port())},
                      {"user", user},
                      {"dbname", "postgres"}};
    return all;
  }
  Connection& admin() {
    if (!admin_.is_open()) run_task(loop_, admin_.open());
    return admin_;
  }
  std::map<std::string, TableInfo> tables(Connection& connection, const std::string& publication = "none") {
    std::map<std::string, TableInfo> by_name;
    const auto all = [](std::string_view, std::string_view) { return true; };
    for (TableInfo& table : run_task(loop_, find_tables(connection, publication, all))) {
      by_name.emplace(table.qualified(), table);
    }
    return by_name;
  }
  std::vector<TableInfo> pick(const std::vector<std::string>& names) {
    const auto all = tables(admin());
    std::vector<TableInfo> picked;
    for (const std::string& name : names) picked.push_back(all.at(name));
    return picked;
  }
  // Makes the publication carry these; how many statements it took. Then none is needed any more.
  std::size_t apply(const std::string& name, const std::vector<TableInfo>& wanted) {
    const auto statements =
        publication_sql(name, run_task(loop_, find_publication(admin(), name)), wanted, admin().server_version());
    for (const std::string& statement : statements) run_task(loop_, admin().query(statement, "apply"));
    const auto found = run_task(loop_, find_publication(admin(), name));
    EXPECT_THAT(publication_sql(name, found, wanted, admin().server_version()), IsEmpty());
    return statements.size();
  }
  std::vector<std::string> published(const std::string& name) {
    return run_task(loop_, find_publication(admin(), name)).value().tables;
  }

  event::Loop loop_;
  Connection admin_{loop_, options()};
};
inline std::unique_ptr<Postgres> CatalogueTest::postgres_;

}  // namespace walrelay::replication
