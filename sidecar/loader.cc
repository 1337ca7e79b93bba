#include "sidecar/loader.h"

#include <algorithm>
#include <deque>

#include "event/crash_point.h"
#include "replication/binary_text.h"
#include "sidecar/backoff.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

using replication::Connection;
using replication::Row;

namespace {

constexpr std::size_t kRowsReadAgainAtOnce = 256;
constexpr std::size_t kWaitingBytes = 512 * 1024;  // of rows that may not be written yet, for each chunk
constexpr std::uint64_t kPage = 8192;
constexpr event::milliseconds kNudge{20};       // between two questions where the stream is
constexpr int kNudgesBeforeFlush = 5;           // then make the server flush what it has written
constexpr event::milliseconds kInvisible{50};   // until a commit that snapshots do not see yet is looked for again
constexpr event::milliseconds kIdle{5000};      // before a worker lets its connection go
constexpr std::uint32_t kCursors = 0xffff0001;  // Batch entries of cursors

// Dropped, renamed or altered under the chunk: the catalogue's watch will say what it is now.
bool table_changed(const replication::PostgresError& error) {
  const std::string& state = error.sqlstate();
  return state == "42P01" || state == "42703" || state == "3F000";
}

bool all_exact(const replication::Relation& relation) {
  return std::all_of(relation.columns.begin(), relation.columns.end(), [](const auto& column) {
    return column.type != nullptr && replication::binary_is_exact(*column.type);
  });
}

}  // namespace

// One chunk under way. Lives in the coroutine of its worker; chunks_ knows it while the stream may move it on.
struct Loader::Chunk {
  Chunk(event::Loop& loop, const replication::Relation& rows_of, sinks::RelationWriter& into, Connection& from)
      : relation(rows_of), writer(into), connection(from), landed(loop) {}

  const replication::Relation& relation;
  sinks::RelationWriter& writer;
  Connection& connection;
  Overtaken::ChunkId id = 0;
  replication::ChunkOpened opened;
  bool binary = false, by_key = false;
  replication::CopyTextRow text_row;
  replication::CopyBinaryRow binary_row;
  Overtaken::Newer newer;
  std::uint64_t newer_from = 0;
  std::deque<std::string> waiting;
  std::size_t waiting_bytes = 0;
  bool copying = false;  // opened for good: the snapshot is there
  bool copy_paused = false, read_all = false;
  event::Event landed;  // every row is in the sink's batch
  std::uint64_t rows = 0;
};

Loader::Loader(event::Loop& loop, LoaderOptions options, Relations& relations, Overtaken& overtaken, Rereads& rereads,
               Pipeline& pipeline, sinks::Sink& sink, ServerClock& clock)
    : loop_(loop),
      options_(std::move(options)),
      relations_(relations),
      overtaken_(overtaken),
      rereads_(rereads),
      pipeline_(pipeline),
      sink_(sink),
      clock_(clock),
      work_ready_(loop),
      nudger_(loop, [this] { nudge(); }) {}

Loader::~Loader() { workers_.clear(); }

void Loader::add(const replication::TableInfo& info, const std::string& cursor) {
  for (auto& table : tables_) {
    if (table->info.oid == info.oid && !table->abandoned) {
      table->abandoned = true;
      ++progress_.tables_done;
    }
  }
  const std::uint64_t pages = std::max<std::uint64_t>(1, options_.chunk_bytes / kPage);
  tables_.push_back(std::make_unique<TableLoad>(info, relations_.bind(info), cursor, pages));
  relations_.set_loading(info.oid, true);
  progress_.estimated_rows += static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.estimated_rows));
  ++progress_.tables;
  wake();
}

void Loader::forget(replication::Oid oid) {
  for (auto& table : tables_) {
    if (table->info.oid != oid || table->abandoned) continue;
    table->abandoned = true;
    ++progress_.tables_done;
  }
  const auto notes = rereads_.drop_table(oid);
  for (const auto& note : notes) pipeline_.erase_note(note);
  if (!notes.empty()) sink_.loaded(0);
  report_if_all_loaded();
}

