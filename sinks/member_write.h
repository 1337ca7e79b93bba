// The common part of the kinds whose rows are members of keys that rows share: set, zset, hash_field, bitmap, roaring.
//
//   the row is there (when)              add(key, member, value)
//   it is not, or it is deleted          take(key, member)
//   its key or member changed            take(old key, old member), then add(...)
//
// Where the replica identity and the templates allow it these are Redis' own commands, each a batch entry that the next
// one for the same member replaces. Two things need a script that looks before it acts (scripts.h):
//
//   shared   several rows support one member: it goes with the last of them. The set
//            walrelay:{slot}:support:<write>:<key><member> keeps the rows that do.
//   tracked  `track: redis`: the key or the member is made of columns that the replica identity lacks, so that a DELETE
//            does not say where the row stood. The hash walrelay:{slot}:track:<write>:<table> keeps it for each row.
//
// Rows are named by table and identity in both, never counted: what is done again changes nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/key_inverse.h"
#include "sinks/scripts.h"
#include "sinks/write.h"

namespace walrelay::sinks {

// What a kind adds to MemberWrite: how its members come and go.
struct MemberKind {
  OwnedKeys::Members members = OwnedKeys::Members::none;
  bool whole_keys = false;     // a key has members of this write only (bits): a TRUNCATE removes it as a whole
  bool one_supporter = false;  // a member has one value: the last row that wrote it owns it (fields)
  const char* scan = "";       // HSCAN, SSCAN or ZSCAN
  // Lua: the bodies of add(key, member, value) and take(key, member).
  const char* lua_add = "";
  const char* lua_take = "";
  // Appends one command, as an entry of its own.
  void (*add)(std::uint32_t write, std::string_view key, std::string_view member, std::string_view value,
              Batch& batch) = nullptr;
  void (*take)(std::uint32_t write, std::string_view key, std::string_view member, Batch& batch) = nullptr;
};

// NAME key member, an entry of its own; `name` is a bulk string already.
void append_member_command(std::string_view name, std::uint32_t write, std::string_view key, std::string_view member,
                           Batch& batch);

// The scripts of one kind: made once.
struct MemberScripts {
  explicit MemberScripts(const MemberKind& kind);
  Script hold;   // KEYS: support key; id, add or take, key, member, value
  Script place;  // KEYS: track key; id, support prefix, key (empty: the row is gone), member, value
  Script purge;  // KEYS: support key; key, member: no row supports it, whatever the support key says
};

class MemberWrite : public Write {
 public:
  // The member is the bound template; a kind whose member is an expression makes a template of that alone.
  MemberWrite(const BindContext& context, const MemberKind& kind, const MemberScripts& scripts, BoundTemplate member,
              std::vector<std::size_t> value_columns);
  ~MemberWrite() override;

  bool prepare(replication::Row before, replication::Row now, bool keep_unchanged) final;
  void remove_old(Batch& batch) final;
  void put(Batch& batch) final {
    if (there_) add(batch);
  }
  void replace(bool, Batch& batch) final { put(batch); }
  void expect(std::vector<Expectation>& out) final;
  [[nodiscard]] OwnedKeys owned() const final;
  [[nodiscard]] std::vector<OwnedKeys> truncated() const final;
  bool readings(std::string_view place, std::size_t most, std::vector<KeyReading>& out) const final;
  bool append_place(replication::Row row, bool only_there, std::string& out) const final;
  [[nodiscard]] const std::vector<std::size_t>& place_columns() const final { return place_columns_; }
  [[nodiscard]] const std::vector<std::size_t>& reading_columns() const final { return inverse_.columns(); }
  void remove_ghost(std::string_view place, Batch& batch) const final;
  [[nodiscard]] bool identifies_by(std::size_t column) const final;

 protected:
  // Appends the member's value of the complete row: a score, a field's text. Throws RowError.
  virtual void append_value(replication::Row row, std::string& out) = 0;
  // Throws RowError where Redis would not take the member (a bit below zero). Default: takes all.
  virtual void check_member(std::string_view member) const;
  virtual void expect_member(std::string_view value, Expectation& expected) const = 0;
  [[nodiscard]] const std::string& site() const { return site_; }

 private:
  struct Place {
    std::string key, member;
    bool operator==(const Place&) const = default;
  };
  // False: a column of it has no text. `missing` says which.
  bool render(replication::Row row, Place& place, std::size_t& missing) const;
  void make_place(replication::Row row);
  [[nodiscard]] bool stays(replication::Row row) const;
  void add(Batch& batch);
  void take(const Place& place, const std::string& id, Batch& batch) const;
  void place_tracked(bool there, const std::string& id, Batch& batch);
  void make_id(replication::Row row, std::string& id) const;

  const MemberKind& kind_;
  const MemberScripts& scripts_;
  const Condition when_;
  const BoundTemplate key_, member_, both_;       // both: key NUL member
  const KeyInverse inverse_;                      // of key NUL member
  const std::vector<std::size_t> reads_;          // columns that the place is made of
  const std::vector<std::size_t> place_columns_;  // and those of the condition
  const std::vector<std::size_t> inputs_;         // and those of the value: columns and virtual columns as they stand
  const std::uint32_t number_;
  const std::string site_, id_prefix_;
  std::vector<std::size_t> identity_;
  std::vector<bool> is_identity_;  // by column
  std::vector<std::string> column_names_;
  std::vector<std::size_t> named_columns_;
  std::string support_, track_;  // prefix of support keys, key of tracked rows; empty: not shared, not tracked

  replication::Row before_, now_;
  Place old_, place_;
  std::string value_, id_, old_id_;
  bool remove_old_ = false, there_ = false, no_place_ = false, still_ = false, known_ = true;
};

}  // namespace walrelay::sinks
