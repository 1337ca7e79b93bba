// The statements that read documents: the user's own SQL, with ids in the place of $1, $2 ... Pure.
//
// COPY takes no parameters, so literals stand where they stood. A literal without a type is taken for what the place
// asks for, as a parameter is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replication/relation.h"
#include "sinks/document.h"

namespace walrelay::sidecar {

// `sql` with arguments[n - 1] instead of $n, where that is a parameter and no part of a string, a name or a comment.
// One for which there is no argument stays, for PostgreSQL to complain about.
std::string with_arguments(std::string_view sql, const std::vector<std::string>& arguments);
// For ids (each the texts of its columns): one array literal a column.
std::vector<std::string> array_literals(const std::vector<std::vector<std::string>>& ids, std::size_t columns);

// Where names without a schema are found: beside the root, and in public.
std::vector<std::string> search_path(const sinks::DocumentSpec& document);

// Gives the id's columns and the value.
std::string document_sql(const sinks::DocumentSpec& document, const std::vector<std::vector<std::string>>& ids);
// The same for each row of the root that a condition (empty: all) chooses; without a value where the query has no row.
std::string range_sql(const sinks::DocumentSpec& document, const std::string& table, const std::string& where);
// Gives ids. `keys`: the identities of the rows that have changed.
std::string lookup_sql(const sinks::DocumentSource& source, const std::vector<std::vector<std::string>>& keys,
                       std::size_t columns);

// What is wrong with them PostgreSQL says without reading a row: these give the types of their columns.
std::string document_types_sql(const sinks::DocumentSpec& document);
std::string lookup_types_sql(const sinks::DocumentSource& source, std::size_t key_columns, std::size_t id_columns);
std::string lookup_columns_sql(const sinks::DocumentSource& source, std::size_t key_columns);

// The rows of the first two, and of the third.
replication::Relation document_relation(const sinks::DocumentSpec& document, replication::Oid oid);
replication::Relation id_relation(const sinks::DocumentSpec& document, replication::Oid oid);

}  // namespace walrelay::sidecar
