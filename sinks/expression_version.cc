#include "sinks/library_versions.h"
#include "sinks/sqlite.h"

namespace walrelay::sinks {

std::string sqlite_version() { return sqlite3_libversion(); }

}  // namespace walrelay::sinks
