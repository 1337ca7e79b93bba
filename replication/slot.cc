#include "replication/slot.h"

#include <memory>
#include <stdexcept>

namespace walrelay::replication {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kEndPatience{5000};  // for the backend of a slot that was given up
constexpr milliseconds kEndPause{20};

// The replication commands have a grammar of their own: quotes are doubled and a backslash is a backslash.
std::string plain_literal(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + "'";
}

std::string find_slot_sql(const std::string& name, int server_version) {
  const bool has_status = server_version >= 130000;
  return "SELECT s.slot_name, s.plugin, s.database, s.active, s.active_pid, s.restart_lsn, s.confirmed_flush_lsn, " +
         std::string(has_status ? "s.wal_status, s.safe_wal_size, " : "NULL, NULL, ") +
         "s.temporary, a.application_name, a.usename, COALESCE(host(a.client_addr), CASE WHEN a.client_port = -1 THEN "
         "'local socket' END) FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid "
         "WHERE s.slot_name = " +
         quote_literal(name);
}

// application_name, role and address, as far as they are visible.
std::string owner_of(const Result& result) {
  std::string owner = result.text(0, 10);
  if (result.at(0, 11)) owner += (owner.empty() ? "role " : " role ") + result.text(0, 11);
  if (result.at(0, 12)) owner += (owner.empty() ? "at " : " at ") + result.text(0, 12);
  return owner;
}

// Whoever holds a transaction id, in any database. From pg_locks because everybody may see all of it; what the role may
// not see of the activity is left out. Prepared transactions hold their lock without a process.
std::string blockers_sql(int own_pid) {
  return "SELECT 'process ' || l.pid || COALESCE(' (' || NULLIF(concat_ws(', ', NULLIF(a.application_name, ''), "
         "'role ' || a.usename, 'database ' || a.datname, a.state, 'since ' || date_trunc('second', a.xact_start)), "
         "'') "
         "|| ')', '') FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'transactionid' AND granted AND mode = "
         "'ExclusiveLock' AND pid IS NOT NULL) l LEFT JOIN pg_stat_activity a USING (pid) "
         "WHERE l.pid NOT IN (pg_backend_pid(), " +
         std::to_string(own_pid) +
         ") UNION ALL SELECT 'prepared transaction ' || quote_literal(gid) || ' (role ' || owner || ', database ' || "
         "database || ', since ' || date_trunc('second', prepared) || ')' FROM pg_prepared_xacts LIMIT 20";
}

// Ends the process that still makes the slot, and waits until both are gone: the name is taken until then.
event::Task<> end_half_made_slot(Connection& watcher, int pid, std::string name, std::string what) {
  const std::string process = std::to_string(pid);
  auto ending = watcher.query("SELECT pg_terminate_backend(" + process + ")", what);
  co_await std::move(ending);
  for (milliseconds waited{0}; waited < kEndPatience; waited += kEndPause) {
    auto looking = watcher.query(
        "SELECT 1 FROM pg_replication_slots WHERE active_pid = " + process + " AND slot_name = " + quote_literal(name),
        what);
    const Result left = co_await std::move(looking);
    if (left.empty()) co_return;
    auto pausing = event::sleep(watcher.loop(), kEndPause);
    co_await std::move(pausing);
  }
}

event::Task<> take_result(Connection& replication, std::string sql, std::string what, Result& result) {
  auto creating = replication.query(std::move(sql), std::move(what));
  result = co_await std::move(creating);
}

std::string create_sql(const std::string& name, bool temporary, int server_version) {
  return "CREATE_REPLICATION_SLOT " + quote_identifier(name) + (temporary ? " TEMPORARY" : "") + " LOGICAL pgoutput " +
         (server_version >= 150000 ? "(SNAPSHOT 'nothing')" : "NOEXPORT_SNAPSHOT");
}

event::Task<> give_up(Connection& watcher, int pid, std::string name, std::string what, milliseconds patience) {
  auto asking = watcher.query(blockers_sql(pid), what);
  const Result blockers = co_await std::move(asking);
  auto ending = end_half_made_slot(watcher, pid, name, what);
  co_await std::move(ending);
  std::string message = what + ": gave up after " + std::to_string(patience.count()) +
                        " ms; PostgreSQL waits for transactions that were open before it. End them or wait longer: ";
  for (std::size_t row = 0; row < blockers.rows(); ++row) message += (row == 0 ? "" : "; ") + blockers.text(row, 0);
  if (blockers.empty()) message += "(none is visible to this role any more; try again)";
  throw PostgresError("", false, message);
}

}  // namespace

