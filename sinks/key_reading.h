// One way to read a key of Redis: the texts of the columns that it would have been made of.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace walrelay::sinks {

struct KeyReading {
  std::vector<std::pair<std::size_t, std::string>> columns;  // each column of the key once, ascending
};

}  // namespace walrelay::sinks