void Loader::report_if_all_loaded() {
  const bool all = std::all_of(tables_.begin(), tables_.end(), [](const auto& table) { return table->abandoned; });
  if (all && on_all_loaded) on_all_loaded();
}

void Loader::start() {
  for (std::size_t i = 0; i < options_.connections; ++i) {
    workers_.push_back(
        std::make_unique<event::Job>(loop_, work(i), [this, i](std::exception_ptr error) { worker_ended(i, error); }));
  }
}

void Loader::worker_ended(std::size_t, std::exception_ptr error) {
  if (error != nullptr && on_failed) on_failed(error);
}

void Loader::wake() { work_ready_.set(); }

bool Loader::idle() const { return tables_.empty() && rereads_.empty(); }

std::string Loader::current_table() const { return tables_.empty() ? "" : tables_.front()->info.qualified(); }

TableLoad* Loader::next_table() {
  tables_.remove_if([](const auto& table) { return table->abandoned && table->readers == 0; });
  for (auto& table : tables_) {
    if (table->has_work()) return table.get();
  }
  return nullptr;
}

// One worker: connects when there is work, keeps the connection while there is, and starts anew after a failure.
event::Task<> Loader::work(std::size_t number) {
  Backoff backoff(number + 1);
  for (;;) {
    while (next_table() == nullptr && !rereads_.any_unread()) {
      work_ready_.reset();
      co_await work_ready_;
    }
    bool failed = false;
    {
      Connection connection(loop_, options_.connection);
      try {
        auto opening = connection.open();
        co_await std::move(opening);
        auto serving = serve(connection);
        co_await std::move(serving);
        backoff.reset();
      } catch (const replication::PostgresError& error) {
        if (judge(error).action == Verdict::Action::stop && !table_changed(error)) throw;
        if (on_trouble) on_trouble(error.what());
        failed = true;
      }
    }
    if (failed) {
      auto pause = event::sleep(loop_, backoff.next());
      co_await std::move(pause);
    }
  }
}

// Until nothing was asked for a while: rows to be read again come in bursts, and each connection costs the server a
// process.
event::Task<> Loader::serve(Connection& connection) {
  bool idle_for_long = false;
  event::Timer patience(loop_, [this, &idle_for_long] {
    idle_for_long = true;
    work_ready_.set();
  });
  while (!idle_for_long) {
    if (rereads_.any_unread()) {
      auto again = read_rows_again(connection);
      co_await std::move(again);
    } else if (TableLoad* table = next_table()) {
      auto reading = read_range(connection, *table);
      co_await std::move(reading);
    } else {
      work_ready_.reset();
      patience.start(kIdle);
      co_await work_ready_;
      continue;
    }
    patience.stop();
  }
}

