// Where an insert position stands when nothing has been inserted there yet.
#pragma once

#include <cstdint>

#include "replication/lsn.h"

namespace walrelay::replication {

// pg_current_wal_insert_lsn() names the place of the next record. At the beginning of a page that is behind the page's
// header, but the last record ended before it, and that is as far as an idle server's stream ever gets.
//
//   ... last record | header | <- insert position
//                   ^ what the stream reports
//
// A record that goes on behind the header has at least one byte there, so the place just behind it is never its end.
constexpr Lsn before_page_header(Lsn position, std::uint64_t block_size, std::uint64_t segment_size) {
  constexpr std::uint64_t kShortHeader = 24, kLongHeader = 40;  // a segment begins with a long one
  if (block_size == 0 || segment_size == 0) return position;
  const std::uint64_t in_page = value(position) % block_size;
  const bool first_page = value(position) % segment_size < block_size;
  return in_page == (first_page ? kLongHeader : kShortHeader) ? static_cast<Lsn>(value(position) - in_page) : position;
}

}  // namespace walrelay::replication
