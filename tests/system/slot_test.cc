// Slots on a real server: found, created, given up with the names of those who are in the way, dropped.
#include "replication/slot.h"

#include "tests/support/loop_task.h"
#include "tests/support/servers.h"

namespace walrelay::replication {
namespace {

using std::chrono::milliseconds;
using support::Postgres;
using support::PsqlSession;
using support::run_task;
using support::run_until;

class SlotTest : public testing::Test {
 protected:
  SlotTest() : postgres_({.settings = {{"max_prepared_transactions", "5"}, {"max_replication_slots", "2"}}}) {
    run_task(loop_, watcher_.open());
    run_task(loop_, replication_.open());
  }
  ConnectionOptions options(bool replication, const std::string& user = "postgres") const {
    ConnectionOptions all;
    all.parameters = {{"host", postgres_.socket_dir()},
                      {"port", std::to_string(postgres_.port())},
                      {"user", user},
                      {"dbname", "postgres"}};
    all.replication = replication;
    return all;
  }
  std::string failure(const std::string& name, milliseconds patience) {
    try {
      run_task(loop_, create_slot(replication_, watcher_, name, false, patience));
    } catch (const PostgresError& error) {
      sqlstate_ = error.sqlstate();
      return error.what();
    }
    return "(none)";
  }

