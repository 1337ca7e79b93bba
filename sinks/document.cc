#include "sinks/document.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "sinks/key_rules.h"
#include "sinks/nearest_name.h"
#include "sinks/template.h"

namespace walrelay::sinks {

using replication::Relation;
using replication::ReplicaIdentity;

namespace {

constexpr std::size_t kMostDirty = 250000;
constexpr const char* kSpace = " \t\r\n";

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

// The SQL without the semicolon that may end it: it is read as a part of another statement.
std::string statement(std::string_view text) {
  std::string sql = trimmed(text);
  while (sql.ends_with(';')) sql = trimmed(std::string_view(sql).substr(0, sql.size() - 1));
  return sql;
}

// A query begins with one of SQL's words and goes on; anything else names columns.
bool is_query(const std::string& text) {
  if (text.starts_with('(')) return true;
  const std::size_t end = text.find_first_of(std::string(kSpace) + "(");
  if (end == std::string::npos) return false;
  std::string word = text.substr(0, end);
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word == "select" || word == "with" || word == "values" || word == "table";
}

std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    names.push_back(trimmed(std::string_view(list).substr(at, comma - at)));
    at = comma + 1;
  }
  return names;
}

std::vector<std::string> id_of(const std::string& key) {
  std::vector<std::string> id;
  for (const TemplatePart& part : parse_template(key).parts) {
    const bool built_in = part.name == "schema" || part.name == "table";
    if (!built_in && std::find(id.begin(), id.end(), part.name) == id.end()) id.push_back(part.name);
  }
  return id;
}

std::string text_of(const WriteSpec& write, const std::string& parameter) {
  const auto found = write.parameters.find(parameter);
  return found == write.parameters.end() ? "" : found->second.text;
}

DocumentSource source_of(const std::string& table, const std::string& path, std::size_t id_size,
                         std::vector<std::string>& mistakes) {
  DocumentSource source;
  std::tie(source.schema, source.table) = schema_and_table(table);
  const std::string text = statement(path);
  if (is_query(text)) {
    source.lookup = text;
    return source;
  }
  source.columns = names_in(text);
  if (source.columns.size() != id_size) {
    mistakes.push_back("tables: " + table + ": \"" + text + "\" names " + std::to_string(source.columns.size()) +
                       " columns, and the key has " + std::to_string(id_size) +
                       "; give one for each column of the key, in its order, or a SELECT that finds them");
  }
  return source;
}

[[noreturn]] void fail(const DocumentSpec& document, const Relation& relation, const std::string& what) {
  throw MappingError(document.site + ", table " + relation.qualified() + ": " + what);
}

std::size_t column_of(const DocumentSpec& document, const Relation& relation, const std::string& name) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].name == name) return i;
    known.push_back(relation.columns[i].name);
  }
  fail(document, relation, "there is no column \"" + name + "\"" + did_you_mean(name, known));
}

// A row that moves to another document, or goes, must say which one it was of.
void check_link(const DocumentSpec& document, const Relation& relation, const std::vector<std::size_t>& columns) {
  if (relation.identity == ReplicaIdentity::full) return;
  std::string outside;
  for (const std::size_t column : columns) {
    const auto& each = relation.columns[column];
    if (!each.identity) outside += (outside.empty() ? "" : ", ") + each.name;
  }
  if (outside.empty()) return;
  fail(document, relation,
       "the column " + outside +
           " says to which document a row belongs, and stands outside the table's replica identity, so that a DELETE "
           "does not carry it; mend it with ALTER TABLE " +
           quoted(relation) + " REPLICA IDENTITY FULL; or with a unique index that contains it and ALTER TABLE " +
           quoted(relation) + " REPLICA IDENTITY USING INDEX ...;");
}

DocumentPath path_of(const DocumentSpec& document, const DocumentSource& source, const Relation& relation) {
  DocumentPath path;
  path.lookup = !source.lookup.empty();
  if (path.lookup) {
    path.columns = identity_columns(relation);
    if (path.columns.empty()) {
      fail(document, relation,
           "a lookup asks by the changed row's key, and the table has none; mend it with ALTER TABLE " +
               quoted(relation) + " ADD PRIMARY KEY (...);");
    }
    return path;
  }
  for (const std::string& name : source.columns) path.columns.push_back(column_of(document, relation, name));
  check_link(document, relation, path.columns);
  return path;
}

}  // namespace

std::pair<std::string, std::string> schema_and_table(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {"public", std::string(name)};
  return {std::string(name.substr(0, dot)), std::string(name.substr(dot + 1))};
}

DocumentSpec document_spec(const MappingSpec& mapping, std::size_t write, std::vector<std::string>& mistakes) {
  const WriteSpec& from = mapping.writes[write];
  DocumentSpec document;
  document.mapping = mapping.name;
  document.on_poison = mapping.on_poison;
  document.name = write == 0 ? mapping.name : mapping.name + "/" + std::to_string(write);
  document.site = "mapping " + mapping.name + ", document" + (from.where.empty() ? "" : " at " + from.where);
  document.write = write;
  std::tie(document.schema, document.table) = schema_and_table(mapping.table);
  if (mapping.table.empty()) mistakes.emplace_back("a document has one root: give the mapping a table, and no tables");
  try {
    document.id = id_of(text_of(from, "key"));
  } catch (const std::invalid_argument&) {
    return document;  // somebody else says so
  }
  document.query = statement(text_of(from, "query"));
  if (document.query.find("$1") == std::string::npos) {
    mistakes.emplace_back("query: it must ask for the documents that $1 names, as in WHERE id = ANY ($1)");
  }
  const auto most = from.parameters.find("max_dirty");
  document.most = most == from.parameters.end() ? kMostDirty : static_cast<std::size_t>(most->second.number);
  const auto tables = from.parameters.find("tables");
  if (tables == from.parameters.end()) return document;
  for (const auto& [table, path] : tables->second.rename) {
    document.sources.push_back(source_of(table, path, document.id.size(), mistakes));
  }
  return document;
}

std::vector<DocumentPath> document_paths(const DocumentSpec& document, std::size_t number, const Relation& relation) {
  std::vector<DocumentPath> paths;
  if (relation.schema == document.schema && relation.name == document.table) {
    DocumentPath own;
    own.document = number;
    for (const std::string& name : document.id) own.columns.push_back(column_of(document, relation, name));
    paths.push_back(std::move(own));
  }
  for (std::size_t i = 0; i < document.sources.size(); ++i) {
    const DocumentSource& source = document.sources[i];
    if (relation.schema != source.schema || relation.name != source.table) continue;
    DocumentPath path = path_of(document, source, relation);
    path.document = number;
    path.source = i;
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace walrelay::sinks
