#include "replication/connection_version.h"

#include "replication/connection_state.h"

namespace walrelay::replication {

std::string libpq_version() {
  const int version = PQlibVersion();  // 150018
  return std::to_string(version / 10000) + "." + std::to_string(version % 10000);
}

}  // namespace walrelay::replication
