#include "sidecar/loader.h"

#include <algorithm>

#include "event/crash_point.h"
#include "sidecar/backoff.h"
#include "sidecar/loader_chunk.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

using replication::Connection;

namespace {

constexpr std::uint64_t kPage = 8192;
constexpr const char* kRefused = "42501";   // insufficient_privilege
constexpr event::milliseconds kIdle{5000};  // before a worker lets its connection go

}  // namespace

Loader::Loader(event::Loop& loop, LoaderOptions options, Relations& relations, Overtaken& overtaken, Rereads& rereads,
               Pipeline& pipeline, sinks::Sink& sink, ChunkReader& reader)
    : loop_(loop),
      options_(std::move(options)),
      relations_(relations),
      overtaken_(overtaken),
      rereads_(rereads),
      pipeline_(pipeline),
      sink_(sink),
      reader_(reader),
      work_ready_(loop) {}

Loader::~Loader() { workers_.clear(); }

void Loader::add(const replication::TableInfo& info, const std::string& cursor) {
  abandon(info);
  push(info, cursor);
}

void Loader::add_again(const replication::TableInfo& info) {
  drop_load(info);
  push(info, "");
}

void Loader::push(const replication::TableInfo& info, const std::string& cursor) {
  const std::uint64_t pages = std::max<std::uint64_t>(1, options_.chunk_bytes / kPage);
  tables_.push_back(std::make_unique<TableLoad>(info, relations_.bind(info), cursor, pages));
  // Later the stream has written, and an ALTER TABLE may have left fields of columns that are gone.
  tables_.back()->fresh = options_.fresh && workers_.empty();
  relations_.set_loading(info.oid, true);
  if (tables_.back()->bound.writer->keeps_rows()) {
    progress_.estimated_rows += static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.estimated_rows));
  }
  ++progress_.tables;
  wake();
}

void Loader::abandon(const replication::TableInfo& info) {
  drop_load(info);
  forget_rereads(rereads_.supersede_table(info.oid, overtaken_.next_chunk()));
}

void Loader::drop_load(const replication::TableInfo& info) {
  for (auto& table : tables_) {
    if (table->info.oid != info.oid || table->abandoned) continue;
    table->abandoned = true;
    ++progress_.tables_done;
  }
  std::erase_if(noted_, [&info](const NotedCursor& noted) { return noted.table == info.qualified(); });
}

void Loader::forget(const replication::TableInfo& info) {
  abandon(info);
  forget_rereads(rereads_.drop_table(info.oid));
  report_if_all_loaded();
}

void Loader::forget_rereads(const std::vector<std::string>& notes) {
  for (const auto& note : notes) pipeline_.erase_note(note);
  if (!notes.empty()) sink_.loaded(0);
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
    replication::Oid reading = 0;
    {
      Connection connection(loop_, options_.connection);
      try {
        auto opening = connection.open();
        co_await std::move(opening);
        auto serving = serve(connection, reading);
        co_await std::move(serving);
        backoff.reset();
      } catch (const replication::PostgresError& error) {
        const bool settled = error.sqlstate() == kRefused && on_refused && on_refused(reading, error.what());
        if (!settled && judge(error).action == Verdict::Action::stop && !table_changed(error)) throw;
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
event::Task<> Loader::serve(Connection& connection, replication::Oid& reading) {
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
      reading = table->info.oid;
      auto ranging = read_range(connection, *table);
      co_await std::move(ranging);
      reading = 0;
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

  if (!table.planned() && !table.bound.writer->keeps_rows()) table.plan({});  // there is nothing to write
  if (!table.planned()) {
    table.planning = hold.planning = true;
    auto asking = connection.query(leaves_sql(table.info), "read the size of table \"" + table.info.qualified() + "\"");
    const auto found = co_await std::move(asking);
    table.plan(leaves_in(found));
    hold.planning = false;
    wake();  // other workers may join
  }
  hold.range = table.take();
  if (!hold.range) {
    finish_table(table);
    co_return;
  }
  const LoadLeaf leaf = table.leaf(hold.range->leaf);
  Chunk chunk(*this, *table.bound.relation, *table.bound.writer, connection);
  chunk.load = &table;
  replication::ChunkRequest request;
  request.schema = leaf.schema;
  request.table = leaf.name;
  request.where = hold.range->where();
  if (!table.info.row_filter.empty()) request.where += " AND (" + table.info.row_filter + ")";
  for (const auto& column : chunk.relation().columns) request.columns.push_back(column.name);
  request.binary = options_.format != "text";
  auto running = reader_.run(chunk, std::move(request));
  co_await std::move(running);
  progress_.rows += chunk.rows;
  if (chunk.opened().file != leaf.file) {  // rewritten: every row may stand elsewhere
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
    note_cursor(table.info.qualified(), table.cursor());
  }
}

}  // namespace walrelay::sidecar
