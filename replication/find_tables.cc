// What the catalogue says of tables. The statements run in one snapshot, so that they fit together.
#include <algorithm>
#include <map>
#include <utility>

#include "replication/publication.h"

namespace walrelay::replication {

namespace {

// A root or an ordinary table; partitions belong to their root. Unlogged and temporary tables write no WAL.
constexpr const char* kNamesSql =
    "SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' "
    "AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 2, 3";

// The index that an UPDATE or DELETE of relation c names its row by, and its columns. PostgreSQL passes over the same
// ones: an index that is not valid, deferrable, or of only some rows does not identify a row.
constexpr const char* kIdentityColumns =
    "(SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) "
    "WITH ORDINALITY k(attnum, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
    "WHERE i.indrelid = c.oid AND i.indisvalid AND i.indisunique AND i.indimmediate AND i.indpred IS NULL "
    "AND k.place <= i.indnkeyatts AND (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND "
    "i.indisreplident))";

// Of relation c: what REPLICA IDENTITY USING INDEX takes. Each index by name and columns, a unit separator before each
// column and a record separator behind the last.
constexpr const char* kCandidates =
    "(SELECT string_agg(x.relname || (SELECT string_agg(chr(31) || a.attname, '' ORDER BY a.attname COLLATE \"C\") "
    "FROM "
    "pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) || chr(30), "
    "'' ORDER BY x.relname) "
    "FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisvalid AND "
    "i.indisunique "
    "AND i.indimmediate AND i.indpred IS NULL AND NOT i.indisprimary AND NOT EXISTS (SELECT FROM "
    "unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) k LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k "
    "WHERE a.attnotnull IS NOT TRUE))";

// Each wanted table and, for a root, its leaves: everything about one physical table in one row.
std::string physical_sql(const std::string& oids) {
  return "SELECT w.root, c.oid, n.nspname, c.relname, c.relkind, c.relreplident, c.oid <> w.root AS leaf, "
         "quote_ident(n.nspname) || '.' || quote_ident(c.relname), " +
         std::string(kIdentityColumns) +
         ", greatest(c.reltuples, 0)::bigint, CASE WHEN c.relkind = 'r' THEN COALESCE(pg_relation_size(c.oid), 0) / "
         "current_setting('block_size')::bigint ELSE 0 END, pg_has_role(c.relowner, 'USAGE'), "
         "has_schema_privilege(n.oid, 'USAGE') AND NOT row_security_active(c.oid), pg_relation_filenode(c.oid), " +
         std::string(kCandidates) + " FROM (SELECT o AS root, o AS oid FROM unnest(" + oids +
         ") o UNION SELECT o, t.relid FROM unnest(" + oids +
         ") o CROSS JOIN LATERAL pg_partition_tree(o::oid::regclass) t WHERE t.isleaf) w "
         "JOIN pg_class c ON c.oid = w.oid JOIN pg_namespace n ON n.oid = c.relnamespace "
         "WHERE c.relkind IN ('r', 'p') ORDER BY w.root, leaf, n.nspname, c.relname";
}

// `readable` counts for a root's leaves too, where it is read. It asks by number, because a column that is dropped at
// this moment has no answer then, and by name would be an error.
std::string columns_sql(const std::string& oids) {
  return "SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attgenerated <> '', "
         "COALESCE(a.attname = ANY (" +
         std::string(kIdentityColumns) +
         "::name[]), false), EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = "
         "ANY "
         "(i.indkey::int2[])), "
         "(SELECT bool_and(has_column_privilege(t.relid, l.attnum, 'SELECT')) FROM (SELECT c.oid AS relid "
         "WHERE c.relkind = 'r' UNION SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf) t JOIN pg_attribute l "
         "ON "
         "l.attrelid = t.relid AND l.attname = a.attname), a.attnum, a.xmin "
         "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped "
         "AND a.attrelid = ANY (" +
         oids + ") ORDER BY a.attrelid, a.attnum";
}

// A row filter has no effect where the publication carries the table's whole schema as well.
std::string published_sql(const std::string& oids, const std::string& publication, int server_version) {
  if (server_version < 150000) return "SELECT NULL WHERE false";
  return "SELECT r.prrelid, CASE WHEN EXISTS (SELECT FROM pg_publication_namespace s WHERE s.pnpubid = p.oid AND "
         "s.pnnspid = c.relnamespace) THEN NULL ELSE pg_get_expr(r.prqual, r.prrelid) END, a.attname "
         "FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid "
         "LEFT JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[]) "
         "WHERE NOT p.puballtables AND p.pubname = " +
         quote_literal(publication) + " AND r.prrelid = ANY (" + oids + ") ORDER BY r.prrelid, a.attnum";
}

Oid to_oid(const std::string& text) { return static_cast<Oid>(std::stoul(text)); }

bool is_true(const Result& result, std::size_t row, std::size_t column) { return result.text(row, column) == "t"; }

using Tables = std::map<Oid, TableInfo>;

std::vector<IdentityIndex> candidates_in(std::string_view text) {
  std::vector<IdentityIndex> candidates;
  std::string word;
  std::vector<std::string> words;
  for (const char byte : text) {
    if (byte != '\x1e' && byte != '\x1f') {
      word += byte;
      continue;
    }
    words.push_back(std::exchange(word, {}));
    if (byte == '\x1f') continue;
    candidates.push_back({words.front(), {words.begin() + 1, words.end()}});
    words.clear();
  }
  return candidates;
}

// A leaf that identifies its rows in another way than its root would make the stream's old rows lie.
void add_leaf(TableInfo& table, const std::string& root_identity, const Result& rows, std::size_t row) {
  table.leaves.push_back(rows.text(row, 7));
  table.usable_identity = table.usable_identity && rows.text(row, 8) == root_identity &&
                          rows.text(row, 5)[0] == static_cast<char>(table.identity);
  table.estimated_rows += std::stoll(rows.text(row, 9));
  table.pages += std::stoll(rows.text(row, 10));
  table.may_select = table.may_select && is_true(rows, row, 12);
  table.files += rows.text(row, 13) + " ";
}

Tables take_tables(const Result& rows) {
  Tables tables;
  std::string root_identity;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    TableInfo& table = tables[to_oid(rows.text(row, 0))];
    if (is_true(rows, row, 6)) {
      if (table.oid != 0) add_leaf(table, root_identity, rows, row);
      continue;
    }
    root_identity = rows.text(row, 8);
    table.oid = to_oid(rows.text(row, 1));
    table.schema = rows.text(row, 2);
    table.name = rows.text(row, 3);
    table.partitioned = rows.text(row, 4) == "p";
    table.identity = static_cast<ReplicaIdentity>(rows.text(row, 5)[0]);
    table.usable_identity = table.identity == ReplicaIdentity::full || !root_identity.empty();
    table.estimated_rows = table.partitioned ? 0 : std::stoll(rows.text(row, 9));
    table.pages = std::stoll(rows.text(row, 10));
    table.owned = is_true(rows, row, 11);
    table.may_select = is_true(rows, row, 12);
    table.files = rows.text(row, 13) + " ";
    table.candidates = candidates_in(rows.text(row, 14));
  }
  return tables;
}

void take_columns(const Result& rows, Tables& tables, std::map<Oid, std::vector<std::string>>& unreadable) {
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const Oid oid = to_oid(rows.text(row, 0));
    const auto found = tables.find(oid);
    if (found == tables.end()) continue;
    TableInfo& table = found->second;
    const bool generated = is_true(rows, row, 4);
    table.columns.push_back({.name = rows.text(row, 1),
                             .type_oid = to_oid(rows.text(row, 2)),
                             .type_modifier = std::stoi(rows.text(row, 3)),
                             .identity = table.identity == ReplicaIdentity::full ? !generated : is_true(rows, row, 5),
                             .primary = is_true(rows, row, 6),
                             .generated = generated,
                             .number = std::stoi(rows.text(row, 8)),
                             .defined_by = rows.text(row, 9)});
    if (rows.text(row, 7) == "f" && !generated) unreadable[oid].push_back(rows.text(row, 1));
  }
}

