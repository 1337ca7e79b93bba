#include "sidecar/chunk_reader.h"

#include <algorithm>

#include "event/crash_point.h"
#include "replication/binary_text.h"
#include "sinks/row_identity.h"

namespace walrelay::sidecar {

using replication::Connection;

namespace {

constexpr std::size_t kWaitingBytes = 512 * 1024;  // of rows that may not land yet, for each chunk
constexpr event::milliseconds kNudge{20};          // between two questions where the stream is
constexpr int kNudgesBeforeFlush = 5;              // then make the server flush what it has written
constexpr event::milliseconds kInvisible{50};      // until a commit that snapshots do not see yet is looked for again

bool all_exact(const replication::Relation& relation) {
  return std::all_of(relation.columns.begin(), relation.columns.end(), [](const auto& column) {
    return column.type != nullptr && replication::binary_is_exact(*column.type);
  });
}

constexpr const char* kUndefinedColumn = "42703";  // the server's word for a column that is gone

// An ALTER TABLE may have come since the relation was described: then bytes would be taken for those of another type.
// A sentence, or nothing.
std::string change_of(const ChunkReader::Chunk& chunk, const replication::ChunkRequest& request) {
  if (!request.select.empty()) return {};  // the relation is that of the query's result
  const auto& now = chunk.opened().columns;
  for (const auto& column : chunk.relation().columns) {
    const auto found = now.find(column.name);
    if (found != now.end() && found->second == column.type_oid) continue;
    return "read " + chunk.relation().qualified() + ": column \"" + column.name +
           "\" has changed since the table was looked at; it will be read anew";
  }
  return {};
}

// What is asked while it lives is asked for this.
class AskingFor {
 public:
  AskingFor(Connection& connection, replication::Purpose purpose) : connection_(connection) {
    connection_.set_purpose(purpose);
  }
  ~AskingFor() { connection_.set_purpose(replication::Purpose::catalogue); }
  AskingFor(const AskingFor&) = delete;
  AskingFor& operator=(const AskingFor&) = delete;

