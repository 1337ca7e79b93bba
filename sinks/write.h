// A kind of write: what one file adds. A Write is one `write:` entry of a mapping, bound to one version of a relation.
//
//   prepare()     keys are made; nothing is appended, so that a row that cannot be written leaves no half behind
//   remove_old()  what only the old row supported, of all writes first: a new key may be another write's old one
//   put()         what the new row says; or
//   replace()     the same for a row read from the table, whatever stood there before; or
//   expect()      what replace() would leave in Redis, to compare it with what stands there
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
#include "sinks/expectation.h"
#include "sinks/key_inverse.h"
#include "sinks/mapping.h"
#include "sinks/template.h"

namespace walrelay::sinks {

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

  [[nodiscard]] virtual OwnedKeys owned() const = 0;
  // As RelationWriter has them.
  virtual bool readings(std::string_view key, std::size_t most, std::vector<KeyReading>& out) const = 0;
  virtual bool append_key(replication::Row row, std::string& out) const = 0;
  [[nodiscard]] virtual const std::vector<std::size_t>& key_columns() const = 0;
  [[nodiscard]] virtual bool identifies_by(std::size_t column) const = 0;  // the key or the member is made of it
};

// All that a kind needs to know to bind a write. Borrowed for the call.
struct BindContext {
  const MappingSpec& mapping;
  const WriteSpec& write;
  const replication::Relation& relation;
  const Captures& captures;
  std::uint32_t number = 0;  // in Batch entries

  // "mapping users, table public.users, hash at walrelay.yaml:12:9"
  [[nodiscard]] std::string site() const;
  [[noreturn]] void fail(const std::string& what) const;                            // MappingError at this site
  [[nodiscard]] const Parameter* find(const std::string& name) const;               // null: not given
  [[nodiscard]] std::chrono::milliseconds duration(const std::string& name) const;  // 0: not given
};

struct Kind {
  KindDescription description;
  bool owns_key = false;  // each row has a Redis key for itself, which no other write of the row may use
  // What is wrong with the parameters together, without the database; empty: nothing. May be null.
  std::string (*mistake)(const WriteSpec& write) = nullptr;
  std::unique_ptr<Write> (*bind)(const BindContext& context) = nullptr;  // throws MappingError
};
const Kind* find_kind(std::string_view name);  // null: there is none

// The common part of the kinds that keep one Redis key for each row.
class KeyedWrite : public Write {
 public:
  explicit KeyedWrite(const BindContext& context);

  bool prepare(replication::Row before, replication::Row now, bool keep_unchanged) final;
  void remove_old(Batch& batch) final;
  void put(Batch& batch) final { put_row(key_, now_, batch); }
  void replace(bool fresh, Batch& batch) final { replace_row(key_, now_, fresh, batch); }
  void expect(std::vector<Expectation>& out) final;
  [[nodiscard]] OwnedKeys owned() const final;
  bool readings(std::string_view key, std::size_t most, std::vector<KeyReading>& out) const final;
  bool append_key(replication::Row row, std::string& out) const final;
  [[nodiscard]] const std::vector<std::size_t>& key_columns() const final { return inverse_.columns(); }
  [[nodiscard]] bool identifies_by(std::size_t column) const final { return template_.uses(column); }

 protected:
  // Whether the row has every column that the value is made of.
  [[nodiscard]] virtual bool complete(replication::Row row) const = 0;
  // Whether put_row() can leave what stands there for columns that are unchanged.
  [[nodiscard]] virtual bool keeps_unchanged() const = 0;
  virtual void put_row(std::string_view key, replication::Row row, Batch& batch) = 0;
  virtual void replace_row(std::string_view key, replication::Row row, bool fresh, Batch& batch) = 0;
  // Fills in what the complete row says must stand under its key: type, value and ttl.
  virtual void expect_row(replication::Row row, Expectation& expected) = 0;

  void unlink(std::string_view key, Batch& batch) const;
  [[nodiscard]] std::uint32_t number() const { return number_; }

 private:
  void make_key(replication::Row row);

  const BoundTemplate template_;
  const KeyInverse inverse_;
  const std::uint32_t number_;
  const std::string site_;
  std::vector<std::string> column_names_;
  std::string key_, old_key_;
  replication::Row now_;
  bool remove_old_ = false;
};

}  // namespace walrelay::sinks
