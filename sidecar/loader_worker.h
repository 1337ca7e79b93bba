// Who reads for a load: its connections, and what a range gave. Private to the loader's files.
//
//   loader.cc         which table or row is next, and who reads it
//   loader_range.cc   one range: compared, written
//   loader_chunk.cc   from rows to the sink's batch               loader_comparison.cc   from rows to questions
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sidecar/loader.h"

namespace walrelay::sidecar {

struct Loader::Worker {
  Worker(event::Loop& loop, const replication::ConnectionOptions& options) : connection(loop, options) {}

  replication::Connection connection;
  std::unique_ptr<sinks::RedisConnection> redis;  // when something was compared
  replication::Oid reading = 0;                   // the table whose range is under way
};

struct Loader::RangeRead {
  std::uint64_t rows = 0, equal = 0;
  std::string file;  // of the leaf, when it was read
  bool compared = false;
  std::vector<std::string> differing;  // identities of the rows that are still to be written; of what was compared
};

}  // namespace walrelay::sidecar
