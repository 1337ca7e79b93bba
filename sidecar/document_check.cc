#include "sidecar/document_check.h"

#include <algorithm>
#include <optional>
#include <set>

#include "replication/chunk.h"
#include "sidecar/document_sql.h"

namespace walrelay::sidecar {

using replication::Connection;
using replication::Oid;
using replication::PostgresError;
using replication::Result;
using replication::TableInfo;
using sinks::DocumentSource;
using sinks::DocumentSpec;

namespace {

using Column = TableInfo::Column;
using Tables = std::map<Oid, TableInfo>;

const TableInfo* find_table(const Tables& tables, const std::string& qualified) {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const auto& each) { return each.second.qualified() == qualified; });
  return found == tables.end() ? nullptr : &found->second;
}

const Column* find_column(const TableInfo& table, const std::string& name) {
  const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                  [&name](const Column& column) { return column.name == name; });
  return found == table.columns.end() ? nullptr : &*found;
}

// The same value has the same text in both: an id is known by its text.
bool same_text(Oid a, Oid b) {
  static const std::set<Oid> integers = {20, 21, 23}, texts = {25, 1043};
  const auto both = [a, b](const std::set<Oid>& types) { return types.count(a) != 0 && types.count(b) != 0; };
  return a == b || both(integers) || both(texts);
}

std::string other_type(const std::string& what, const Column& root) {
  return what + " has another type than column \"" + root.name +
         "\" of the table, which the key is made of: give it the same one";
}

// Padding and scale are printed, so they must agree, too.
void compare_link(const DocumentSpec& document, const DocumentSource& source, const TableInfo& root,
                  const TableInfo& table, std::vector<std::string>& mistakes) {
  for (std::size_t i = 0; i < source.columns.size(); ++i) {
    const Column* link = find_column(table, source.columns[i]);
    const Column* own = find_column(root, document.id[i]);
    if (link == nullptr || own == nullptr) continue;  // binding the table says so
    const bool same = link->type_oid == own->type_oid
                          ? link->type_modifier == own->type_modifier || own->type_oid == 1043
                          : same_text(link->type_oid, own->type_oid);
    if (!same) mistakes.push_back(other_type("column \"" + link->name + "\" of table " + table.qualified(), *own));
  }
}

// What it gives, or what PostgreSQL has against it. Names are found as they will be when it is used.
event::Task<std::optional<Result>> attempt(Connection& connection, const DocumentSpec& document, std::string sql,
                                           std::string what, std::vector<std::string>& mistakes) {
  std::optional<Result> found;
  try {
    const std::string statements =
        "BEGIN READ ONLY; " + replication::search_path_sql(search_path(document)) + sql + "; COMMIT";
    auto asking = connection.query_all(statements, what);
    auto results = co_await std::move(asking);
    found = std::move(results.at(2));
  } catch (const PostgresError& error) {
    if (error.lost()) throw;
    mistakes.emplace_back(error.what());
  }
  co_return found;
}

std::vector<Oid> oids_in(const std::optional<Result>& found) {
  std::vector<Oid> types;
  for (std::size_t i = 0; found && i < found->columns().size(); ++i) {
    types.push_back(static_cast<Oid>(std::stoul("0" + found->text(0, i))));
  }
  return types;
}

event::Task<> check_query(Connection& connection, const DocumentSpec& document, const TableInfo& root,
                          std::vector<std::string>& mistakes) {
  auto asking = attempt(connection, document, document_types_sql(document), "query", mistakes);
  const auto types = oids_in(co_await std::move(asking));
  for (std::size_t i = 0; i < document.id.size() && i < types.size(); ++i) {
    const Column* own = find_column(root, document.id[i]);
    if (own != nullptr && !same_text(types[i], own->type_oid)) {
      mistakes.push_back(other_type("query: its column \"" + document.id[i] + "\"", *own));
    }
  }
}

event::Task<> check_lookup(Connection& connection, const DocumentSpec& document, const DocumentSource& source,
                           const TableInfo& root, const TableInfo& table, std::vector<std::string>& mistakes) {
  const bool full = table.identity == replication::ReplicaIdentity::full;
  const auto keys =
      static_cast<std::size_t>(std::count_if(table.columns.begin(), table.columns.end(), [full](const Column& column) {
        return full ? column.primary : column.identity;
      }));
  if (keys == 0) co_return;  // binding the table says so
  const std::string what = "the lookup of table " + table.qualified();
  auto counting = attempt(connection, document, lookup_columns_sql(source, keys), what, mistakes);
  const auto found = co_await std::move(counting);
  if (!found) co_return;
  const std::size_t columns = found->columns().size();
  if (columns != document.id.size()) {
    mistakes.push_back(what + " gives " + std::to_string(columns) + " columns, and the key has " +
                       std::to_string(document.id.size()) + ": give one for each, in its order");
    co_return;
  }
  auto asking = attempt(connection, document, lookup_types_sql(source, keys, columns), what, mistakes);
  const auto types = oids_in(co_await std::move(asking));
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Column* own = find_column(root, document.id[i]);
    if (own != nullptr && !same_text(types[i], own->type_oid)) {
      mistakes.push_back(other_type(what + ": its column " + std::to_string(i + 1), *own));
    }
  }
}

event::Task<> check_document(Connection& connection, const DocumentSpec& document, const Tables& tables,
                             std::vector<std::string>& mistakes) {
  const TableInfo* root = find_table(tables, document.root());
  if (root == nullptr) co_return;  // every mapping's table is asked for elsewhere
  auto checking = check_query(connection, document, *root, mistakes);
  co_await std::move(checking);
  for (const DocumentSource& source : document.sources) {
    const TableInfo* table = find_table(tables, source.qualified());
    if (table == nullptr) {
      mistakes.push_back("tables: table \"" + source.qualified() +
                         "\" does not exist in this database, or the publication does not carry it: create it, or "
                         "correct the name");
    } else if (source.lookup.empty()) {
      compare_link(document, source, *root, *table, mistakes);
    } else {
      auto looking = check_lookup(connection, document, source, *root, *table, mistakes);
      co_await std::move(looking);
    }
  }
}

}  // namespace

event::Task<std::vector<std::string>> document_mistakes(Connection& connection,
                                                        const std::vector<DocumentSpec>& documents, Tables tables) {
  std::vector<std::string> all;
  for (const DocumentSpec& document : documents) {
    std::vector<std::string> mistakes;
    auto checking = check_document(connection, document, tables, mistakes);
    co_await std::move(checking);
    for (const std::string& mistake : mistakes) all.push_back(document.site + ": " + mistake);
  }
  co_return all;
}

}  // namespace walrelay::sidecar
