// A whole file as text.
#pragma once

#include <string>

namespace walrelay::config {

// Throws std::runtime_error with the system's reason alone, as in "No such file or directory".
std::string read_file_text(const std::string& path);

}  // namespace walrelay::config