event::Task<std::optional<SlotState>> find_slot(Connection& connection, std::string name) {
  auto asking = connection.query(find_slot_sql(name, connection.server_version()), "find slot \"" + name + "\"");
  const Result result = co_await std::move(asking);
  if (result.empty()) co_return std::nullopt;
  SlotState slot;
  slot.name = result.text(0, 0);
  slot.plugin = result.text(0, 1);
  slot.database = result.text(0, 2);
  slot.active = result.text(0, 3) == "t";
  slot.active_pid = result.at(0, 4) ? std::stoi(result.text(0, 4)) : 0;
  slot.restart = parse_lsn(result.text(0, 5)).value_or(Lsn::invalid);
  slot.confirmed_flush = parse_lsn(result.text(0, 6)).value_or(Lsn::invalid);
  slot.wal_status = result.text(0, 7);
  if (result.at(0, 8)) slot.safe_wal_bytes = std::stoll(result.text(0, 8));
  slot.temporary = result.text(0, 9) == "t";
  slot.active_owner = owner_of(result);
  co_return slot;
}

event::Task<CreatedSlot> create_slot(Connection& replication, Connection& watcher, std::string name, bool temporary,
                                     milliseconds patience) {
  const std::string what = "create slot \"" + name + "\"";
  const std::string sql = create_sql(name, temporary, replication.server_version());
  const int pid = replication.backend_pid();
  Result result;
  std::exception_ptr error;
  bool reported = false;
  event::Event over(replication.loop());
  event::Timer timer(replication.loop(), [&over] { over.set(); });
  timer.start(patience);
  auto job = std::make_unique<event::Job>(replication.loop(), take_result(replication, sql, what, result),
                                          [&error, &reported, &over](std::exception_ptr outcome) {
                                            reported = true;
                                            error = std::move(outcome);
                                            over.set();
                                          });
  co_await over;
  if (job->finished() && !reported) {  // in the turn of the time-out; its report is on the way
    over.reset();
    co_await over;
  }
  if (error != nullptr) std::rethrow_exception(error);
  if (!reported) {
    job.reset();
    auto giving_up = give_up(watcher, pid, name, what, patience);
    co_await std::move(giving_up);
  }
  co_return CreatedSlot{.consistent_point = parse_lsn(result.text(0, 1)).value_or(Lsn::invalid)};
}

event::Task<> drop_slot(Connection& connection, std::string name) {
  auto dropping =
      connection.query("SELECT pg_drop_replication_slot(" + quote_literal(name) + ")", "drop slot \"" + name + "\"");
  co_await std::move(dropping);
}

event::Task<SystemIdentity> identify_system(Connection& replication) {
  auto asking = replication.query("IDENTIFY_SYSTEM", "identify the server");
  const Result result = co_await std::move(asking);
  co_return SystemIdentity{.system_identifier = result.text(0, 0),
                           .timeline = static_cast<std::uint32_t>(std::stoul(result.text(0, 1))),
                           .flushed = parse_lsn(result.text(0, 2)).value_or(Lsn::invalid),
                           .database = result.text(0, 3)};
}

std::string start_replication_sql(const std::string& slot, const std::string& publication, int server_version,
                                  bool binary, bool messages, Lsn from) {
  // The newest protocol that each version speaks and that differs for a slot without streaming and two-phase commit.
  const char* protocol = server_version < 140000 ? "1" : server_version < 160000 ? "2" : "4";
  std::string sql = "START_REPLICATION SLOT " + quote_identifier(slot) + " LOGICAL " + to_string(from) +
                    " (proto_version '" + protocol + "', publication_names " +
                    plain_literal(quote_identifier(publication));
  if (binary && server_version >= 140000) sql += ", binary 'true'";
  if (messages && server_version >= 140000) sql += ", messages 'true'";
  return sql + ")";
}

}  // namespace walrelay::replication
