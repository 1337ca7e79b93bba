// Which transactions a reader of the database saw: what places a chunk's rows in the stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace walrelay::replication {

// pg_current_snapshot(): which transactions a reader saw. Pure.
class Snapshot {
 public:
  static std::optional<Snapshot> parse(std::string_view text);  // "xmin:xmax:xip,xip"
  // `xid` as the stream names it: 32 bits, the top-level transaction. Compared modulo 2^32, as PostgreSQL does.
  [[nodiscard]] bool sees(std::uint32_t xid) const;

 private:
  std::uint64_t xmin_ = 0, xmax_ = 0;
  std::vector<std::uint32_t> in_progress_;  // sorted
};

}  // namespace walrelay::replication
