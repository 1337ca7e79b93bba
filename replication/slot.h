// The replication slot: found or created, never dropped behind a user's back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "event/task.h"
#include "replication/connection.h"
#include "replication/lsn.h"

namespace walrelay::replication {

struct SlotState {
  std::string name;
  std::string plugin;    // must be pgoutput
  std::string database;  // must be ours
  bool active = false;
  int active_pid = 0;
  std::string active_owner;  // application_name and client address of its user, as far as the role may see
  Lsn restart = Lsn::invalid;
  Lsn confirmed_flush = Lsn::invalid;
  std::string wal_status;  // reserved, extended, unreserved, lost
  std::optional<std::int64_t> safe_wal_bytes;
  bool temporary = false;
};

event::Task<std::optional<SlotState>> find_slot(Connection& connection, std::string name);

struct CreatedSlot {
  Lsn consistent_point = Lsn::invalid;
};
// Over a replication connection. Waits for transactions that are running; after `patience` it gives up with a
// PostgresError that names them (`watcher` looks them up, and ends the half-made slot's backend).
event::Task<CreatedSlot> create_slot(Connection& replication, Connection& watcher, std::string name, bool temporary,
                                     std::chrono::milliseconds patience);
event::Task<> drop_slot(Connection& connection, std::string name);

struct SystemIdentity {
  std::string system_identifier;
  std::uint32_t timeline = 0;
  Lsn flushed = Lsn::invalid;  // the server's own flush position
  std::string database;
};
event::Task<SystemIdentity> identify_system(Connection& replication);

// START_REPLICATION with the protocol version that this server speaks and nothing we do not need.
std::string start_replication_sql(const std::string& slot, const std::string& publication, int server_version,
                                  bool binary, bool messages, Lsn from);

}  // namespace walrelay::replication
