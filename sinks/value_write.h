// The common part of writes that keep one value for each row: a string, or a document of RedisJSON.
//
//                        string                                    document
//   the value            SET key v [PX ms | PXAT ms]               JSON.SET key $ v, PEXPIRE or PERSIST      whole
//   if_cached            SET key v XX [PX ms | PXAT ms | KEEPTTL]  a script (conditional_write.h)            whole
//   refresh: on_change   a script                                  a script                                  whole
//   no value             UNLINK key                                                                          remove
//   replaced             as it is put                              UNLINK key first: it may be no document
//
// A needed column is unchanged: the row must be read again. But for a document that stands there all the same, on a
// server with JSON.MERGE: a script leaves that member as it is (JsonRow::Patch).                              partial
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sinks/json_row.h"
#include "sinks/keyed_write.h"

namespace walrelay::sinks {

class ValueWrite : public KeyedWrite {
 public:
  enum class Store : std::uint8_t { string, document };
  ValueWrite(const BindContext& context, Store store) : KeyedWrite(context), store_(store) {}

 protected:
  // Of a complete row; nothing: it has none. Borrowed until the next call.
  virtual std::optional<std::string_view> value_of(replication::Row row) = 0;

  // Of a row with unchanged columns, where keeps_unchanged() takes it.
  virtual void put_known(std::string_view, replication::Row, Batch&) {}

  [[nodiscard]] bool keeps_unchanged(replication::Row, replication::Row) const override { return false; }
  void put_row(std::string_view key, replication::Row row, Batch& batch) final;
  void replace_row(std::string_view key, replication::Row row, bool fresh, Batch& batch) final;
  void expect_row(replication::Row row, Expectation& expected) final;

 private:
  void set_string(std::string_view key, std::string_view value, Batch& batch) const;
  void set_document(std::string_view key, std::string_view value, Batch& batch) const;
  void set_conditionally(std::string_view key, std::string_view value, Batch& batch) const;

  const Store store_;
};

// The value is the row as JSON.
class JsonWrite final : public ValueWrite {
 public:
  JsonWrite(const BindContext& context, Store store);

 protected:
  [[nodiscard]] bool complete(replication::Row row) const override { return json_.complete(row); }
  std::optional<std::string_view> value_of(replication::Row row) override {
    text_.clear();
    json_.append(row, text_);
    return text_;
  }
  [[nodiscard]] bool keeps_unchanged(replication::Row, replication::Row) const override {
    return merges_ && !conditional();
  }
  void put_known(std::string_view key, replication::Row row, Batch& batch) override;

 private:
  JsonRow json_;
  const bool merges_;
  std::string text_;      // kept for its memory
  JsonRow::Patch patch_;  // likewise
};

// The scripts of strings and documents; made once.
void make_value_scripts();

}  // namespace walrelay::sinks
