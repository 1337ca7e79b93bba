// A row as a JSON object: {"id":1,"name":"Ann","tags":["a","b"]}, one member for each chosen column, NULL as null.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "replication/change.h"
#include "sinks/json_value.h"

namespace walrelay::sinks {

class JsonRow {
 public:
  struct Field {
    std::size_t column = 0;
    std::string name;
    const replication::ColumnType* type = nullptr;  // may be null: not known
  };
  explicit JsonRow(const std::vector<Field>& fields);

  // No chosen column is unchanged.
  [[nodiscard]] bool complete(replication::Row row) const;

  // The row must be complete.
  void append(replication::Row row, std::string& out);
  // Of any row: without the columns that PostgreSQL did not send.
  void append_known(replication::Row row, std::string& out);

 private:
  struct Member {
    std::size_t column;
    std::string before;  // `,"name":`
    const replication::ColumnType* type;
  };
  void append_value(const Member& member, const replication::Value& value, std::string& out);

  std::vector<Member> members_;
  JsonValues values_;
};

}  // namespace walrelay::sinks