event::Task<> Loader::read_range(Connection& connection, TableLoad& table) {
  struct Hold {  // whatever happens, the table knows who reads it, and unread work goes back
    explicit Hold(TableLoad& held) : table(held) { ++table.readers; }
    ~Hold() {
      --table.readers;
      if (range) table.give_back(*range);
      if (planning) table.planning = false;
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    TableLoad& table;
    std::optional<LoadRange> range;
    bool planning = false;
  } hold(table);

  if (!table.planned()) {
    table.planning = hold.planning = true;
    auto asking = connection.query(leaves_sql(table.info), "read the size of table \"" + table.info.qualified() + "\"");
    const auto found = co_await std::move(asking);
    std::vector<LoadLeaf> leaves;
    for (std::size_t i = 0; i < found.rows(); ++i) {
      leaves.push_back({found.text(i, 0), found.text(i, 1), found.text(i, 2), found.text(i, 3),
                        std::stoull("0" + found.text(i, 4))});
    }
    table.plan(std::move(leaves));
    hold.planning = false;
    wake();  // other workers may join
  }
  hold.range = table.take();
  if (!hold.range) {
    finish_table(table);
    co_return;
  }
  const LoadLeaf leaf = table.leaf(hold.range->leaf);
  Chunk chunk(loop_, *table.bound.relation, *table.bound.writer, connection);
  replication::ChunkRequest request;
  request.schema = leaf.schema;
  request.table = leaf.name;
  request.where = hold.range->where();
  if (!table.info.row_filter.empty()) request.where += " AND (" + table.info.row_filter + ")";
  for (const auto& column : chunk.relation.columns) request.columns.push_back(column.name);
  auto running = run(connection, chunk, std::move(request));
  co_await std::move(running);
  if (chunk.opened.file != leaf.file) {  // rewritten: every row may stand elsewhere
    hold.range.reset();
    table.restart();
    co_return;
  }
  table.rows += chunk.rows;
  const LoadRange done = *hold.range;
  hold.range.reset();
  table.finished(done);
  event::crash_point();
  if (table.abandoned) co_return;
  if (table.done()) {
    finish_table(table);
  } else {
    write_cursor(table.info.qualified(), table.cursor());
  }
}

event::Task<> Loader::read_rows_again(Connection& connection) {
  replication::Oid oid = 0;
  struct Hold {
    explicit Hold(Rereads& all) : rereads(all) {}
    ~Hold() {
      for (const auto& identity : identities) {
        if (Reread* reread = rereads.find(table, identity)) reread->reading = false;
      }
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    Rereads& rereads;
    replication::Oid table = 0;
    std::vector<std::string> identities;
  } hold(rereads_);
  const auto rows = rereads_.take(kRowsReadAgainAtOnce, oid);
  hold.table = oid;
  std::vector<const RowKey*> keys;
  for (const auto& [identity, reread] : rows) {
    hold.identities.push_back(identity);
    keys.push_back(&reread->key);
  }
  Table* table = relations_.find(oid);
  if (table == nullptr || table->writer == nullptr) {
    forget(oid);
    co_return;
  }
  // The stream may give the relation another shape while the chunk is read: keep what the chunk was asked with.
  const replication::Relation relation = *table->relation;
  auto writer = relations_.bind_again(relation);
  Chunk chunk(loop_, relation, *writer, connection);
  chunk.by_key = true;
  replication::ChunkRequest request;
  request.schema = relation.schema;
  request.table = relation.name;
  request.only = false;
  request.where = where_clause(keys);
  for (const auto& column : relation.columns) request.columns.push_back(column.name);
  auto running = run(connection, chunk, std::move(request));
  co_await std::move(running);
  for (const auto& identity : hold.identities) {
    Reread* reread = rereads_.find(oid, identity);
    if (reread == nullptr || reread->first_chunk > chunk.id) continue;
    pipeline_.erase_note(reread->note);  // the row is gone; the stream has removed its key
    rereads_.erase(oid, identity);
    sink_.loaded(1);
  }
  ++progress_.rereads;
}

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
    chunk.writer.replace(row, options_.fresh, sink_.batch());
  } catch (const sinks::RowError& error) {
    pipeline_.refuse(error, chunk.relation);
  }
  sink_.loaded(1);
}

void Loader::land_reread(Chunk& chunk, Row row) {
  Reread* reread = rereads_.find(chunk.relation.oid, identity_);
  if (reread->first_chunk > chunk.id) return;  // noted after this chunk was opened
  reread->fill(row);
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

void Loader::finish_table(TableLoad& table) {
  if (table.abandoned || !table.done()) return;
  table.abandoned = true;  // swept out by next_table() when its readers have gone
  const std::string name = table.info.qualified();
  write_cursor(name, table.done_cursor());
  relations_.set_loading(table.info.oid, false);
  ++progress_.tables_done;
  if (on_table_loaded) on_table_loaded(name, table.rows);
  report_if_all_loaded();
}

void Loader::write_cursor(const std::string& table, const std::string& cursor) {
  sinks::Batch& batch = sink_.batch();
  batch.open(kCursors, options_.load_key, sinks::Effect::ordered);
  batch.command(4);
  batch.argument("HSET");
  batch.argument(options_.load_key);
  batch.argument(table);
  batch.argument(cursor);
  batch.close();
  sink_.loaded(0);
}

}  // namespace walrelay::sidecar
