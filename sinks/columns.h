// The `columns` parameter of a write: which columns it takes, and under which names.
#pragma once

#include <string>
#include <vector>

#include "sinks/write.h"

namespace walrelay::sinks {

struct ChosenColumn {
  std::size_t column = 0;  // real, or the virtual one of a let
  std::string field;
};

// In the order of `include`, which may name lets, else those of the relation. Throws MappingError: unknown columns, two
// columns under one name, none left.
std::vector<ChosenColumn> choose_columns(const BindContext& context, const std::string& parameter = "columns");

// The number of the column of that name. Throws MappingError with what may have been meant.
std::size_t require_column(const BindContext& context, const std::string& name, const std::string& parameter);

}  // namespace walrelay::sinks
