// Reads dirty documents by the user's own SQL, in batches, on connections of its own.
//
//   Documents::take ─> one chunk: lock, snapshot, the user's query ─> (the stream has passed the position) ─> landed
//                        └─ a row that breaks the query: the batch is halved until it stands alone, and is refused
//
// A chunk (chunk_reader.h) sees whatever the stream had delivered before it was opened, and lands in order with a
// TRUNCATE. What one reader reads no other one does, so a document's values follow one another as the snapshots do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "sidecar/chunk_reader.h"
#include "sidecar/documents.h"
#include "sidecar/pipeline.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

struct DocumentReaderOptions {
  replication::ConnectionOptions connection;
  std::size_t connections = 2;
};

class DocumentReader {
 public:
  DocumentReader(event::Loop& loop, DocumentReaderOptions options, Documents& documents, Pipeline& pipeline,
                 sinks::Sink& sink, ChunkReader& reader);
  ~DocumentReader();
  DocumentReader(const DocumentReader&) = delete;
  DocumentReader& operator=(const DocumentReader&) = delete;

  void start();
  void wake();     // something is dirty
  void on_room();  // rows of roots may land again

  std::function<void(std::exception_ptr)> on_failed;            // nothing will be read any more
  std::function<void(const std::string& sentence)> on_trouble;  // tried again

 private:
  class Chunk;
  using Ids = std::vector<std::string>;
  event::Task<> work(std::size_t number);
  event::Task<> serve(replication::Connection& connection);
  event::Task<> read(replication::Connection& connection, Documents::Work work);
  event::Task<Ids> read_some(replication::Connection& connection, const Documents::Work& work, Ids ids);
  event::Task<> look_up(replication::Connection& connection, Documents::Work work);
  [[nodiscard]] replication::ChunkRequest request(std::size_t document) const;
  void refuse(const Documents::Work& work, const std::string& id, const std::string& why);

  event::Loop& loop_;
  DocumentReaderOptions options_;
  Documents& documents_;
  Pipeline& pipeline_;
  sinks::Sink& sink_;
  ChunkReader& reader_;
  event::Event work_ready_;
  event::Deferred room_;
  double bytes_each_ = 1024;  // of a document, lately
  std::vector<std::unique_ptr<event::Job>> workers_;
};

}  // namespace walrelay::sidecar
