// What stands in Redis beside the rows: how far they are, and of which server. Pure: fields <-> values.
//
// Key walrelay:{<slot>}:checkpoint, a hash. `verified` is the last position whose every reply was checked; `sent` the
// end of the batch that carries this checkpoint. EXEC does not roll back where one command fails, so a batch cannot
// declare itself done: batch N says sent = N, verified = N-1 (design 3, reliability 3.3).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "replication/lsn.h"

namespace walrelay::sinks {

// Which history the positions belong to. Two checkpoints with different origins cannot be compared.
struct Origin {
  std::string system_identifier;
  std::uint32_t timeline = 0;
  std::string database;
  std::string slot_incarnation;  // differs when a slot of the same name was made anew; empty: that is being done
};

struct Checkpoint {
  replication::Position verified;
  replication::Position sent;
  Origin origin;
  std::uint64_t epoch = 0;  // the fence value of its writer
  std::string phase;        // "load" until every table was read once, then "stream"
};

std::string checkpoint_key(std::string_view slot);   // walrelay:{slot}:checkpoint
std::string fence_key(std::string_view slot);        // walrelay:{slot}:fence
std::string load_key(std::string_view slot);         // walrelay:{slot}:load      table -> cursor of its initial load
std::string reread_key(std::string_view slot);       // walrelay:{slot}:reread    rows that must be read again
std::string dead_letter_key(std::string_view slot);  // walrelay:{slot}:dead      a stream
std::string jobs_key(std::string_view slot);         // walrelay:{slot}:jobs      slice -> record of its rebuild
std::string again_key(std::string_view slot);        // walrelay:{slot}:again     what is to be removed (invalidation.h)
std::string mappings_key(std::string_view slot);  // walrelay:{slot}:mappings  name -> its fingerprint (fingerprint.h)
std::string tables_key(std::string_view slot);    // walrelay:{slot}:tables    table -> what its keys are made of
std::string state_prefix(std::string_view slot);  // walrelay:{slot}:          what writes keep of rows (mapping.h)
// Whether a key is one of these, of this slot or another: no mapping owns it, whatever its template says.
bool is_bookkeeping(std::string_view key);

std::string to_field(const replication::Position& position);  // "16/B374D848" or "16/B3..+16/B4..:12"
std::optional<replication::Position> position_from_field(std::string_view text);

std::map<std::string, std::string> to_fields(const Checkpoint& checkpoint);
// Nothing for an empty hash; throws std::runtime_error naming the field for one that cannot be read.
std::optional<Checkpoint> checkpoint_from_fields(const std::map<std::string, std::string>& fields);

}  // namespace walrelay::sinks
