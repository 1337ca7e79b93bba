// The publication, and what the catalogue says of the tables in it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/task.h"
#include "replication/connection.h"
#include "replication/relation.h"

namespace walrelay::replication {

// A table as the catalogue describes it: an ordinary table, or the root of a partitioned one.
struct TableInfo {
  Oid oid = 0;
  std::string schema, name;
  bool partitioned = false;
  ReplicaIdentity identity = ReplicaIdentity::default_;
  struct Column {
    std::string name;
    Oid type_oid = 0;
    std::int32_t type_modifier = -1;
    bool identity = false;  // of the effective replica identity (all when FULL; none when it has none)
    bool primary = false;
    bool generated = false;
    int number = 0;               // attnum: a column dropped and added again under its name is another one
    std::string defined_by = {};  // the transaction that last wrote its definition
  };
  std::vector<Column> columns;      // live ones, in order
  std::vector<std::string> leaves;  // partitioned: its leaf partitions, quoted and qualified
  std::vector<IdentityIndex> candidates;
  bool usable_identity = false;  // an UPDATE or DELETE can name its row
  bool may_select = false;       // this role may read every published column
  bool owned = false;            // this role may add it to a publication
  std::string files;             // of it or its leaves: others when it was rewritten or truncated
  std::int64_t estimated_rows = 0;
  std::int64_t pages = 0;
  std::string row_filter;                      // of the publication (PG 15), SQL or empty
  std::vector<std::string> published_columns;  // of the publication's column list; all when empty
  [[nodiscard]] std::string qualified() const { return schema + "." + name; }
};

// Every ordinary and root table outside the system schemas for which `wants` is true. One round trip for the
// names, one for what the catalogue says of the wanted ones. Names are in the server's encoding.
event::Task<std::vector<TableInfo>> find_tables(
    Connection& connection, std::string publication,
    std::function<bool(std::string_view schema, std::string_view name)> wants);

struct PublicationState {
  std::string name;
  bool all_tables = false;
  bool via_root = false;
  bool inserts = false, updates = false, deletes = false, truncates = false;
  bool owned = false;                    // this role may alter it
  std::vector<std::string> tables = {};  // qualified, not quoted; as it publishes them
  struct Member {
    std::string qualified;  // as above
    std::string quoted;     // for SQL
  };
  std::vector<Member> members = {};  // named in it one by one: not those of FOR ALL TABLES or FOR TABLES IN SCHEMA
};
event::Task<std::optional<PublicationState>> find_publication(Connection& connection, std::string name);

// The SQL that makes the publication carry exactly these tables: empty when it does already. Never touches a
// FOR ALL TABLES publication, nor what FOR TABLES IN SCHEMA contributes. Before PostgreSQL 13, which cannot publish a
// partitioned table, its leaves stand for it. Pure.
std::vector<std::string> publication_sql(const std::string& name, const std::optional<PublicationState>& found,
                                         const std::vector<TableInfo>& tables, int server_version = 150000);

// Types of these OIDs and of all they are made of, into the catalog; those that did not change keep their object, and
// so do the built-in ones, which are never asked for. One round trip or two, or none. (load_types.cc)
event::Task<> load_types(Connection& connection, std::vector<Oid> oids, TypeCatalog& catalog);

}  // namespace walrelay::replication
