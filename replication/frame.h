// The outer layer of the replication stream: what stands in one CopyData.
//
//   server ─>  'w' start:8 end:8 time:8 payload...        XLogData: one pgoutput message
//              'k' end:8 time:8 reply:1                   Keepalive
//   us     ─>  'r' written:8 flushed:8 applied:8 time:8 reply:1
//
// Times are microseconds since the Unix epoch on our side of this file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "replication/lsn.h"
#include "replication/reader.h"

namespace walrelay::replication {

struct XLogData {
  Lsn start = Lsn::invalid;       // of the record that the message came from; 0/0 for some messages
  Lsn end = Lsn::invalid;         // the server's end of WAL (its send position) when it was sent
  std::int64_t send_time_us = 0;  // the server's clock
  std::string_view payload;       // borrowed from the CopyData

  friend bool operator==(const XLogData&, const XLogData&) = default;
};

struct Keepalive {
  Lsn end = Lsn::invalid;
  std::int64_t send_time_us = 0;
  bool reply_requested = false;  // the server closes the connection unless it gets a status soon

  friend bool operator==(const Keepalive&, const Keepalive&) = default;
};

using Frame = std::variant<XLogData, Keepalive>;

// Throws ProtocolError for everything else than the two forms above.
Frame parse_frame(std::string_view copy_data);

// A standby status update. The server keeps WAL after `flushed`; 0/0 makes no statement.
std::string encode_status(Lsn written, Lsn flushed, Lsn applied, std::int64_t now_us, bool reply_requested);

}  // namespace walrelay::replication
