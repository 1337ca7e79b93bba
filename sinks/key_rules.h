// Which columns a key must and may be made of, so that each row has its own key and a DELETE can name it.
//
//   replica identity        identifies a row                  a DELETE carries
//   DEFAULT, USING INDEX    the columns of the identity       those
//   FULL                    the primary key; none: any        every column
//   NOTHING, DEFAULT        nothing: not mapped               nothing
//     without primary key
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "replication/relation.h"
#include "sinks/template.h"
#include "sinks/write.h"

namespace walrelay::sinks {

// The columns that tell rows apart; empty under FULL without a primary key, where only the mapping can say.
std::vector<std::size_t> identity_columns(const replication::Relation& relation);

// Throws MappingError where the table's replica identity is not what the mapping says that it is.
void check_identity(const MappingSpec& mapping, const replication::Relation& relation);

// The key template of the write, bound and checked; without the parameter `key` the default one: the identity's
// columns, encoded, behind the table's name. Throws MappingError.
BoundTemplate bind_key(const BindContext& context);

// The key, or the key and the member, of a write whose rows share keys read these columns. Throws MappingError where a
// DELETE does not say where the row stood, and nobody keeps it.
void check_member_rules(const BindContext& context, const std::vector<std::size_t>& reads, bool tracked);
// Several rows can support one member: a column of the identity is not among these. What the mapping says wins.
bool are_shared(const BindContext& context, const std::vector<std::size_t>& reads);

// Names of keys in which a write keeps what it must know of rows. They stay the same as long as the mapping's name and
// the write's templates do.
std::string track_key(const BindContext& context);       // walrelay:{slot}:track:<write>:<schema>.<table>
std::string support_prefix(const BindContext& context);  // walrelay:{slot}:support:<write>:
OwnedKeys exactly(const std::string& state_key);

// "schema"."table" as SQL needs it.
std::string quoted(const replication::Relation& relation);

}  // namespace walrelay::sinks
