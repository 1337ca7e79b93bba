// A kind of write: what one file adds. A Write is one `write:` entry of a mapping, bound to one version of a relation.
//
//   prepare()     keys are made; nothing is appended, so that a row that cannot be written leaves no half behind
//   remove_old()  what only the old row supported, of all writes first: a new key may be another write's old one
//   put()         what the new row says; or
//   replace()     the same for a row read from the table, whatever stood there before; or
//   expect()      what replace() would leave in Redis, to compare it with what stands there
//   hear()        the change itself, made ready with prepare(), and
//   tell()        said once, whatever becomes of the entry: now or when the row was read again
//
//   Write ─┬─ KeyedWrite   one Redis key for each row: hash, string, json           keyed_write.h
//          ├─ MemberWrite  a member of a key that rows share: set, zset, bitmap ... member_write.h
//          ├─ EventWrite   says something of changes and keeps no rows: stream, publish, invalidate  event_write.h
//          └─ document     written by who has read it, and not by rows              document.h
//
// To add a kind: a file kind_<name>.cc with a function that gives its Kind, and its line in kinds.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/change.h"
#include "replication/relation.h"
#include "sinks/batch.h"
#include "sinks/document.h"
#include "sinks/expectation.h"
#include "sinks/expressions.h"
#include "sinks/key_reading.h"
#include "sinks/mapping.h"
#include "sinks/template.h"

namespace walrelay::sinks {

// Rows that a Write is given have the mapping's virtual columns (expressions.h) behind those of the relation.
class Write {
 public:
  virtual ~Write() = default;

  // Either row may be empty: no `before` for an insert, no `now` for a delete. False: the row must be read again before
  // put() may be called. With `keep_unchanged` false what stands in Redis may not be relied on. May throw RowError.
  // Both rows are borrowed until the call after.
  virtual bool prepare(replication::Row before, replication::Row now, bool keep_unchanged) = 0;
  virtual void remove_old(Batch& batch) = 0;
  virtual void put(Batch& batch) = 0;
  virtual void replace(bool fresh, Batch& batch) = 0;
  virtual void expect(std::vector<Expectation>& out) = 0;  // appends one; the row must be complete
  // Where all stands as expect() says, replace() would change nothing, now or later.
  [[nodiscard]] virtual bool comparable() const { return false; }

  // Only events override these. The rows are as complete as what PostgreSQL sent, and borrowed until tell(). May throw
  // RowError.
  [[nodiscard]] virtual bool is_event() const { return false; }
  virtual void hear(const replication::Change&, replication::Row /*before*/, replication::Row /*now*/) {}
  virtual void tell(Batch&) {}
  virtual void tell_truncate(const replication::Change&, Batch&) {}  // of the table; no rows

  [[nodiscard]] virtual OwnedKeys owned() const = 0;
  [[nodiscard]] virtual std::vector<OwnedKeys> truncated() const = 0;
  // As RelationWriter has them.
  virtual bool readings(std::string_view place, std::size_t most, std::vector<KeyReading>& out) const = 0;
  // Row with its virtual columns; `only_there`: none where `when` is not true.
  virtual bool append_place(replication::Row row, bool only_there, std::string& out) const = 0;
  [[nodiscard]] virtual const std::vector<std::size_t>& place_columns() const = 0;
  [[nodiscard]] virtual const std::vector<std::size_t>& reading_columns() const = 0;
  virtual void remove_ghost(std::string_view place, Batch& batch) const = 0;
  [[nodiscard]] virtual bool identifies_by(std::size_t column) const = 0;  // the key or the member is made of it
  [[nodiscard]] virtual DocumentValue* document() { return nullptr; }      // null: it is of another kind
};

// All that a kind needs to know to bind a write. Borrowed for the call.
struct BindContext {
  const MappingSpec& mapping;
  const WriteSpec& write;
  const replication::Relation& relation;
  const Captures& captures;
  Expressions& expressions;                            // of the mapping
  const std::string& state;                            // begins the names of keys that are walrelay's own
  std::uint32_t number = 0;                            // in Batch entries
  JsonDocuments json_documents = JsonDocuments::none;  // of the server
  // Which of its table's writes of this kind it is, and how many of them a table may have.
  std::uint32_t ordinal = 0, ordinals = 1;

  // "mapping users, table public.users, hash at walrelay.yaml:12:9"
  [[nodiscard]] std::string site() const;
  [[noreturn]] void fail(const std::string& what) const;                            // MappingError at this site
  [[nodiscard]] const Parameter* find(const std::string& name) const;               // null: not given
  [[nodiscard]] std::chrono::milliseconds duration(const std::string& name) const;  // 0: not given
  [[nodiscard]] bool flag(const std::string& name) const;                           // false: not given

  // These throw MappingError. The template of a parameter that is given; the column of one that is an expression.
  [[nodiscard]] BoundTemplate bind(const std::string& parameter) const;
  [[nodiscard]] std::optional<std::size_t> expression(const std::string& parameter) const;  // nothing: not given
  [[nodiscard]] std::size_t compile(const std::string& parameter, const std::string& text) const;

  // Of a real column or a virtual one.
  [[nodiscard]] const replication::ColumnType* type_of(std::size_t column) const;  // null: not known
  [[nodiscard]] std::string name_of(std::size_t column) const;  // "column size", "expression \"a + 1\""
  // The columns of the relation that these are made of, ascending, each once.
  [[nodiscard]] std::vector<std::size_t> reads(const std::vector<std::size_t>& columns) const;
  [[nodiscard]] std::vector<std::size_t> reads(const BoundTemplate& text) const;
};

struct Kind {
  KindDescription description;
  bool owns_key = false;  // each row has a Redis key for itself, which no other write of the row may use
  // What is wrong with the parameters together, without the database; empty: nothing. May be null.
  std::string (*mistake)(const WriteSpec& write) = nullptr;
  std::unique_ptr<Write> (*bind)(const BindContext& context) = nullptr;  // throws MappingError
  bool shares_keys = false;                                              // many rows are members of one key
};
const Kind* find_kind(std::string_view name);  // null: there is none

// Whether a row says that its entry is there: the parameter `when`.
enum class Presence : std::uint8_t { no, yes, unknown };
class Condition {
 public:
  explicit Condition(const BindContext& context);
  // Unknown: a column that it needs was not sent. NULL is no.
  [[nodiscard]] Presence of(replication::Row row) const;
  [[nodiscard]] const std::optional<std::size_t>& column() const { return column_; }

 private:
  std::optional<std::size_t> column_;
};

// The columns and those that the condition reads, ascending, each once.
std::vector<std::size_t> with_condition(const BindContext& context, std::vector<std::size_t> columns,
                                        const Condition& when);

}  // namespace walrelay::sinks
