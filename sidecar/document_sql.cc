#include "sidecar/document_sql.h"

#include <algorithm>
#include <cctype>

#include "replication/connection.h"

namespace walrelay::sidecar {

using replication::quote_identifier;
using replication::quote_literal;
using sinks::DocumentSource;
using sinks::DocumentSpec;

namespace {

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 128;
}

std::size_t past(std::string_view sql, std::string_view what, std::size_t from) {
  const std::size_t at = sql.find(what, from);
  return at == std::string_view::npos ? sql.size() : at + what.size();
}

// Behind the string or the name that begins at `at`.
std::size_t past_quoted(std::string_view sql, std::size_t at) {
  const char quote = sql[at];
  const bool escapes =
      quote == '\'' && at > 0 && (sql[at - 1] == 'E' || sql[at - 1] == 'e') && (at == 1 || !is_name(sql[at - 2]));
  for (std::size_t i = at + 1; i < sql.size(); ++i) {
    if (escapes && sql[i] == '\\') {
      ++i;
    } else if (sql[i] == quote && i + 1 < sql.size() && sql[i + 1] == quote) {
      ++i;
    } else if (sql[i] == quote) {
      return i + 1;
    }
  }
  return sql.size();
}

std::size_t past_comment(std::string_view sql, std::size_t at) {
  if (sql[at] == '-') return past(sql, "\n", at);
  std::size_t depth = 1;
  std::size_t i = at + 2;
  for (; i < sql.size() && depth > 0; ++i) {
    if (sql.substr(i, 2) == "/*") {
      ++depth;
      ++i;
    } else if (sql.substr(i, 2) == "*/") {
      --depth;
      ++i;
    }
  }
  return i;
}

// Behind $tag$ ... $tag$, which begins at `at`; or `at`, where none begins.
std::size_t past_dollars(std::string_view sql, std::size_t at) {
  std::size_t end = at + 1;
  while (end < sql.size() && is_name(sql[end]) && sql[end] != '$') ++end;
  if (end >= sql.size() || sql[end] != '$') return at;
  return past(sql, sql.substr(at, end + 1 - at), end + 1);
}

std::string names(const DocumentSpec& document, const std::string& of) {
  std::string list;
  for (const std::string& column : document.id) {
    list += (list.empty() ? "" : ", ") + of + quote_identifier(column);
  }
  return list;
}

// A comment at the end of what the user wrote must not take ours with it.
std::string as_table(const std::string& sql) { return "(" + sql + "\n) AS q"; }

// One array of the texts, as an untyped literal.
std::string array_literal(const std::vector<std::vector<std::string>>& ids, std::size_t column) {
  std::string text = "{";
  for (const auto& id : ids) {
    text += text.size() == 1 ? "\"" : ",\"";
    for (const char c : id[column]) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return quote_literal(text + "}");
}

}  // namespace

std::string with_arguments(std::string_view sql, const std::vector<std::string>& arguments) {
  std::string out;
  for (std::size_t at = 0; at < sql.size();) {
    std::size_t end = at + 1;
    const char c = sql[at];
    if (c == '\'' || c == '"') {
      end = past_quoted(sql, at);
    } else if (sql.substr(at, 2) == "--" || sql.substr(at, 2) == "/*") {
      end = past_comment(sql, at);
    } else if (c == '$' && at + 1 < sql.size() && std::isdigit(static_cast<unsigned char>(sql[at + 1])) != 0) {
      while (end < sql.size() && std::isdigit(static_cast<unsigned char>(sql[end])) != 0) ++end;
      const std::size_t number = end - at > 4 ? 0 : std::stoul(std::string(sql.substr(at + 1, end - at - 1)));
      if (number >= 1 && number <= arguments.size()) {
        out += arguments[number - 1];
        at = end;
        continue;
      }
    } else if (c == '$') {
      end = std::max(end, past_dollars(sql, at));
    } else if (is_name(c)) {
      while (end < sql.size() && is_name(sql[end])) ++end;
    }
    out += sql.substr(at, end - at);
    at = end;
  }
  return out;
}

std::vector<std::string> array_literals(const std::vector<std::vector<std::string>>& ids, std::size_t columns) {
  std::vector<std::string> literals;
  for (std::size_t i = 0; i < columns; ++i) literals.push_back(array_literal(ids, i));
  return literals;
}

std::vector<std::string> search_path(const DocumentSpec& document) {
  if (document.schema == "public") return {"public"};
  return {document.schema, "public"};
}

std::string document_sql(const DocumentSpec& document, const std::vector<std::vector<std::string>>& ids) {
  return "SELECT " + names(document, "q.") + ", q.\"value\" FROM " +
         as_table(with_arguments(document.query, array_literals(ids, document.id.size())));
}

std::string range_sql(const DocumentSpec& document, const std::string& table, const std::string& where) {
  const std::string chosen = " FROM " + table + (where.empty() ? "" : " WHERE " + where);
  std::vector<std::string> arrays;
  std::string same;
  for (const std::string& column : document.id) {
    const std::string name = quote_identifier(column);
    arrays.push_back("(ARRAY(SELECT " + name + chosen + " ORDER BY " + names(document, "") + "))");
    same += (same.empty() ? "" : " AND ") + ("q." + name) + " = r." + name;
  }
  return "SELECT " + names(document, "r.") + ", q.\"value\" FROM (SELECT " + names(document, "") + chosen +
         ") AS r LEFT JOIN " + as_table(with_arguments(document.query, arrays)) + " ON " + same;
}

std::string lookup_sql(const DocumentSource& source, const std::vector<std::vector<std::string>>& keys,
                       std::size_t columns) {
  return "SELECT DISTINCT * FROM " + as_table(with_arguments(source.lookup, array_literals(keys, columns)));
}

namespace {

std::string type_of(const std::string& column, const std::string& table) {
  return "pg_catalog.pg_typeof((SELECT q." + column + " FROM " + table + " LIMIT 0))::pg_catalog.oid";
}

}  // namespace

std::string document_types_sql(const DocumentSpec& document) {
  const std::string table = as_table(with_arguments(document.query, array_literals({}, document.id.size())));
  std::string types;
  for (const std::string& column : document.id) types += type_of(quote_identifier(column), table) + ", ";
  return "SELECT " + types + type_of("\"value\"", table);
}

std::string lookup_columns_sql(const DocumentSource& source, std::size_t key_columns) {
  return "SELECT * FROM " + as_table(with_arguments(source.lookup, array_literals({}, key_columns))) + " LIMIT 0";
}

std::string lookup_types_sql(const DocumentSource& source, std::size_t key_columns, std::size_t id_columns) {
  std::string aliases, types;
  for (std::size_t i = 0; i < id_columns; ++i) aliases += (i == 0 ? "c" : ", c") + std::to_string(i);
  const std::string table =
      as_table(with_arguments(source.lookup, array_literals({}, key_columns))) + "(" + aliases + ")";
  for (std::size_t i = 0; i < id_columns; ++i) types += (i == 0 ? "" : ", ") + type_of("c" + std::to_string(i), table);
  return "SELECT " + types;
}

replication::Relation id_relation(const DocumentSpec& document, replication::Oid oid) {
  replication::Relation relation;
  relation.oid = oid;
  relation.schema = document.schema;
  relation.name = document.table;
  for (const std::string& column : document.id) relation.columns.push_back({column});
  return relation;
}

replication::Relation document_relation(const DocumentSpec& document, replication::Oid oid) {
  replication::Relation relation = id_relation(document, oid);
  relation.columns.push_back({"value"});
  return relation;
}

}  // namespace walrelay::sidecar
