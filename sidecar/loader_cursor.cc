// What is remembered of the tables that were read, and when it may be said (loader.h, load_plan.h).
#include <algorithm>

#include "sidecar/loader.h"
#include "sinks/bookkeeping.h"

namespace walrelay::sidecar {

void Loader::finish_table(TableLoad& table) {
  if (table.abandoned || !table.done()) return;
  table.abandoned = true;  // swept out by next_table() when its readers have gone
  const std::string name = table.info.qualified();
  note_cursor(name, table.done_cursor());
  if (!noted_.empty()) sink_.flush();
  relations_.set_loading(table.info.oid, false);
  relations_.was_read(table.info);
  ++progress_.tables_done;
  if (on_table_loaded) on_table_loaded(name, table.rows, table.equal);
  report_if_all_loaded();
}

void Loader::give_up(const replication::TableInfo& info) {
  const TableLoad* load = load_of(info.oid);
  if (load == nullptr) return;
  std::string done = load->done_cursor();
  drop_load(info);
  note_cursor(info.qualified(), std::move(done));
  relations_.set_loading(info.oid, false);
}

const TableLoad* Loader::load_of(replication::Oid table) const {
  const auto found = std::find_if(tables_.begin(), tables_.end(),
                                  [table](const auto& load) { return load->info.oid == table && !load->abandoned; });
  return found == tables_.end() ? nullptr : found->get();
}

std::uint64_t Loader::rows_read(replication::Oid table) const {
  const TableLoad* load = load_of(table);
  return load == nullptr ? 0 : load->rows;
}

// A cursor may say that rows are read only when no replay can undo that: a session that comes after a crash would apply
// older changes to them once more, and those of before an ALTER TABLE bring back fields and values that no change that
// follows takes away. So it waits until the position that the stream had, when the rows were written, is recorded.
void Loader::note_cursor(const std::string& table, std::string cursor) {
  noted_.push_back({table, std::move(cursor), pipeline_.processed()});
  on_recorded(recorded_);
}

void Loader::on_recorded(replication::Lsn position) {
  recorded_ = std::max(recorded_, position);
  while (!noted_.empty() && noted_.front().when_recorded <= recorded_) {
    write_cursor(noted_.front().table, noted_.front().cursor);
    noted_.pop_front();
  }
}

void Loader::write_cursor(const std::string& table, const std::string& cursor) {
  sinks::append(sinks::Bookkeeping::cursors, {"HSET", options_.load_key, table, cursor}, sink_.batch());
  sink_.loaded(0);
}

}  // namespace walrelay::sidecar
