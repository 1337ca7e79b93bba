// What a session does first: compares what Redis remembers with what the server and the slot say. Pure.
//
//   checkpoint            compared with                      decision
//   absent                                                   load (Redis is new, or was emptied)
//   other origin          system identifier, database        gap: another server or a restored one
//   of no slot            (a slot was about to be made)      gap: the slot is newer than what Redis holds
//   newer than a fork     timeline history                   gap: the server took another turn before our position
//   of another branch     timeline history                   gap: an old primary came back
//   ahead                 server's flush position            gap: the server lost what we have
//   behind                slot's confirmed_flush             gap: Redis lost what was acknowledged (or the slot is new)
//   phase "load"                                             resume the load at its cursors
//   otherwise                                                stream on from `verified`
//
// The table of reliability.md 3.4. A gap is healed by loading every table again in place (on_gap: rebuild) or stops
// the process (on_gap: halt).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replication/lsn.h"
#include "sinks/checkpoint.h"

namespace walrelay::sidecar {

enum class Gap : std::uint8_t {
  none,
  redis_empty,
  redis_behind,
  slot_new,
  slot_lost,
  other_system,
  other_timeline,
  server_behind,
};
const char* name_of(Gap gap);  // "redis_behind": the metric's label

struct ServerView {
  std::string system_identifier;
  std::uint32_t timeline = 0;
  replication::Lsn flushed = replication::Lsn::invalid;
  std::string database;
  replication::Lsn confirmed_flush = replication::Lsn::invalid;  // of the slot
  bool slot_created = false;   // in this session: whatever Redis holds, changes in between are unknown
  bool slot_was_lost = false;  // its WAL had been removed and it was made anew
  // Where each earlier timeline ended, from TIMELINE_HISTORY: (timeline, switch point).
  std::vector<std::pair<std::uint32_t, replication::Lsn>> history;
};

struct Decision {
  bool load = false;    // from the beginning, in place
  bool resume = false;  // a load that was interrupted
  Gap gap = Gap::none;
  std::string sentence;  // for the log
  replication::Position verified, sent;
};

Decision decide(const std::optional<sinks::Checkpoint>& checkpoint, const ServerView& server);

// The lines of a timeline history file: "1\t0/3000000\treason". Lines that are none are passed over, as the server
// does.
std::vector<std::pair<std::uint32_t, replication::Lsn>> parse_timeline_history(const std::string& content);

}  // namespace walrelay::sidecar
