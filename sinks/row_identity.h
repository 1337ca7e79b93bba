// The identity of a row as bytes: injective, equal for old and new rows that are the same row.
//
//   [4 bytes: size][text] for each identity column; two sizes that no value has stand for NULL and for "not sent"
//
// Pure. The bytes also name rows in Redis (member_write.h): they must not change from one version of the program to the
// next.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/change.h"

namespace walrelay::sinks {

void append_row_identity(replication::Row row, const std::vector<std::size_t>& columns, std::string& out);

// The text of the next column of what append_row_identity() made, which it takes off; nothing for NULL.
std::optional<std::string_view> next_of_identity(std::string_view& identity);

// For identities of which some columns were absent: a key says only a part of it where a table without a primary key
// has several. `part` is one, `identity` a whole one: they may be of the same row.
bool is_whole_identity(std::string_view part);
bool may_be_same_row(std::string_view part, std::string_view identity);

}  // namespace walrelay::sinks
