// A row as a JSON object: {"id":1,"name":"Ann","tags":["a","b"]}, one member for each chosen column, NULL as null.
//
// A let whose value is a number is a number, any other a string.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/change.h"
#include "sinks/json_value.h"
#include "sinks/write.h"

namespace walrelay::sinks {

class JsonRow {
 public:
  struct Field {
    std::size_t column = 0;
    std::string name;
    const replication::ColumnType* type = nullptr;  // may be null: not known
  };
  explicit JsonRow(const std::vector<Field>& fields, JsonStyle style = {});
  // Of the columns that the write's parameter `columns` chooses, in the style of its `profile` and `bytea`. Throws
  // MappingError. The mapping's expressions must outlive it.
  explicit JsonRow(const BindContext& context);

  // The columns that it is made of, as they stand: virtual ones too.
  [[nodiscard]] const std::vector<std::size_t>& columns() const { return columns_; }
  // No chosen column is unchanged.
  [[nodiscard]] bool complete(replication::Row row) const;

  // The row must be complete, and the last new one that the mapping's expressions were computed for.
  void append(replication::Row row, std::string& out);
  // What a row with unchanged columns makes of a document that holds the others already.
  struct Patch {
    // The members that JSON Merge Patch (RFC 7396) sets to what they are, as one object.
    std::string merged;
    // The others, each with its path: an object would be mixed with what is there, and null removes a member.
    std::vector<std::pair<std::string, std::string>> set;
  };
  void make_patch(replication::Row row, Patch& patch);
  // Every name can stand in a path of RedisJSON, which takes none of JSON's escapes.
  [[nodiscard]] bool has_paths() const;

  // Of any row, old or new: without the columns that PostgreSQL did not send.
  void append_known(replication::Row row, Expressions::Side side, std::string& out);

 private:
  struct Member {
    std::string before;  // `,"name":`
    const replication::ColumnType* type;
  };
  JsonRow(const BindContext& context, const std::vector<Field>& fields);
  void append_value(std::size_t member, std::string_view text, Expressions::Side side, std::string& out);
  void append_member(std::size_t member, const replication::Value& value, Expressions::Side side, std::string& out);

  const Expressions* expressions_ = nullptr;
  std::size_t real_columns_ = 0;  // behind them come virtual ones
  std::vector<std::size_t> columns_;
  std::vector<Member> members_;  // of columns_
  JsonValues values_;
};

// The description of `profile`.
ParameterDescription describe_profile();
// What is wrong with `booleans` and `bytea` of a write whose value is JSON; empty: nothing.
std::string json_mistake(const WriteSpec& write);

}  // namespace walrelay::sinks
