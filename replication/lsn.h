// Positions in the write-ahead log, and the position that walrelay remembers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace walrelay::replication {

// A byte position in the write-ahead log. Ordered; the only arithmetic is the distance of two.
// 0/0 is "invalid" in PostgreSQL and means "nothing yet" here.
enum class Lsn : std::uint64_t { invalid = 0 };

constexpr std::uint64_t value(Lsn lsn) { return static_cast<std::uint64_t>(lsn); }
constexpr std::int64_t distance(Lsn from, Lsn to) { return static_cast<std::int64_t>(value(to) - value(from)); }

std::string to_string(Lsn lsn);                       // "16/B374D848"
std::optional<Lsn> parse_lsn(std::string_view text);  // the same form; nothing for anything else

// How far the changes of the stream have been carried.
//
//   ... commit ] [ transaction, cut at `changes` ...
//              ^ committed     ^ open_commit names it, `changes` of its row messages are done
//
// `committed` is a commit's end_lsn (or a keepalive's position): everything that ends there or before is done.
// A transaction larger than flush.max_transaction is carried in parts; then `open_commit` is the LSN of its commit
// record as Begin announces it, and `changes` counts its Insert, Update, Delete and Truncate messages, and those that
// an application has written for us. The server decodes a committed transaction to the same messages each time, so the
// count finds the place again.
struct Position {
  Lsn committed = Lsn::invalid;
  Lsn open_commit = Lsn::invalid;
  std::uint64_t changes = 0;

  // A later open part lies beyond every `committed` before its commit record.
  friend constexpr auto operator<=>(const Position& a, const Position& b) {
    const Lsn a_at = a.open_commit == Lsn::invalid ? a.committed : a.open_commit;
    const Lsn b_at = b.open_commit == Lsn::invalid ? b.committed : b.open_commit;
    if (auto order = a_at <=> b_at; order != 0) return order;
    return a.changes <=> b.changes;
  }
  friend constexpr bool operator==(const Position& a, const Position& b) = default;
};

}  // namespace walrelay::replication
