// What walrelay notes about its own work, in order with the rows of a batch: commands on keys below walrelay:{slot}:.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sinks/batch.h"

namespace walrelay::sinks {

// The numbers of their Batch entries: no mapping has so many writes.
enum class Bookkeeping : std::uint32_t {
  rereads = 0xffff0000,
  cursors = 0xffff0001,
  loads = 0xffff0002,
  jobs = 0xffff0003,
  documents = 0xffff0004,
  messages = 0xffff0005,
  tables = 0xffff0006,
};

// One command; its second word is the key.
void append(Bookkeeping of, const std::vector<std::string_view>& command, Batch& batch);

}  // namespace walrelay::sinks
