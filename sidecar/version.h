// What this build is.
#pragma once

#include <string>

namespace walrelay::sidecar {

std::string version();         // "0.1.0"
std::string revision();        // the commit that the program was built from, or "unknown" (revision.cmake)
std::string version_report();  // with the libraries' versions, several lines

}  // namespace walrelay::sidecar
