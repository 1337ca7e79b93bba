// The tables that the stream speaks of, each bound to its mapping.
//
//   catalogue (TableInfo) ──describe()──┐
//                                       ├─> Table { relation version, writer, loading }
//   stream (Relation message) ──meet()──┘
//
// A Relation message always replaces what was known. Where it names types or tables that the catalogue has not told
// yet, meet() says so, the pipeline stops the stream, asks, and calls meet() again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "replication/pgoutput.h"
#include "replication/publication.h"
#include "replication/relation.h"
#include "replication/relation_message.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

struct ChangeCounts {
  std::uint64_t inserts = 0, updates = 0, deletes = 0, truncates = 0;
};

struct Table {
  std::unique_ptr<const replication::Relation> relation;  // as the stream sends it now
  std::unique_ptr<sinks::RelationWriter> writer;          // null: no mapping wants it
  bool met = false;                                       // the stream has described it in this session: rows may come
  bool loading = false;       // not every row stands in Redis yet: what an UPDATE leaves out must be read
  bool differs = false;       // the stream's columns are not the catalogue's: it is behind an ALTER TABLE, or ahead
  std::uint64_t read_as = 0;  // while it differs: the version in which it was read since, unless the stream has spoken
  bool inexact = false;       // has a column that only the text format carries
  ChangeCounts counts;
};

class Relations {
 public:
  Relations(sinks::MappingSet& mappings, replication::TypeCatalog& types) : mappings_(mappings), types_(types) {}

  // What the catalogue says now; replaces what it said before. A table that the stream has not named yet is bound to
  // what the catalogue says. Throws sinks::MappingError.
  void describe(const replication::TableInfo& info);

  // False: types or table unknown; describe() first. When the catalogue has been `asked` and does not know them either,
  // they have been dropped since: the message's own word must do.
  [[nodiscard]] bool meet(const replication::pgoutput::RelationMessage& message, bool asked);

  // Names come in this encoding with the stream; null: in UTF-8, as the catalogue's always are.
  void set_encoding(const replication::Encoding* encoding) { encoding_ = encoding; }

  // A mapping matches the table, but its rows cannot be kept: they pass unnoticed, until it is described again.
  void leave_out(replication::Oid oid) { left_out_.insert(oid); }
  // A mapping names the table itself, and not by a pattern.
  [[nodiscard]] bool named(const replication::TableInfo& info) const;

  // The catalogue does not have it any more.
  void undescribe(replication::Oid oid) { described_.erase(oid); }
  // After all tables were described: those that came under a name that another one had until now are written from here
  // on.
  void rebind();
  // Another table has taken the name: what the stream still says of those that had it before is of no more use.
  void retire_namesakes(const replication::TableInfo& info);
  // As the catalogue describes it; null when it does not.
  [[nodiscard]] const replication::TableInfo* described(replication::Oid oid) const;

  [[nodiscard]] Table* find(replication::Oid oid);  // null: the stream has not named it
  [[nodiscard]] Table* find_written(std::string_view schema,
                                    std::string_view name);  // null: no mapping writes such one
  [[nodiscard]] const std::unordered_map<replication::Oid, std::unique_ptr<Table>>& all() const { return tables_; }
  void set_loading(replication::Oid oid, bool loading);
  // Every row was read, in the shape that the catalogue had. So the stream has passed the ALTER TABLE that made it.
  void was_read(const replication::TableInfo& as);

  // What a comparison may take for the table's shape: the stream's word, or, where the table was read in the
  // catalogue's shape and the stream has said nothing of it since (it speaks only before a row), the catalogue's.
  struct Shape {
    replication::Relation relation;
    std::uint64_t version = 0;
  };
  // Nothing: its columns are changing, or no mapping wants it.
  [[nodiscard]] std::optional<Shape> settled(replication::Oid oid) const;
  [[nodiscard]] std::uint64_t settled_version(replication::Oid oid) const;  // 0: likewise
  [[nodiscard]] bool wants(std::string_view schema, std::string_view name) const {
    return mappings_.wants(schema, name);
  }

  [[nodiscard]] bool purges(const replication::TableInfo& info) const {
    return mappings_.purges(info.schema, info.name);
  }

  // A relation and writer made from the catalogue alone, for reading the table itself.
  struct Bound {
    std::unique_ptr<const replication::Relation> relation;
    std::unique_ptr<sinks::RelationWriter> writer;
  };
  Bound bind(const replication::TableInfo& info);
  // Another writer for a relation that was bound before.
  std::unique_ptr<sinks::RelationWriter> bind_again(const replication::Relation& relation) {
    return mappings_.bind(relation);
  }

  // Called before a table's relation is replaced by another version.
  std::function<void(replication::Oid)> on_replaced;

 private:
  [[nodiscard]] bool has_namesake(const replication::Relation& relation) const;
  [[nodiscard]] bool differs(const replication::Relation& relation) const;
  [[nodiscard]] std::unique_ptr<replication::Relation> complete(
      const replication::pgoutput::RelationMessage& message) const;

  [[nodiscard]] bool keeps(const replication::Relation& relation) const;

  sinks::MappingSet& mappings_;
  replication::TypeCatalog& types_;
  std::unordered_map<replication::Oid, replication::TableInfo> described_;
  std::unordered_map<replication::Oid, std::unique_ptr<Table>> tables_;
  std::unordered_map<replication::Oid, bool> loading_;
  std::set<replication::Oid> left_out_;
  const replication::Encoding* encoding_ = nullptr;
};

// The columns of a table that the stream carries: live, not generated, of the publication's column list.
std::vector<replication::TableInfo::Column> streamed_columns(const replication::TableInfo& info);

// Changes when the columns that the stream carries, their types or the identity change: then rows must be read again.
std::string signature(const replication::TableInfo& info);
// "definition,files". When both parts change the table was rewritten by an ALTER TABLE, of which the stream says
// nothing; when one does it was truncated, vacuumed, or given another default.
std::string rewriting(const replication::TableInfo& info);
bool is_rewritten(std::string_view before, std::string_view now);

}  // namespace walrelay::sidecar
