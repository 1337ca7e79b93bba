// Relations and rows for the tests, written shortly.
//
//   Table users("public.users", {"id:integer:key", "name:text", "payload:jsonb"});
//   users.insert({"1", "Ann", null})      users.update({"1", "Ann", unchanged})
#pragma once

#include <deque>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "replication/change.h"
#include "replication/relation.h"

namespace walrelay::sinks::testing {

using replication::Change;
using replication::Operation;
using replication::ReplicaIdentity;
using replication::Row;
using replication::Value;
using replication::ValueState;

// One cell of a row: a text, or one of the three states.
struct Cell {
  Cell(const char* text) : value{ValueState::text, text} {}         // NOLINT: rows are written as literals
  Cell(const std::string& text) : value{ValueState::text, text} {}  // NOLINT
  Cell(std::string_view text) : value{ValueState::text, text} {}    // NOLINT
  explicit Cell(ValueState state) : value{state, {}} {}
  Value value;
};
inline const Cell null{ValueState::null};
inline const Cell unchanged{ValueState::unchanged};
inline const Cell absent{ValueState::absent};

using Cells = std::vector<Cell>;

class Table {
 public:
  // A column is "name:type" or "name:type:key"; keys are the primary key and the replica identity.
  Table(const std::string& qualified, const std::vector<std::string>& columns) {
    const std::size_t dot = qualified.find('.');
    relation.schema = qualified.substr(0, dot);
    relation.name = qualified.substr(dot + 1);
    for (const std::string& text : columns) {
      const std::size_t first = text.find(':'), second = text.find(':', first + 1);
      replication::RelationColumn column;
      column.name = text.substr(0, first);
      column.type = type(text.substr(first + 1, second - first - 1));
      column.identity = column.primary = second != std::string::npos;
      relation.columns.push_back(column);
    }
  }

  Table& full() {
    relation.identity = ReplicaIdentity::full;
    for (auto& column : relation.columns) column.identity = true;
    return *this;
  }

  Change insert(Cells now) { return change(Operation::insert, std::move(now), {}); }
  Change update(Cells now, Cells old = {}) { return change(Operation::update, std::move(now), std::move(old)); }
  Change remove(Cells old) { return change(Operation::remove, {}, std::move(old)); }

  // Rows live as long as the table; the texts of the cells are the caller's.
  Row row(const Cells& cells) {
    if (cells.empty()) return {};
    if (cells.size() != relation.columns.size()) throw std::logic_error("a row of another width");
    auto& values = rows_.emplace_back();
    for (const Cell& cell : cells) values.push_back(cell.value);
    return values;
  }

  static const replication::ColumnType* type(const std::string& name) {
    static replication::TypeCatalog catalog;
    for (replication::Oid oid = 16; oid < 4000; ++oid) {
      const auto* found = catalog.find(oid);
      if (found != nullptr && (found->name == name)) return found;
    }
    throw std::logic_error("no type " + name);
  }

  replication::Relation relation;

 private:
  Change change(Operation operation, Cells now, Cells old) {
    return {operation, &relation, row(now), row(old), relation.identity == ReplicaIdentity::full && !old.empty()};
  }

  std::deque<std::vector<Value>> rows_;
};

}  // namespace walrelay::sinks::testing