 private:
  Connection& connection_;
};

}  // namespace

ChunkReader::Chunk::Chunk(ChunkReader& reader, const replication::Relation& rows_of, Connection& from)
    : reader_(reader), relation_(rows_of), connection_(from), landed_(reader.loop_) {
  reader_.open_.push_back(this);
}

ChunkReader::Chunk::~Chunk() {
  std::erase(reader_.open_, this);
  close();
}

void ChunkReader::Chunk::close() {
  if (id_ != 0) reader_.overtaken_.close(id_);
  id_ = 0;
}

void ChunkReader::Chunk::newer_now() { reader_.overtaken_.collect(id_, opened_.snapshot, newer_, newer_from_); }

bool ChunkReader::Chunk::may_be_overtaken(const std::string& part) const {
  if (sinks::is_whole_identity(part)) return overtaken(part);
  return newer_.all || std::any_of(newer_.rows.begin(), newer_.rows.end(), [&part](const std::string& identity) {
           return sinks::may_be_same_row(part, identity);
         });
}

ChunkReader::ChunkReader(event::Loop& loop, Overtaken& overtaken, const Pipeline& pipeline, const ServerClock& clock,
                         const replication::Encoding* encoding)
    : loop_(loop),
      overtaken_(overtaken),
      pipeline_(pipeline),
      clock_(clock),
      encoding_(encoding),
      nudger_(loop, [this] { nudge(); }) {}

event::Task<> ChunkReader::run(Chunk& chunk, replication::ChunkRequest request) {
  Connection& connection = chunk.connection_;
  const AskingFor asking(connection, chunk.purpose());
  for (;;) {
    chunk.id_ = overtaken_.open(chunk.relation_.oid);
    auto opening = replication::open_chunk(connection, request.schema, request.table, request.also);
    auto opened = co_await std::move(opening);
    chunk.opened_ = std::move(opened);
    const bool early = overtaken_.misses_delivered(chunk.id_, chunk.opened_.snapshot, clock_.now_us());
    const std::string changed = change_of(chunk, request);
    if (!early && changed.empty()) break;
    chunk.close();
    auto ending = connection.query("ROLLBACK", "end a chunk that cannot be read");
    co_await std::move(ending);
    if (!changed.empty()) throw replication::PostgresError(kUndefinedColumn, false, changed);
    ++chunks_repeated_;
    auto pause = event::sleep(loop_, kInvisible);
    co_await std::move(pause);
  }
  chunk.copying_ = true;
  event::crash_point();
  if (pipeline_.processed() < chunk.opened_.position) nudger_.start(event::milliseconds(1), kNudge);
  ++chunks_read_;
  request.binary = chunk.binary_ = request.binary && all_exact(chunk.relation_);
  Connection::CopyRow on_row = [this, &chunk](std::string_view data) { return receive(chunk, data); };
  auto copying = replication::copy_chunk(connection, std::move(request), std::move(on_row));
  co_await std::move(copying);
  chunk.read_all_ = true;
  pump(chunk);
  co_await chunk.landed_;
  if (chunk.failure_ != nullptr) std::rethrow_exception(chunk.failure_);
}

// An idle server's stream reaches a chunk's position only when it is asked, and only when the WAL up to there has
// been flushed; what a read itself has written (hint bits) nobody flushes for seconds.
void ChunkReader::nudge() {
  const bool waiting = std::any_of(open_.begin(), open_.end(), [this](const Chunk* chunk) {
    return chunk->copying_ && pipeline_.processed() < chunk->opened_.position;
  });
  if (!waiting) {
    nudges_ = 0;
    nudger_.stop();
    return;
  }
  if (on_stuck) on_stuck();
  if (++nudges_ % kNudgesBeforeFlush == 0 && on_flush_needed) on_flush_needed();
}

bool ChunkReader::may_land(Chunk& chunk) const {
  return chunk.copying_ && pipeline_.processed() >= chunk.opened_.position && chunk.takes();
}

bool ChunkReader::receive(Chunk& chunk, std::string_view data) {
  if (chunk.failure_ != nullptr) std::rethrow_exception(chunk.failure_);
  chunk.received_ += data.size();
  if (chunk.waiting_.empty() && may_land(chunk)) {
    chunk.newer_now();
    land(chunk, data);
    return true;
  }
  chunk.waiting_bytes_ += data.size();
  chunk.waiting_.emplace_back(data);
  chunk.copy_paused_ = chunk.waiting_bytes_ >= kWaitingBytes;
  return !chunk.copy_paused_;
}

void ChunkReader::land(Chunk& chunk, std::string_view data) {
  if (!chunk.binary_) {
    chunk.land(chunk.text_row_.decode(chunk.relation_, data, encoding_));
  } else if (const auto row = chunk.binary_row_.decode(chunk.relation_, data, encoding_)) {
    chunk.land(*row);
  }
}

// Who moves the stream is not who reads the chunk: what goes wrong with a row is for run() to say.
void ChunkReader::pump(Chunk& chunk) {
  if (chunk.failure_ != nullptr || !may_land(chunk)) return;
  try {
    land_waiting(chunk);
  } catch (...) {
    chunk.failure_ = std::current_exception();
    chunk.waiting_.clear();
  }
  if (chunk.copy_paused_ && chunk.waiting_.empty()) {
    chunk.copy_paused_ = false;
    chunk.connection_.resume_copy();
  }
  if (chunk.read_all_ && chunk.waiting_.empty()) chunk.landed_.set();
}

void ChunkReader::land_waiting(Chunk& chunk) {
  chunk.newer_now();
  while (!chunk.waiting_.empty() && chunk.takes()) {
    const std::string data = std::move(chunk.waiting_.front());
    chunk.waiting_.pop_front();
    chunk.waiting_bytes_ -= data.size();
    land(chunk, data);
  }
}

void ChunkReader::pump() {
  for (std::size_t i = 0; i < open_.size(); ++i) pump(*open_[i]);
}

}  // namespace walrelay::sidecar
