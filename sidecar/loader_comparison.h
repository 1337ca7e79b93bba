// A range of a load whose rows most likely stand in Redis already: they are compared first, and only what differs is
// read once more and written. Private to the loader's files.
//
//   range ─> rows ─> does Redis answer as each row says? ─┬─ few do not ─> a chunk of these by key ─> batch
//                                                         └─ many do not ─> the range again ──────> batch, and from
//                                                                           here on the table is written unasked
//
// To ask costs Redis half of what writing costs, and neither its replicas nor its append-only file hear of it. Exact as
// a chunk is: what Redis is asked about is shown up to the chunk's position, and a row that the stream has touched by a
// transaction which the chunk's snapshot does not see is the stream's to write. What is written is another chunk's.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "sidecar/loader_chunk.h"
#include "sidecar/row_questions.h"
#include "sinks/expectation.h"

namespace walrelay::sidecar {

class Loader::Comparison final : public Loader::Chunk {
 public:
  Comparison(Loader& loader, const replication::Relation& rows_of, sinks::RelationWriter& writer,
             replication::Connection& from, sinks::RedisConnection& redis);

  event::Task<> finish() { return questions_.finish(); }  // as RowQuestions'

  // So many rows differ that all had better be written; or what is to be shown first waits for rows to be read.
  [[nodiscard]] bool gave_up() const { return gave_up_; }
  [[nodiscard]] bool differ_too_many() const { return differing_.size() > kDiffering; }
  std::vector<std::string> take_differing() { return std::move(differing_); }  // identities, each once or more

 protected:
  [[nodiscard]] bool takes() override;
  void keep(replication::Row row) override;

 private:
  static constexpr std::size_t kDiffering = 256;  // rows of a range, that are read once more by their keys
  void answer(const sinks::Difference& difference);
  void differs(const std::string& identity);

  sinks::RelationWriter& writer_;
  sinks::Sink& sink_;
  RowQuestions questions_;
  bool gave_up_ = false;
  std::deque<std::string> open_;  // identities of the rows whose answers are to come
  std::vector<sinks::Expectation> expected_;
  std::vector<std::string> differing_;
};

}  // namespace walrelay::sidecar
