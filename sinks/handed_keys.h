// The keys that stand in an open MULTI, where nobody can list them: what a TRUNCATE that comes next has to remove
// beside those that SCAN finds, and the key of a command that Redis refuses. Pure.
//
//   HandedKeys: [write 7, 2 commands, 6 bytes, 0 bytes]user:1 [write 9, 1 command, 5 bytes, 2 bytes]users17 ...
//   in the order of sending
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/batch.h"

namespace walrelay::sinks {

class HandedKeys {
 public:
  void add(const Batch::Place& place);

  // The place of the index-th command of all that were added, as a view into this object.
  [[nodiscard]] std::optional<Batch::Place> of_command(std::size_t index) const;

  // The keys of these writes, each once or more, in order.
  [[nodiscard]] HandedKeys of(const std::vector<std::uint32_t>& writes) const;

  // The next places, up to `most` of them, as views into this object; none: the end.
  std::vector<Batch::Place> next(std::size_t most);

  // Forgets everything, for good: there were too many. Whoever needs them must make the MULTI leave instead.
  void give_up();
  [[nodiscard]] bool given_up() const { return given_up_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }

 private:
  struct Head {
    std::uint32_t write = 0, commands = 0, key = 0, member = 0, row = 0;  // of key and member: bytes
  };
  [[nodiscard]] Batch::Place read(std::size_t& at) const;  // and moves `at` on to the next

  std::string bytes_;
  std::size_t next_ = 0;
  bool given_up_ = false;
};

}  // namespace walrelay::sinks
