#include "replication/publication.h"

#include <algorithm>
#include <set>

namespace walrelay::replication {

namespace {

std::string find_publication_sql(const std::string& name, int server_version) {
  const std::string literal = quote_literal(name);
  return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
         "SELECT puballtables, " +
         std::string(server_version >= 130000 ? "pubviaroot" : "false") +
         ", pubinsert, pubupdate, pubdelete, pubtruncate, pg_has_role(pubowner, 'USAGE') FROM pg_publication "
         "WHERE pubname = " +
         literal + "; SELECT schemaname || '.' || tablename FROM pg_publication_tables WHERE pubname = " + literal +
         " ORDER BY schemaname, tablename"
         "; SELECT n.nspname || '.' || c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname) "
         "FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid "
         "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = " +
         literal + " ORDER BY n.nspname, c.relname; COMMIT";
}

bool is_true(const Result& result, std::size_t column) { return result.text(0, column) == "t"; }

// A table as publication commands name it, and as PublicationState does.
struct Wanted {
  std::string qualified;
  std::string sql;
};

// "a.""b".c -> a."b.c, as the publication's own list has it.
std::string unquoted(const std::string& qualified) {
  std::string plain;
  bool quoted = false;
  for (std::size_t i = 0; i < qualified.size(); ++i) {
    if (qualified[i] != '"') {
      plain += qualified[i];
    } else if (quoted && i + 1 < qualified.size() && qualified[i + 1] == '"') {
      plain += qualified[i++];
    } else {
      quoted = !quoted;
    }
  }
  return plain;
}

// ONLY, as tables that inherit are tables of their own.
std::vector<Wanted> wanted_tables(const std::vector<TableInfo>& tables, int server_version) {
  std::vector<Wanted> wanted;
  for (const TableInfo& table : tables) {
    const std::string quoted = quote_identifier(table.schema) + "." + quote_identifier(table.name);
    if (!table.partitioned) {
      wanted.push_back({table.qualified(), "ONLY " + quoted});
    } else if (server_version >= 130000) {
      wanted.push_back({table.qualified(), quoted});
    } else {
      for (const std::string& leaf : table.leaves) wanted.push_back({unquoted(leaf), "ONLY " + leaf});
    }
  }
  return wanted;
}

void append(std::string& list, const std::string& element) { list += (list.empty() ? "" : ", ") + element; }

std::string create_sql(const std::string& name, const std::vector<Wanted>& wanted, int server_version) {
  std::string tables;
  for (const Wanted& table : wanted) append(tables, table.sql);
  return "CREATE PUBLICATION " + quote_identifier(name) + (tables.empty() ? "" : " FOR TABLE " + tables) +
         (server_version >= 130000 ? " WITH (publish_via_partition_root = true)" : "");
}

// Through the root only where it makes a difference: the publication may have other readers.
std::string settings_sql(const PublicationState& found, const std::vector<TableInfo>& tables, int server_version) {
  std::string settings;
  if (!found.inserts || !found.updates || !found.deletes || !found.truncates) {
    append(settings, "publish = 'insert, update, delete, truncate'");
  }
  const bool partitioned = std::any_of(tables.begin(), tables.end(), [](const auto& one) { return one.partitioned; });
  if (partitioned && !found.via_root && server_version >= 130000) {
    append(settings, "publish_via_partition_root = true");
  }
  return settings;
}

}  // namespace

event::Task<std::optional<PublicationState>> find_publication(Connection& connection, std::string name) {
  auto asking = connection.query_all(find_publication_sql(name, connection.server_version()),
                                     "find publication \"" + name + "\"");
  const std::vector<Result> results = co_await std::move(asking);
  const Result& found = results.at(1);
  if (found.empty()) co_return std::nullopt;
  PublicationState state{.name = name,
                         .all_tables = is_true(found, 0),
                         .via_root = is_true(found, 1),
                         .inserts = is_true(found, 2),
                         .updates = is_true(found, 3),
                         .deletes = is_true(found, 4),
                         .truncates = is_true(found, 5),
                         .owned = is_true(found, 6),
                         .tables = {},
                         .members = {}};
  for (std::size_t row = 0; row < results.at(2).rows(); ++row) state.tables.push_back(results.at(2).text(row, 0));
  for (std::size_t row = 0; row < results.at(3).rows(); ++row) {
    state.members.push_back({results.at(3).text(row, 0), results.at(3).text(row, 1)});
  }
  co_return state;
}

std::vector<std::string> publication_sql(const std::string& name, const std::optional<PublicationState>& found,
                                         const std::vector<TableInfo>& tables, int server_version) {
  const std::vector<Wanted> wanted = wanted_tables(tables, server_version);
  if (!found) return {create_sql(name, wanted, server_version)};
  if (found->all_tables) return {};
  std::set<std::string> published(found->tables.begin(), found->tables.end());
  for (const auto& member : found->members) published.insert(member.qualified);
  std::string missing, extra;
  std::set<std::string> names;
  for (const Wanted& table : wanted) {
    names.insert(table.qualified);
    if (!published.contains(table.qualified)) append(missing, table.sql);
  }
  for (const auto& member : found->members) {
    if (!names.contains(member.qualified)) append(extra, "ONLY " + member.quoted);
  }
  const std::string alter = "ALTER PUBLICATION " + quote_identifier(name);
  std::vector<std::string> statements;
  const std::string settings = settings_sql(*found, tables, server_version);
  if (!settings.empty()) statements.push_back(alter + " SET (" + settings + ")");
  if (!missing.empty()) statements.push_back(alter + " ADD TABLE " + missing);
  if (!extra.empty()) statements.push_back(alter + " DROP TABLE " + extra);
  return statements;
}

}  // namespace walrelay::replication
