#include "sidecar/loader.h"

#include <algorithm>

#include "sidecar/backoff.h"
#include "sidecar/loader_worker.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

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
      work_ready_(loop),
      pump_(loop, [this] { reader_.pump(); }) {}

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
  TableLoad& table = *tables_.back();
  table.fresh = options_.fresh && workers_.empty();
  table.compares = !table.fresh && options_.redis && table.bound.writer->comparable();
  relations_.set_loading(info.oid, true);
  if (table.bound.writer->keeps_rows()) {
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

// A batch may be held back until the row is read: whoever compares makes way.
void Loader::wake() {
  work_ready_.set();
  pump_.schedule();
}

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
      Worker worker(loop_, options_.connection);
      try {
        auto opening = worker.connection.open();
        co_await std::move(opening);
        auto serving = serve(worker);
        co_await std::move(serving);
        backoff.reset();
      } catch (const replication::PostgresError& error) {
        const bool settled = error.sqlstate() == kRefused && on_refused && on_refused(worker.reading, error.what());
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
event::Task<> Loader::serve(Worker& worker) {
  bool idle_for_long = false;
  event::Timer patience(loop_, [this, &idle_for_long] {
    idle_for_long = true;
    work_ready_.set();
  });
  while (!idle_for_long) {
    if (rereads_.any_unread()) {
      auto again = read_rows_again(worker.connection);
      co_await std::move(again);
    } else if (TableLoad* table = next_table()) {
      worker.reading = table->info.oid;
      auto ranging = read_range(worker, *table);
      co_await std::move(ranging);
      worker.reading = 0;
    } else {
      work_ready_.reset();
      patience.start(kIdle);
      co_await work_ready_;
      continue;
    }
    patience.stop();
  }
}

}  // namespace walrelay::sidecar
