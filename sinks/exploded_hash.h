// A whole hash made of the elements of a JSON object or array: explode: {column, field, value, where}.
//
//   {"Heartbeat": {"Value": "60"}, "Interval": {"Value": "30"}}     field: key, value: value->>'Value'
//     ──one expression, as SQLite's json_each() sees them──>  [["Heartbeat","60"],["Interval","30"]]
//     ──>  UNLINK key, HSET key Heartbeat 60 Interval 30      in one step: no stale field survives, no reader sees less
//
// field, value and where are expressions over key, value, type and atom of an element, and the row's columns, lets and
// captures. An element whose value is NULL has no field; of elements with one name the last counts. Without an element
// there is no key.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sinks/hash_write.h"

namespace walrelay::sinks {

class ExplodedHash final : public HashWrite {
 public:
  explicit ExplodedHash(const BindContext& context);  // throws MappingError

 protected:
  [[nodiscard]] bool complete(replication::Row row) const override;
  [[nodiscard]] bool keeps_unchanged(replication::Row before, replication::Row now) const override;
  [[nodiscard]] bool has_fixed_fields() const override { return false; }
  void prepare_row(replication::Row row) override;
  void list(replication::Row row, std::vector<Field>& out) override;

 private:
  const std::size_t column_;  // virtual: the pairs
  // The columns that the fields are made of, but for those that an UPDATE without an old row has not changed.
  std::vector<std::size_t> changeable_;
  std::vector<std::pair<std::string, std::string>> pairs_;  // of the row that was prepared
};

}  // namespace walrelay::sinks
