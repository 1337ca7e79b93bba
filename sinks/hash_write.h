// The common part of writes that keep a whole hash for each row.
//
//   every field known       HSET key f v ...  [HDEL key f ...]  [PEXPIRE key ms]      whole
//   some unchanged          the same without those fields                             partial
//   no field                UNLINK key: Redis has no empty hashes                     remove
//   replaced                UNLINK key, then HSET: no stale field survives            remove, then whole
//     where nothing stands  HSET alone                                                whole; where fields are gone partial
//   if_cached, on_change    a script (conditional_write.h), which replaces            whole, or partial
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/keyed_write.h"

namespace walrelay::sinks {

class HashWrite : public KeyedWrite {
 public:
  explicit HashWrite(const BindContext& context) : KeyedWrite(context) {}

 protected:
  // One field that the write sets or removes.
  struct Field {
    std::string_view name;
    std::string_view rendered;  // the name as a bulk string; empty: not made
    bool there = true;          // else it is removed
    std::string_view value;
  };
  // What the row says of the write's fields, without those that are unchanged. Borrowed until the next call.
  virtual void list(replication::Row row, std::vector<Field>& out) = 0;
  // The write has always the same fields, so that those to remove are known. Otherwise a row is put as it is replaced, or
  // not at all where something is unchanged.
  [[nodiscard]] virtual bool has_fixed_fields() const = 0;

  void put_row(std::string_view key, replication::Row row, Batch& batch) final;
  void replace_row(std::string_view key, replication::Row row, bool fresh, Batch& batch) final;
  void expect_row(replication::Row row, Expectation& expected) final;

 private:
  void take_stock(replication::Row row);
  void put_conditionally(std::string_view key, bool whole, Batch& batch) const;
  void set_fields(std::string_view key, Batch& batch) const;
  void delete_fields(std::string_view key, Batch& batch) const;
  void append_pairs(Batch& batch) const;
  void append_gone(Batch& batch) const;

  std::vector<Field> fields_;  // of the last row
  std::size_t there_ = 0, gone_ = 0;
};

// The scripts of hashes; made once.
void make_hash_scripts();

}  // namespace walrelay::sinks
