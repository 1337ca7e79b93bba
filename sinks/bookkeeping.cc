#include "sinks/bookkeeping.h"

namespace walrelay::sinks {

void append(Bookkeeping of, const std::vector<std::string_view>& command, Batch& batch) {
  batch.open(static_cast<std::uint32_t>(of), command[1], Effect::ordered);
  batch.command(command.size());
  for (const std::string_view word : command) batch.argument(word);
  batch.close();
}

}  // namespace walrelay::sinks
