// Which rows the stream has changed while somebody was reading their table. Pure.
//
//   stream:  begin(xid) ... touch(table, identity) ... truncate(table)
//   chunk:   open(table) ──────── reads at a snapshot ────────> overtaken(chunk, snapshot) ──> close(chunk)
//
// A row of a chunk is older than Redis when the stream, since the chunk was opened, carried a change of it by a
// transaction that the chunk's snapshot does not see. A commit can also reach the stream before snapshots see it
// (a synchronous standby that is away): therefore the last 65,536 streamed transactions are remembered, and a chunk
// whose snapshot misses one of those delivered before it was opened must be read again (design 4).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "replication/relation.h"
#include "replication/snapshot.h"

namespace walrelay::sidecar {

class Overtaken {
 public:
  using ChunkId = std::uint64_t;

  // The stream's side. Cheap while no chunk is open.
  void begin(std::uint32_t xid, std::int64_t commit_time_us);
  [[nodiscard]] bool watching(replication::Oid table) const { return !open_.empty() && logs_.count(table) != 0; }
  void touch(replication::Oid table, std::string_view identity);
  void truncate(replication::Oid table);
  // The row is newer than what any chunk that is open now has read.
  void overtake(replication::Oid table, std::string_view identity);

  // The chunk's side.
  ChunkId open(replication::Oid table);
  void close(ChunkId chunk);

  // Not yet usable: the snapshot misses a transaction that the stream had delivered before the chunk was opened.
  // Transactions older than a day are taken for seen: their numbers may have been overtaken by half the xid space.
  [[nodiscard]] bool misses_delivered(ChunkId chunk, const replication::Snapshot& snapshot, std::int64_t now_us) const;
  [[nodiscard]] ChunkId next_chunk() const { return next_; }

  struct Newer {
    bool all = false;  // the table was truncated: every row of the chunk is older
    std::unordered_set<std::string> rows;
    [[nodiscard]] bool contains(const std::string& identity) const { return all || rows.count(identity) != 0; }
  };
  // What is newer in Redis than this snapshot, as of now; ask again after the stream has moved on.
  void collect(ChunkId chunk, const replication::Snapshot& snapshot, Newer& newer, std::uint64_t& from) const;

 private:
  static constexpr std::size_t kRemembered = 65536;
  static constexpr std::int64_t kForgetAfterUs = std::int64_t{24} * 3600 * 1000000;
  struct Delivered {
    std::uint32_t xid;
    std::int64_t commit_time_us;
  };
  struct Touch {
    std::uint32_t xid;
    bool truncate;
    std::string identity;
    bool always = false;  // whatever a snapshot sees
  };
  struct Log {
    std::deque<Touch> touches;
    std::uint64_t first = 0;  // number of touches.front()
    std::size_t readers = 0;
  };
  struct Open {
    replication::Oid table;
    std::uint64_t delivered;  // transactions delivered before it was opened
    std::uint64_t first;      // number of the first touch after it was opened
  };
  void prune(replication::Oid table, Log& log);

  std::uint32_t xid_ = 0;
  std::deque<Delivered> recent_;  // the last transactions, newest at the back
  std::uint64_t delivered_ = 0;   // how many there were in all
  std::unordered_map<replication::Oid, Log> logs_;
  std::map<ChunkId, Open> open_;
  ChunkId next_ = 1;
};

}  // namespace walrelay::sidecar
