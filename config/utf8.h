// Is a file text at all? yaml-cpp would replace what it cannot read, so this is asked first.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace walrelay::config {

struct TextFault {
  int line;
  int column;
  std::string message;
};

// The first byte that is not UTF-8, or a control character that YAML forbids; empty for good text.
std::optional<TextFault> find_text_fault(std::string_view text);

}  // namespace walrelay::config
