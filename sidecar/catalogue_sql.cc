#include "sidecar/catalogue_sql.h"

#include "replication/connection.h"

namespace walrelay::sidecar {

using replication::TableInfo;

// Catalogue rows that change whenever a table, a column or the publication does. xmin is not changed by VACUUM's and
// ANALYZE's updates in place, so a quiet catalogue keeps its fingerprint.
std::string fingerprint_sql(const std::string& publication) {
  return "SELECT (SELECT pg_catalog.concat_ws(',', pg_catalog.count(*), pg_catalog.sum(c.oid::pg_catalog.int8), "
         "pg_catalog.sum(c.xmin::pg_catalog.text::pg_catalog.int8)) FROM pg_catalog.pg_class c WHERE c.relkind IN "
         "('r','p') AND c.oid >= 16384) || "
         "'/' || (SELECT pg_catalog.concat_ws(',', pg_catalog.count(*), "
         "pg_catalog.sum(a.xmin::pg_catalog.text::pg_catalog.int8)) FROM "
         "pg_catalog.pg_attribute a WHERE a.attnum > 0 AND a.attrelid >= 16384) || '/' || "
         "(SELECT pg_catalog.concat_ws(',', pg_catalog.count(*), "
         "pg_catalog.sum(r.xmin::pg_catalog.text::pg_catalog.int8)) FROM "
         "pg_catalog.pg_publication_rel r) || '/' || "
         "(SELECT pg_catalog.concat_ws(',', pg_catalog.count(*), "
         "pg_catalog.sum(i.xmin::pg_catalog.text::pg_catalog.int8)) FROM "
         "pg_catalog.pg_index i WHERE i.indrelid >= 16384) || '/' || "
         "coalesce((SELECT p.xmin::pg_catalog.text FROM pg_catalog.pg_publication p WHERE p.pubname = " +
         replication::quote_literal(publication) + "), ''), pg_catalog.pg_current_wal_lsn()";
}

// Who writes to these tables at this moment and may have begun before they were published.
std::string writers_sql(const TableInfo& info) {
  const std::string oid = std::to_string(info.oid);
  return "SELECT pg_catalog.array_agg(DISTINCT l.virtualtransaction) FROM pg_catalog.pg_locks l WHERE l.locktype = "
         "'relation' AND l.granted "
         "AND l.mode IN ('RowExclusiveLock','ShareRowExclusiveLock','ExclusiveLock','AccessExclusiveLock') AND l.pid "
         "<> "
         "pg_catalog.pg_backend_pid() AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = "
         "pg_catalog.current_database()) "
         "AND (l.relation = " +
         oid + " OR l.relation IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(" + oid + ") p))";
}

}  // namespace walrelay::sidecar
