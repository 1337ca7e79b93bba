// All writes of all mappings of one relation, bound to one version of it, run in order.
#pragma once

#include <cstdint>
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
    std::string mapping;
  };
  BoundWriter(const replication::Relation& relation, std::string mapping, std::vector<NumberedWrite> writes);

  Outcome apply(const replication::Change& change, bool keep_unchanged, Batch& batch) override;
  void replace(replication::Row row, bool fresh, Batch& batch) override;
  void expect(replication::Row row, std::vector<Expectation>& out) override;
  void append_identity(replication::Row row, std::string& out) const override;
  [[nodiscard]] const std::vector<std::size_t>& identity_columns() const override { return identity_; }
  [[nodiscard]] const std::vector<OwnedKeys>& owned() const override { return owned_; }
  [[nodiscard]] const std::vector<std::uint32_t>& writes() const override { return numbers_; }
  [[nodiscard]] const std::vector<std::string>& mappings() const override { return mappings_; }
  [[nodiscard]] const std::string& mapping() const override { return mapping_; }
  [[nodiscard]] bool readings(std::size_t write, std::string_view key, std::size_t most,
                              std::vector<KeyReading>& out) const override {
    return writes_[write]->readings(key, most, out);
  }
  [[nodiscard]] bool append_key(std::size_t write, replication::Row row, std::string& out) const override {
    return writes_[write]->append_key(row, out);
  }
  [[nodiscard]] const std::vector<std::size_t>& key_columns(std::size_t write) const override {
    return writes_[write]->key_columns();
  }

 private:
  replication::Row completed(const replication::Change& change);

  const std::string mapping_;
  std::vector<std::unique_ptr<Write>> writes_;
  std::vector<OwnedKeys> owned_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::string> mappings_;
  std::vector<std::size_t> identity_;
  std::vector<replication::Value> completed_;  // kept for its memory
};

}  // namespace walrelay::sinks
