// Chunks of a real server's tables: what their snapshot sees, where they stand in the log, what their rows are.
#include "replication/chunk.h"

#include "tests/support/loop_task.h"
#include "tests/support/servers.h"

namespace walrelay::replication {
namespace {

using support::Postgres;
using support::PsqlSession;
using support::run_task;
using support::run_until;

class ChunkTest : public testing::Test {
 protected:
  ChunkTest() {
    ConnectionOptions options;
    options.parameters = {{"host", postgres_.socket_dir()},
                          {"port", std::to_string(postgres_.port())},
                          {"user", "postgres"},
                          {"dbname", "postgres"}};
    connection_ = std::make_unique<Connection>(loop_, options);
    run_task(loop_, connection_->open());
    postgres_.sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
  }
  ChunkOpened open(const std::string& schema = "public", const std::string& table = "t") {
    return run_task(loop_, open_chunk(*connection_, schema, table));
  }
  std::string copy(const ChunkRequest& request) {
    std::string rows;
    const auto keep = [&](std::string_view row) {
      rows += row;
      return true;
    };
    run_task(loop_, copy_chunk(*connection_, request, keep));
    return rows;
  }
  std::string read(const ChunkRequest& request) {
    open(request.schema, request.table);
    return copy(request);
  }
  Lsn lsn(const std::string& function) { return parse_lsn(postgres_.sql("SELECT " + function + "()")).value(); }

