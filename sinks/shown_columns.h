// Which columns of a row a note of it may show (dead_letter.h): those that the table's writes read, so that one sees
// why the row cannot be written, and those that identify it. What a write excludes, such as a password's hash, is in no
// note.
#pragma once

#include <vector>

#include "sinks/write.h"

namespace walrelay::sinks {

class ShownColumns {
 public:
  // The relation is borrowed for the object's life.
  explicit ShownColumns(const replication::Relation& relation);

  // Another write of the table; after its kind has bound it, so that its parameters are known to be right.
  void add(const BindContext& bound);

  [[nodiscard]] std::vector<std::size_t> columns() const;  // ascending

 private:
  void show(const std::vector<std::size_t>& columns);
  void add_content(const BindContext& context);

  const replication::Relation& relation_;
  std::vector<bool> read_, excluded_;
};

}  // namespace walrelay::sinks
