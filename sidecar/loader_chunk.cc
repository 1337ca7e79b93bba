// From the rows of a chunk to the sink's batch (loader.h).
#include "sidecar/loader_chunk.h"

#include <algorithm>

#include "event/crash_point.h"
#include "replication/binary_text.h"

namespace walrelay::sidecar {

using replication::Connection;
using replication::Row;

namespace {

constexpr std::size_t kWaitingBytes = 512 * 1024;  // of rows that may not be written yet, for each chunk
constexpr event::milliseconds kNudge{20};          // between two questions where the stream is
constexpr int kNudgesBeforeFlush = 5;              // then make the server flush what it has written
constexpr event::milliseconds kInvisible{50};      // until a commit that snapshots do not see yet is looked for again

bool all_exact(const replication::Relation& relation) {
  return std::all_of(relation.columns.begin(), relation.columns.end(), [](const auto& column) {
    return column.type != nullptr && replication::binary_is_exact(*column.type);
  });
}

}  // namespace

// Opens the chunk, repeats it where it came too early, and returns when every row is in the sink's batch.
event::Task<> Loader::run(Connection& connection, Chunk& chunk, replication::ChunkRequest request) {
  struct Watch {
    Watch(Loader& owner, Chunk& watched) : loader(owner), chunk(watched) { loader.chunks_.push_back(&chunk); }
    ~Watch() {
      loader.chunks_.erase(std::find(loader.chunks_.begin(), loader.chunks_.end(), &chunk));
      loader.overtaken_.close(chunk.id);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    Loader& loader;
    Chunk& chunk;
  };
  Watch watch(*this, chunk);
  for (;;) {
    chunk.id = overtaken_.open(chunk.relation.oid);
    auto opening = replication::open_chunk(connection, request.schema, request.table);
    auto opened = co_await std::move(opening);
    chunk.opened = std::move(opened);
    if (!overtaken_.misses_delivered(chunk.id, chunk.opened.snapshot, clock_.now_us())) break;
    overtaken_.close(chunk.id);
    ++progress_.repeated_chunks;
    auto ending = connection.query("ROLLBACK", "end a chunk that came too early");
    co_await std::move(ending);
    auto pause = event::sleep(loop_, kInvisible);
    co_await std::move(pause);
  }
  chunk.copying = true;
  event::crash_point();
  if (pipeline_.processed() < chunk.opened.position) {
    nudger_.start(event::milliseconds(1), kNudge);
  }
  ++progress_.chunks;
  chunk.binary = options_.format != "text" && all_exact(chunk.relation);
  request.binary = chunk.binary;
  Connection::CopyRow on_row = [this, &chunk](std::string_view data) { return receive(chunk, data); };
  auto copying = replication::copy_chunk(connection, std::move(request), std::move(on_row));
  co_await std::move(copying);
  chunk.read_all = true;
  pump(chunk);
  co_await chunk.landed;
  progress_.rows += chunk.rows;
}

// An idle server's stream reaches a chunk's position only when it is asked, and only when the WAL up to there has
// been flushed; what a read itself has written (hint bits) nobody flushes for seconds.
void Loader::nudge() {
  const bool waiting = std::any_of(chunks_.begin(), chunks_.end(), [this](const Chunk* chunk) {
    return chunk->copying && pipeline_.processed() < chunk->opened.position;
  });
  if (!waiting) {
    nudges_ = 0;
    nudger_.stop();
    return;
  }
  if (on_stuck) on_stuck();
  if (++nudges_ % kNudgesBeforeFlush == 0 && on_flush_needed) on_flush_needed();
}

bool Loader::receive(Chunk& chunk, std::string_view data) {
  progress_.bytes += data.size();
  if (chunk.waiting.empty() && pipeline_.processed() >= chunk.opened.position && !sink_.full()) {
    overtaken_.collect(chunk.id, chunk.opened.snapshot, chunk.newer, chunk.newer_from);
    land(chunk, data);
    return true;
  }
  chunk.waiting.emplace_back(data);
  chunk.waiting_bytes += data.size();
  chunk.copy_paused = chunk.waiting_bytes >= kWaitingBytes;
  return !chunk.copy_paused;
}

void Loader::pump(Chunk& chunk) {
  if (!chunk.copying || pipeline_.processed() < chunk.opened.position) return;
  overtaken_.collect(chunk.id, chunk.opened.snapshot, chunk.newer, chunk.newer_from);
  while (!chunk.waiting.empty() && !sink_.full()) {
    const std::string data = std::move(chunk.waiting.front());
    chunk.waiting.pop_front();
    chunk.waiting_bytes -= data.size();
    land(chunk, data);
  }
  if (chunk.copy_paused && chunk.waiting.empty()) {
    chunk.copy_paused = false;
    chunk.connection.resume_copy();
  }
  if (chunk.read_all && chunk.waiting.empty()) chunk.landed.set();
}

void Loader::on_processed() {
  for (std::size_t i = 0; i < chunks_.size(); ++i) pump(*chunks_[i]);
}

void Loader::on_writable() { on_processed(); }

void Loader::land(Chunk& chunk, std::string_view data) {
  if (chunk.load != nullptr && chunk.load->abandoned) return;  // it may bring back columns that are gone
  Row row;
  if (chunk.binary) {
    const auto decoded = chunk.binary_row.decode(chunk.relation, data, options_.encoding);
    if (!decoded) return;
    row = *decoded;
  } else {
    row = chunk.text_row.decode(chunk.relation, data, options_.encoding);
  }
  ++chunk.rows;
  identity_.clear();
  chunk.writer.append_identity(row, identity_);
  if (!rereads_.empty() && rereads_.find(chunk.relation.oid, identity_) != nullptr) {
    if (chunk.by_key) land_reread(chunk, row);
    return;
  }
  if (chunk.by_key || chunk.newer.contains(identity_)) {
    ++progress_.skipped_rows;
    return;
  }
  try {
    const bool fresh = chunk.load != nullptr && chunk.load->fresh;
    chunk.writer.replace(row, fresh, sink_.batch());
  } catch (const sinks::RowError& error) {
    pipeline_.refuse(error, chunk.relation);
  }
  sink_.loaded(1);
}

void Loader::land_reread(Chunk& chunk, Row row) {
  Reread* reread = rereads_.find(chunk.relation.oid, identity_);
  if (reread->first_chunk > chunk.id) return;  // noted after this chunk was opened
  // An ALTER TABLE may have rewritten the values between the changes in the image and the read, unseen by the stream.
  if (chunk.newer.contains(identity_)) {
    reread->fill(row);
  } else {
    reread->replace(row);
  }
  const auto values = reread->values();
  try {
    chunk.writer.replace(values, false, sink_.batch());
  } catch (const sinks::RowError& error) {
    pipeline_.refuse(error, chunk.relation);
  }
  pipeline_.erase_note(reread->note);
  rereads_.erase(chunk.relation.oid, identity_);
  event::crash_point();
  sink_.loaded(1);
}

}  // namespace walrelay::sidecar