  Postgres postgres_;
  event::Loop loop_;
  std::unique_ptr<Connection> connection_;
};

ChunkRequest all_of(const std::string& table) {
  return {.schema = "public", .table = table, .columns = {"id", "v"}, .where = {}};
}

TEST_F(ChunkTest, ReadsTheColumnsAndRowsAskedFor) {
  postgres_.sql("INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, E'tab\\there')");
  EXPECT_EQ(read(all_of("t")), "1\ta\n2\t\\N\n3\ttab\\there\n");
  EXPECT_EQ(read({.schema = "public", .table = "t", .columns = {"v"}, .where = "id = 1"}), "a\n");
  EXPECT_EQ(read({.schema = "public", .table = "t", .columns = {"v", "id"}, .where = "ctid >= '(0,2)' AND id < 3"}),
            "\\N\t2\n");
  EXPECT_EQ(read({.schema = "public", .table = "t", .columns = {"id"}, .where = "false"}), "");
  EXPECT_THAT(read({.schema = "public", .table = "t", .columns = {"id"}, .where = {}, .binary = true}),
              testing::StartsWith(std::string("PGCOPY\n\xFF\r\n\0", 11)));
}

TEST_F(ChunkTest, ReadsOddNamesAndHeirsApart) {
  postgres_.sql(
      "CREATE SCHEMA \"a.b\"; CREATE TABLE \"a.b\".\"c \"\"d\\e'f\" (\"x\\ y\" int); INSERT INTO \"a.b\".\"c "
      "\"\"d\\e'f\" VALUES (7); CREATE TABLE heir () INHERITS (t); INSERT INTO heir VALUES (9, 'heir');"
      "INSERT INTO t VALUES (1, 'own')");
  EXPECT_EQ(read({.schema = "a.b", .table = "c \"d\\e'f", .columns = {"x\\ y"}, .where = {}}), "7\n");
  EXPECT_EQ(read(all_of("t")), "1\town\n");
  ChunkRequest with_heirs = all_of("t");
  with_heirs.only = false;
  EXPECT_EQ(read(with_heirs), "1\town\n9\their\n");
}

TEST_F(ChunkTest, SeesExactlyWhatItsSnapshotSays) {
  PsqlSession running(postgres_);
  const auto running_xid =
      std::stoul(running.sql("BEGIN; INSERT INTO t VALUES (1, 'running'); SELECT pg_current_xact_id()"));
  const auto done_xid = std::stoul(postgres_.sql("INSERT INTO t VALUES (2, 'done') RETURNING xmin"));
  const ChunkOpened opened = open();
  running.sql("COMMIT");
  const auto later_xid = std::stoul(postgres_.sql("INSERT INTO t VALUES (3, 'later') RETURNING xmin"));
  EXPECT_FALSE(opened.snapshot.sees(static_cast<std::uint32_t>(running_xid)));
  EXPECT_TRUE(opened.snapshot.sees(static_cast<std::uint32_t>(done_xid)));
  EXPECT_FALSE(opened.snapshot.sees(static_cast<std::uint32_t>(later_xid)));
  EXPECT_EQ(copy(all_of("t")), "2\tdone\n");
  EXPECT_EQ(read(all_of("t")).size(), std::string("1\trunning\n2\tdone\n3\tlater\n").size());
}

TEST_F(ChunkTest, ItsPositionIsBehindEveryCommitItSees) {
  for (int i = 0; i < 20; ++i) {
    postgres_.sql("INSERT INTO t VALUES (" + std::to_string(i) + ")");
    const Lsn before = lsn("pg_current_wal_insert_lsn");
    const ChunkOpened opened = open();
    EXPECT_LE(opened.position, lsn("pg_current_wal_insert_lsn"));
    EXPECT_GE(value(opened.position) + 40, value(before));
    copy(all_of("t"));
  }
}

// An insert position behind a page's header is never reached by an idle server's stream.
TEST_F(ChunkTest, ItsPositionIsReachedByTheFlushOfAnIdleServer) {
  postgres_.sql("CHECKPOINT; SELECT pg_switch_wal()");
  const ChunkOpened opened = open();
  copy(all_of("t"));
  EXPECT_EQ(value(opened.position) % 8192, 0U) << to_string(opened.position);
  EXPECT_GE(lsn("pg_current_wal_flush_lsn"), opened.position);
}

TEST_F(ChunkTest, NoticesARewriteAndIsNotOvertakenByOne) {
  postgres_.sql("INSERT INTO t VALUES (1, 'a')");
  const ChunkOpened first = open();
  PsqlSession truncating(postgres_);
  EXPECT_THROW(truncating.sql("SET lock_timeout = '50ms'; TRUNCATE t"), support::SqlError);  // it has to wait for us
  EXPECT_EQ(copy(all_of("t")), "1\ta\n");
  postgres_.sql("VACUUM FULL t");
  const ChunkOpened second = open();
  copy(all_of("t"));
  EXPECT_NE(first.file, "");
  EXPECT_NE(first.file, second.file);
  EXPECT_EQ(second.file, postgres_.sql("SELECT pg_relation_filenode('t')"));
}

TEST_F(ChunkTest, AnErrorEndsTheTransactionAndNamesTheTable) {
  const auto failing = [&](const std::function<void()>& act) -> std::string {
    try {
      act();
    } catch (const PostgresError& error) {
      EXPECT_FALSE(error.lost());
      EXPECT_TRUE(connection_->is_open());
      EXPECT_EQ(
          run_task(loop_, connection_->query("SELECT pg_current_xact_id_if_assigned() IS NULL", "ask")).text(0, 0),
          "t");
      return error.what();
    }
    return "(none)";
  };
  EXPECT_EQ(failing([&] { open("public", "nowhere"); }),
            "read public.nowhere: relation \"public.nowhere\" does not exist (42P01)");
  EXPECT_EQ(failing([&] {
              open();
              copy({.schema = "public", .table = "t", .columns = {"gone"}, .where = {}});
            }),
            "read public.t: column \"gone\" does not exist (42703)");
  postgres_.sql("INSERT INTO t SELECT g FROM generate_series(1, 1000) g");
  EXPECT_EQ(failing([&] {
              open();
              copy({.schema = "public", .table = "t", .columns = {"id"}, .where = "1 / (id - 900) < 2"});
            }),
            "read public.t: division by zero (22012)");
  EXPECT_EQ(read({.schema = "public", .table = "t", .columns = {"id"}, .where = "id = 1"}), "1\n");
}

TEST_F(ChunkTest, ItsReaderMayPause) {
  postgres_.sql("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 5000) g");
  open();
  int rows = 0;
  event::Deferred resume(loop_, [&] { connection_->resume_copy(); });
  const auto each = [&](std::string_view) {
    if (++rows % 100 != 0) return true;
    resume.schedule();
    return false;
  };
  run_task(loop_, copy_chunk(*connection_, all_of("t"), each));
  EXPECT_EQ(rows, 5000);
}

}  // namespace
}  // namespace walrelay::replication
