// The version of libpq that runs, which need not be the one that was compiled against. For metrics and reports.
#pragma once

#include <string>

namespace walrelay::replication {

std::string libpq_version();  // "15.18"

}  // namespace walrelay::replication
