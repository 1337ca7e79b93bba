// The common part of the kinds that keep one Redis key for each row.
//
//   the row is there (when)        put_row(key)
//   it is not, or it is deleted    UNLINK key
//   its key changed                UNLINK old key, then put_row(key)
//
// With a ttl (key_lifetime.h) the key may have gone since, and the row must say everything.
//
// With `track: redis` the key may be made of columns that the replica identity lacks: the hash
// walrelay:{slot}:track:<write> keeps the last key of each row, and a script removes it when the row gets another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/conditional_write.h"
#include "sinks/key_inverse.h"
#include "sinks/key_lifetime.h"
#include "sinks/scripts.h"
#include "sinks/write.h"

namespace walrelay::sinks {

class KeyedWrite : public Write {
 public:
  explicit KeyedWrite(const BindContext& context);
  static const Script& track_script();

  bool prepare(replication::Row before, replication::Row now, bool keep_unchanged) final;
  void remove_old(Batch& batch) final;
  void put(Batch& batch) final;
  void replace(bool fresh, Batch& batch) final;
  void expect(std::vector<Expectation>& out) final;
  [[nodiscard]] bool comparable() const final { return track_.empty() && !lifetime_.given() && !conditional(); }
  [[nodiscard]] OwnedKeys owned() const final;
  [[nodiscard]] std::vector<OwnedKeys> truncated() const final;
  bool readings(std::string_view place, std::size_t most, std::vector<KeyReading>& out) const final;
  bool append_place(replication::Row row, bool only_there, std::string& out) const final;
  [[nodiscard]] const std::vector<std::size_t>& place_columns() const final { return place_columns_; }
  [[nodiscard]] const std::vector<std::size_t>& reading_columns() const final { return inverse_.columns(); }
  void remove_ghost(std::string_view place, Batch& batch) const final;
  [[nodiscard]] bool identifies_by(std::size_t column) const final;

 protected:
  // Whether the row has every column that the value is made of.
  [[nodiscard]] virtual bool complete(replication::Row row) const = 0;
  // Whether put_row() can leave what stands there for what is unchanged in `now`. `before` may be empty.
  [[nodiscard]] virtual bool keeps_unchanged(replication::Row before, replication::Row now) const = 0;
  // The row is there and complete: what can go wrong goes wrong here. May throw RowError.
  virtual void prepare_row(replication::Row) {}
  virtual void put_row(std::string_view key, replication::Row row, Batch& batch) = 0;
  virtual void replace_row(std::string_view key, replication::Row row, bool fresh, Batch& batch) = 0;
  // Fills in what the complete row says must stand under its key: type and value.
  virtual void expect_row(replication::Row row, Expectation& expected) = 0;

  void unlink(std::string_view key, Batch& batch) const;
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] const std::string& site() const { return site_; }  // for RowError
  [[nodiscard]] const KeyLifetime& lifetime() const { return lifetime_; }
  [[nodiscard]] const Expiry& expiry() const { return terms_.expiry; }  // of the row that was prepared
  // How it is written by a ConditionalWrite, and whether it must be.
  [[nodiscard]] const ConditionalWrite::Terms& terms() const { return terms_; }
  [[nodiscard]] bool conditional() const { return terms_.if_cached || terms_.on_change; }

 private:
  [[nodiscard]] bool stood_before(replication::Row before) const;
  void make_key(replication::Row row);
  void track(replication::Row row, std::string_view key, Batch& batch) const;  // an empty key: none any more
  void track_gone(replication::Row before, Batch& batch) const;

  const BoundTemplate template_;
  const KeyInverse inverse_;
  const Condition when_;
  const KeyLifetime lifetime_;
  ConditionalWrite::Terms terms_;
  const std::vector<std::size_t> reads_;          // columns that the key is made of
  const std::vector<std::size_t> place_columns_;  // and those of the condition
  const std::uint32_t number_;
  const std::string site_;
  std::vector<std::string> column_names_;
  std::vector<std::size_t> identity_;
  std::string track_;  // the key of the tracked rows; empty: not tracked
  std::string key_, old_key_;
  replication::Row before_, now_;
  bool when_of_identity_ = true;  // the condition, if any, changes with the identity only
  bool remove_old_ = false;
  bool there_ = false;   // the row says that its key is there
  bool no_key_ = false;  // it is not there, and has no key either
};

}  // namespace walrelay::sinks
