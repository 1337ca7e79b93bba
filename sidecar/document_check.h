// What is wrong with the documents' own SQL, as PostgreSQL says it, before any of it is needed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "event/task.h"
#include "replication/connection.h"
#include "replication/publication.h"
#include "sinks/document.h"

namespace walrelay::sidecar {

// One sentence for each mistake; none: every query and lookup can be planned, gives the columns that it must give, and
// ids of the types that the roots have. `documents` outlives the task. Throws PostgresError when the connection is
// lost.
event::Task<std::vector<std::string>> document_mistakes(replication::Connection& connection,
                                                        const std::vector<sinks::DocumentSpec>& documents,
                                                        std::map<replication::Oid, replication::TableInfo> tables);

}  // namespace walrelay::sidecar
