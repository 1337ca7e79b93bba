// All writes of all mappings of one relation, bound to one version of it, run in order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sinks/mapping.h"
#include "sinks/write.h"

namespace walrelay::sinks {

class BoundWriter final : public RelationWriter {
 public:
  struct NumberedWrite {
    std::unique_ptr<Write> write;
    std::uint32_t number;
    std::size_t document = 0;  // where it is one: its number in MappingSet::documents()
  };
  // The writes of one mapping, and the expressions that they share.
  struct Group {
    std::string mapping;
    OnPoison on_poison = OnPoison::stop;
    bool purge_gone = false;
    std::unique_ptr<Expressions> expressions;
    std::vector<NumberedWrite> writes;
  };
  BoundWriter(const replication::Relation& relation, std::string mapping, std::vector<Group> groups,
              std::vector<DocumentPath> paths, std::vector<std::size_t> shown, std::size_t longest_argument);

  Outcome apply(const replication::Change& change, bool keep_unchanged, Batch& batch) override;
  void tell(const replication::Change& change, Batch& batch) override;
  void tell_truncate(const replication::Change& change, Batch& batch) override;
  void remove(replication::Row old_row, Batch& batch) override;
  [[nodiscard]] bool keeps_rows() const override { return events_.size() < writes_.size(); }
  void replace(replication::Row row, bool fresh, Batch& batch) override;
  void expect(replication::Row row, std::vector<Expectation>& out) override;
  [[nodiscard]] bool comparable() const override;
  [[nodiscard]] const std::vector<Refusal>& refusals() const override { return refusals_; }
  [[nodiscard]] const std::vector<std::size_t>& shown_columns() const override { return shown_; }
  void append_identity(replication::Row row, std::string& out) const override;
  [[nodiscard]] const std::vector<std::size_t>& identity_columns() const override { return identity_; }
  [[nodiscard]] const std::vector<OwnedKeys>& owned() const override { return owned_; }
  [[nodiscard]] const std::vector<OwnedKeys>& truncated() const override { return truncated_; }
  [[nodiscard]] const std::vector<OwnedKeys>& purged() const override { return purged_; }
  [[nodiscard]] const std::vector<std::uint32_t>& writes() const override { return numbers_; }
  [[nodiscard]] const std::vector<std::string>& mappings() const override { return mappings_; }
  [[nodiscard]] const std::string& mapping() const override { return mapping_; }
  [[nodiscard]] bool readings(std::size_t write, std::string_view place, std::size_t most,
                              std::vector<KeyReading>& out) const override {
    return writes_[write].write->readings(place, most, out);
  }
  [[nodiscard]] bool append_place(std::size_t write, replication::Row row, std::string& out) override {
    return append_place(write, row, true, out);
  }
  [[nodiscard]] bool append_read_place(std::size_t write, replication::Row row, std::string& out) override {
    return append_place(write, row, false, out);
  }
  [[nodiscard]] const std::vector<std::size_t>& place_columns(std::size_t write) const override {
    return writes_[write].write->place_columns();
  }
  [[nodiscard]] const std::vector<std::size_t>& reading_columns(std::size_t write) const override {
    return writes_[write].write->reading_columns();
  }
  void remove_ghost(std::size_t write, std::string_view place, Batch& batch) const override {
    writes_[write].write->remove_ghost(place, batch);
  }
  [[nodiscard]] const std::vector<DocumentPath>& paths() const override { return paths_; }
  [[nodiscard]] DocumentValue* document(std::size_t number) override {
    const auto found = documents_.find(number);
    return found == documents_.end() ? nullptr : found->second;
  }

 private:
  bool append_place(std::size_t write, replication::Row row, bool only_there, std::string& out);
  struct Bound {
    std::unique_ptr<Write> write;
    std::size_t group;
  };
  replication::Row completed(const replication::Change& change);
  void begin(replication::Row before, replication::Row now);
  void evaluate(replication::Row before, replication::Row now);
  bool prepare(bool keep_unchanged);
  void hear(const replication::Change& change);
  void remove_old(Batch& batch);
  void say(Batch& batch);
  void measure(replication::Row now, bool writable, bool heard);
  void forget_refusals();
  // Throws where the mapping is to stop.
  void refuse(std::size_t group, const std::string& why);
  [[nodiscard]] bool refused(const Bound& bound) const { return refused_[bound.group] != 0; }

  const std::string mapping_, table_;
  std::vector<Group> groups_;                                        // without their writes
  std::vector<Bound> writes_;                                        // after the expressions that they refer to
  std::vector<std::size_t> events_;                                  // those of the writes that are
  std::vector<std::pair<replication::Row, replication::Row>> rows_;  // of each group: before and now
  std::vector<OwnedKeys> owned_, truncated_, purged_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::string> mappings_;
  std::vector<std::size_t> identity_;
  std::vector<DocumentPath> paths_;
  std::map<std::size_t, DocumentValue*> documents_;  // by number: which of the writes
  std::vector<replication::Value> completed_;        // kept for its memory
  const std::vector<std::size_t> shown_;
  const std::size_t longest_argument_;
  std::vector<Refusal> refusals_;      // of this row
  std::vector<std::uint8_t> refused_;  // of each group: whether it is among them
};

}  // namespace walrelay::sinks
