// Relations for fuzzed rows: as many columns as asked for, their types in turn all that are decoded from binary.
#pragma once

#include <string>

#include "replication/binary_text.h"
#include "replication/relation.h"

namespace walrelay::fuzz {

inline const replication::TypeCatalog& catalog() {
  static const replication::TypeCatalog catalog;
  return catalog;
}

inline constexpr replication::Oid kTypes[] = {16,   17,   18,   20,   21,   23,   25,   26,   114,  650,  700,
                                              701,  869,  1042, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950,
                                              3802, 1000, 1001, 1007, 1009, 1021, 1041, 1115, 1187, 1231, 3807};

// Column i has the type kTypes[(first + i) % ...]; every second column is of the identity.
inline replication::Relation relation(std::size_t columns, std::size_t first = 0) {
  replication::Relation relation;
  relation.schema = "public";
  relation.name = "fuzzed";
  for (std::size_t i = 0; i < columns; ++i) {
    replication::RelationColumn column;
    column.name = "c" + std::to_string(i);
    column.type_oid = kTypes[(first + i) % std::size(kTypes)];
    column.type = catalog().find(column.type_oid);
    column.identity = i % 2 == 0;
    relation.columns.push_back(std::move(column));
  }
  return relation;
}

}  // namespace walrelay::fuzz
