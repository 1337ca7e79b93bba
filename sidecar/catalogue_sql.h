// What the watch asks of the catalogue.
#pragma once

#include <string>

#include "replication/publication.h"

namespace walrelay::sidecar {

// One row: a fingerprint of tables, columns, indexes and the publication, and the end of WAL.
std::string fingerprint_sql(const std::string& publication);

// One array of virtual transactions, or NULL: who writes to the table, or to its partitions.
std::string writers_sql(const replication::TableInfo& info);

}  // namespace walrelay::sidecar
