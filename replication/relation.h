// What a relation looks like at one point of the stream: its columns, their types, and what identifies a row.
//
//   Relation message ──> RelationCache ──> Relation (one object per version; never changed after it was made)
//   pg_type, pg_index ─> TypeCatalog  ──┘   types and primary keys, which the protocol does not send
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace walrelay::replication {

using Oid = std::uint32_t;

enum class TypeKind : std::uint8_t {
  boolean,
  integer,
  floating,
  numeric,
  text,
  bytea,
  json,
  date,
  time,
  timetz,
  timestamp,
  timestamptz,
  interval,
  uuid,
  enumeration,
  array,
  composite,
  other,
};

// A type as far as a sink needs to know it. A domain appears as its base type.
struct ColumnType {
  struct Field;
  Oid oid = 0;
  TypeKind kind = TypeKind::other;
  std::string name;                     // as format_type() prints it
  const ColumnType* element = nullptr;  // array: the type of an element
  char delimiter = ',';                 // array: between elements in the text form (';' for box)
  std::vector<Field> fields;            // composite: its attributes, in order, without dropped ones
};
struct ColumnType::Field {
  std::string name;
  const ColumnType* type = nullptr;
};

// Every type seen so far, by OID; the built-in ones are there from the start. Owns them; pointers stay valid as long
// as the catalog lives, also when a type is replaced by add() (an ALTER TYPE leaves the old version to old relations).
class TypeCatalog {
 public:
  TypeCatalog();
  [[nodiscard]] const ColumnType* find(Oid oid) const;  // null: not known
  const ColumnType* add(ColumnType type);               // replaces what the OID meant
 private:
  std::unordered_map<Oid, const ColumnType*> by_oid_;
  std::vector<std::unique_ptr<ColumnType>> owned_;
};

enum class ReplicaIdentity : char { default_ = 'd', nothing = 'n', full = 'f', index = 'i' };

struct RelationColumn {
  std::string name;
  Oid type_oid = 0;
  std::int32_t type_modifier = -1;
  bool identity = false;             // part of the replica identity (all columns when it is FULL)
  bool primary = false;              // part of the primary key (from the catalogue)
  const ColumnType* type = nullptr;  // from the catalogue; never null once the relation reaches a sink
};

// A unique index that could be the replica identity: of every row, checked at once, of columns that are NOT NULL.
struct IdentityIndex {
  std::string name;
  std::vector<std::string> columns;  // sorted
};

struct Relation {
  Oid oid = 0;
  std::string schema;
  std::string name;
  ReplicaIdentity identity = ReplicaIdentity::default_;
  std::vector<RelationColumn> columns;
  std::vector<IdentityIndex> candidates;  // from the catalogue, to say what mends a mistake
  std::uint64_t version = 0;              // differs for each Relation object of a process

  [[nodiscard]] std::string qualified() const { return schema + "." + name; }  // for people: not quoted
};

}  // namespace walrelay::replication