void take_published(const Result& rows, Tables& tables) {
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const auto found = tables.find(to_oid(rows.text(row, 0)));
    if (found == tables.end()) continue;
    found->second.row_filter = rows.text(row, 1);
    if (rows.at(row, 2)) found->second.published_columns.push_back(rows.text(row, 2));
  }
}

bool publishes(const TableInfo& table, const std::string& column) {
  const auto& listed = table.published_columns;
  return listed.empty() || std::find(listed.begin(), listed.end(), column) != listed.end();
}

}  // namespace

event::Task<std::vector<TableInfo>> find_tables(Connection& connection, std::string publication,
                                                std::function<bool(std::string_view, std::string_view)> wants) {
  std::string what = "read the catalogue";
  auto naming = connection.query(kNamesSql, what);
  const Result names = co_await std::move(naming);
  std::string list;
  for (std::size_t row = 0; row < names.rows(); ++row) {
    if (wants(names.text(row, 1), names.text(row, 2))) list += (list.empty() ? "" : ",") + names.text(row, 0);
  }
  if (list.empty()) co_return std::vector<TableInfo>();
  const std::string oids = "'{" + list + "}'::oid[]";
  auto describing = connection.query_all("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + physical_sql(oids) +
                                             "; " + columns_sql(oids) + "; " +
                                             published_sql(oids, publication, connection.server_version()) + "; COMMIT",
                                         what);
  const std::vector<Result> results = co_await std::move(describing);
  Tables tables = take_tables(results.at(1));
  std::map<Oid, std::vector<std::string>> unreadable;
  take_columns(results.at(2), tables, unreadable);
  take_published(results.at(3), tables);
  std::vector<TableInfo> found;
  for (std::size_t row = 0; row < names.rows(); ++row) {  // in the order of the names
    const auto at = tables.find(to_oid(names.text(row, 0)));
    if (at == tables.end() || at->second.oid == 0) continue;
    TableInfo& table = at->second;
    for (const std::string& column : unreadable[at->first]) {
      if (publishes(table, column)) table.may_select = false;
    }
    found.push_back(std::move(table));
  }
  co_return found;
}

}  // namespace walrelay::replication
