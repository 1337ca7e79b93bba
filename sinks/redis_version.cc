#include "sinks/hiredis.h"
#include "sinks/library_versions.h"

namespace walrelay::sinks {

std::string hiredis_version() {
  return std::to_string(HIREDIS_MAJOR) + "." + std::to_string(HIREDIS_MINOR) + "." + std::to_string(HIREDIS_PATCH);
}

}  // namespace walrelay::sinks
