// One chunk of a load under way: private to the loader's files.
//
//   loader.cc        which table or row is next, and who reads it      loader_chunk.cc   from rows to the sink's batch
#pragma once

#include <string>

#include "sidecar/chunk_reader.h"
#include "sidecar/loader.h"

namespace walrelay::sidecar {

class Loader::Chunk : public ChunkReader::Chunk {
 public:
  Chunk(Loader& loader, const replication::Relation& rows_of, sinks::RelationWriter& into,
        replication::Connection& from)
      : ChunkReader::Chunk(loader.reader_, rows_of, from), loader_(loader), writer_(into), roots_(is_of_roots()) {}

  const TableLoad* load = nullptr;  // whose range this is; null: rows that somebody names
  bool by_key = false;              // rows to be read again
  std::uint64_t rows = 0;

 protected:
  void land(replication::Row row) final;
  // One that is the table's word, for who has it to be in Redis.
  virtual void keep(replication::Row row);
  [[nodiscard]] const std::string& identity() const { return identity_; }  // of the row that lands
  [[nodiscard]] bool roots_have_room() const;
  [[nodiscard]] bool takes() override;
  [[nodiscard]] replication::Purpose purpose() const override {
    return by_key ? replication::Purpose::reread : replication::Purpose::chunk;
  }

 private:
  [[nodiscard]] bool is_of_roots() const;
  void count();
  void write(replication::Row row, bool fresh);
  void land_reread(Reread& reread, replication::Row row);

  Loader& loader_;
  sinks::RelationWriter& writer_;
  const bool roots_;  // its rows are roots of documents
  void note_keys(replication::Row row);
  std::string identity_, key_;  // scratch
  std::uint64_t counted_ = 0;
};

}  // namespace walrelay::sidecar
