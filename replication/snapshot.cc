#include "replication/snapshot.h"

#include <algorithm>
#include <charconv>

namespace walrelay::replication {
namespace {

constexpr std::uint32_t kFirstNormalXid = 3;  // 1 and 2, bootstrap and frozen, are older than everything

std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

// Takes what stands before `separator` from the front of `text`; nothing if it does not occur.
std::optional<std::string_view> take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const auto taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

// Of two xids on the circle of 2^32, the earlier is the one from which the other is less than half a turn away.
bool precedes(std::uint32_t xid, std::uint64_t bound) {
  return static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(bound)) < 0;
}

}  // namespace

std::optional<Snapshot> Snapshot::parse(std::string_view text) {
  Snapshot snapshot;
  const auto xmin_text = take_until(text, ':');
  const auto xmax_text = take_until(text, ':');
  if (!xmin_text || !xmax_text) return std::nullopt;
  const auto xmin = parse_number(*xmin_text);
  const auto xmax = parse_number(*xmax_text);
  if (!xmin || !xmax || *xmin == 0 || *xmin > *xmax) return std::nullopt;
  snapshot.xmin_ = *xmin;
  snapshot.xmax_ = *xmax;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto xid = parse_number(text.substr(0, comma));
    if (!xid || *xid < *xmin || *xid >= *xmax) return std::nullopt;
    snapshot.in_progress_.push_back(static_cast<std::uint32_t>(*xid));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  std::sort(snapshot.in_progress_.begin(), snapshot.in_progress_.end());
  return snapshot;
}

bool Snapshot::sees(std::uint32_t xid) const {
  if (xid < kFirstNormalXid || precedes(xid, xmin_)) return true;
  if (!precedes(xid, xmax_)) return false;
  return !std::binary_search(in_progress_.begin(), in_progress_.end(), xid);
}

}  // namespace walrelay::replication