  Postgres postgres_;
  event::Loop loop_;
  Connection watcher_{loop_, options(false)};
  Connection replication_{loop_, options(true)};
  std::string sqlstate_;
};

TEST_F(SlotTest, IsCreatedFoundAndDropped) {
  EXPECT_EQ(run_task(loop_, find_slot(watcher_, "cache")), std::nullopt);
  const CreatedSlot created =
      run_task(loop_, create_slot(replication_, watcher_, "cache", false, std::chrono::seconds(20)));
  for (Connection* connection : {&watcher_, &replication_}) {
    const auto found = run_task(loop_, find_slot(*connection, "cache"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "cache");
    EXPECT_EQ(found->plugin, "pgoutput");
    EXPECT_EQ(found->database, "postgres");
    EXPECT_FALSE(found->active);
    EXPECT_FALSE(found->temporary);
    EXPECT_EQ(found->confirmed_flush, created.consistent_point);
    EXPECT_NE(found->confirmed_flush, Lsn::invalid);
    EXPECT_LE(found->restart, found->confirmed_flush);
    EXPECT_EQ(found->wal_status, "reserved");
    EXPECT_EQ(found->safe_wal_bytes, std::nullopt);  // without max_slot_wal_keep_size there is no limit
  }
  postgres_.set("max_slot_wal_keep_size", "64MB");
  EXPECT_TRUE(run_task(loop_, find_slot(watcher_, "cache"))->safe_wal_bytes.has_value());
  run_task(loop_, drop_slot(watcher_, "cache"));
  EXPECT_EQ(run_task(loop_, find_slot(watcher_, "cache")), std::nullopt);
  try {
    run_task(loop_, drop_slot(watcher_, "cache"));
    ADD_FAILURE();
  } catch (const PostgresError& error) {
    EXPECT_STREQ(error.what(), "drop slot \"cache\": replication slot \"cache\" does not exist (42704)");
  }
}

TEST_F(SlotTest, ATemporaryOneIsActiveAndSaysWhoHasIt) {
  run_task(loop_, create_slot(replication_, watcher_, "brief", true, std::chrono::seconds(20)));
  const auto found = run_task(loop_, find_slot(watcher_, "brief"));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->temporary);
  EXPECT_TRUE(found->active);
  EXPECT_EQ(found->active_pid, replication_.backend_pid());
  EXPECT_EQ(found->active_owner, "walrelay role postgres at local socket");
  postgres_.sql("CREATE ROLE stranger LOGIN");
  Connection stranger(loop_, options(false, "stranger"));
  run_task(loop_, stranger.open());
  const auto seen = run_task(loop_, find_slot(stranger, "brief"));
  EXPECT_EQ(seen->active_pid, replication_.backend_pid());
  EXPECT_EQ(seen->active_owner, "walrelay role postgres");  // all that it may see
}

TEST_F(SlotTest, ErrorsAreTheServersOwn) {
  EXPECT_EQ(
      failure("Bad-Name", std::chrono::seconds(20)),
      "create slot \"Bad-Name\": replication slot name \"Bad-Name\" contains invalid character (42602). Replication "
      "slot names may only contain lower case letters, numbers, and the underscore character.");
  postgres_.sql(
      "SELECT pg_create_logical_replication_slot('one', 'pgoutput'), "
      "pg_create_physical_replication_slot('two')");
  EXPECT_EQ(run_task(loop_, find_slot(watcher_, "two"))->plugin, "");
  EXPECT_THAT(failure("one", std::chrono::seconds(20)), testing::HasSubstr("already exists (42710)"));
  EXPECT_THAT(failure("three", std::chrono::seconds(20)),
              testing::MatchesRegex("create slot \"three\": all replication slots are in use \\(53400\\)\\. "
                                    "Free one or increase \"?max_replication_slots\"?\\."));  // quoted from 17 on
  EXPECT_TRUE(replication_.is_open());
}

TEST_F(SlotTest, WaitsForTransactionsAndThenIsThere) {
  PsqlSession other(postgres_);
  other.sql("BEGIN; SELECT pg_current_xact_id()");
  std::optional<CreatedSlot> created;
  const event::Job job(
      loop_, support::keep_value(create_slot(replication_, watcher_, "late", false, std::chrono::seconds(20)), created),
      nullptr);
  run_until(loop_, [&] { return run_task(loop_, find_slot(watcher_, "late")).has_value(); });  // begun, and waiting
  EXPECT_FALSE(created);
  other.sql("COMMIT");
  run_until(loop_, [&] { return created.has_value(); });
  EXPECT_NE(created->consistent_point, Lsn::invalid);
}

TEST_F(SlotTest, GivesUpNamingWhoIsInTheWayAndLeavesNothing) {
  postgres_.sql("CREATE TABLE t (a int)");
  PsqlSession other(postgres_);
  other.sql(
      "SET application_name = 'slow report'; BEGIN; INSERT INTO t VALUES (1); SAVEPOINT x; INSERT INTO t VALUES (2)");
  postgres_.sql("BEGIN; INSERT INTO t VALUES (3); PREPARE TRANSACTION 'half done'");
  const std::string message = failure("stuck", milliseconds(300));
  EXPECT_THAT(message, testing::StartsWith("create slot \"stuck\": gave up after 300 ms; PostgreSQL waits for "
                                           "transactions that were open before it. End them or wait longer: process "));
  EXPECT_THAT(message,
              testing::HasSubstr("(slow report, role postgres, database postgres, idle in transaction, since "));
  EXPECT_THAT(message,
              testing::HasSubstr("prepared transaction 'half done' (role postgres, database postgres, since "));
  EXPECT_EQ(sqlstate_, "");
  EXPECT_EQ(run_task(loop_, find_slot(watcher_, "stuck")), std::nullopt);
  EXPECT_FALSE(replication_.is_open());

  other.sql("ROLLBACK");
  postgres_.sql("ROLLBACK PREPARED 'half done'");
  run_task(loop_, replication_.open());
  EXPECT_EQ(failure("stuck", std::chrono::seconds(20)), "(none)");
}

TEST_F(SlotTest, TheServerSaysWhoItIs) {
  const SystemIdentity identity = run_task(loop_, identify_system(replication_));
  EXPECT_EQ(identity.system_identifier, postgres_.sql("SELECT system_identifier FROM pg_control_system()"));
  EXPECT_EQ(identity.timeline, 1U);
  EXPECT_EQ(identity.database, "postgres");
  EXPECT_NE(identity.flushed, Lsn::invalid);
}

// Every odd name and every option goes through the server's own grammar.
TEST_F(SlotTest, ReplicationStartsWithOddNames) {
  const std::string publication = "it's \"odd\", \\very";
  run_task(loop_, watcher_.query("CREATE PUBLICATION " + quote_identifier(publication) + " FOR ALL TABLES", "create"));
  run_task(loop_, create_slot(replication_, watcher_, "odd", false, std::chrono::seconds(20)));
  const std::string sql =
      start_replication_sql("odd", publication, replication_.server_version(), true, true, Lsn::invalid);
  run_task(loop_, replication_.begin_replication(sql, "start"));
  EXPECT_TRUE(run_task(loop_, find_slot(watcher_, "odd"))->active);
}

}  // namespace
}  // namespace walrelay::replication
