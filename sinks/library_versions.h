// The versions of the libraries of this layer. For metrics and reports.
#pragma once

#include <string>

namespace walrelay::sinks {

std::string hiredis_version();  // "1.2.0"; it does not tell at run time: that of its headers
std::string sqlite_version();

}  // namespace walrelay::sinks
