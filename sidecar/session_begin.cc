// The moment when a session is decided: what to load, what to take up, and off it goes (session.h).
#include "sidecar/session.h"
#include "sidecar/wall_clock.h"
#include "sidecar/wiring.h"
#include "sinks/bookkeeping.h"

namespace walrelay::sidecar {

using replication::to_string;

namespace {

constexpr event::milliseconds kTick{200};

}  // namespace

// After a gap positions may begin lower than before, on the same server and timeline too (a restored disk): the epoch,
// which only grows as long as Redis keeps what the positions belong to, tells what came before apart from what follows.
sinks::Origin Session::origin_of(const Decision& decision, const sinks::RedisSink::Found& found) const {
  sinks::Origin origin;
  origin.system_identifier = server_.system_identifier;
  origin.timeline = server_.timeline;
  origin.database = server_.database;
  origin.slot_incarnation = decision.load || !found.checkpoint
                                ? to_string(server_.confirmed_flush) + "#" + std::to_string(sink_->epoch())
                                : found.checkpoint->origin.slot_incarnation;
  return origin;
}

void Session::begin(const Decision& decision, const sinks::RedisSink::Found& found) {
  const bool loading = decision.load || decision.resume;
  applied_ = decision.verified;
  wire();
  for (const auto& [oid, table] : relations_.all()) {
    if (table->writer == nullptr) continue;
    for (const std::uint32_t write : table->writer->writes()) {
      write_names_.emplace(
          write, "mapping \"" + table->writer->mapping() + "\", table \"" + table->relation->qualified() + "\"");
    }
  }
  sink_->start(origin_, loading ? "load" : "stream", decision.verified, decision.sent);
  status_.state = loading ? State::loading : State::streaming;
  status_.buffer_limit = config_.flush.max_bytes;
  ++status_.sessions;
  begun_ = true;
  jobs_.restore(found.jobs);
  const bool first = !found.checkpoint && slot_created_;  // what stands there then was never ours
  if (decision.load && !first && !found.empty_database && config_.load.initial) sweep_after_load();
  const auto stale = decision.load ? std::set<std::string>() : stale_mappings(found);
  backfill(stale);
  retire();
  runner_->start();  // before the first read: its records leave with the checkpoint that no longer tells of the gap
  note_mappings(found);
  gone_tables_->restore(found.tables);
  for (const auto& [oid, info] : catalogue_->tables()) gone_tables_->note(info);
  look_for_gone_tables();
  begin_loads(decision, found, stale);
  redis_watch_.emplace(loop_, redis_options(config_.target), status_.redis);
  watching_.emplace(loop_, catalogue_->watch(), [this](std::exception_ptr error) { fail(error); });
  loader_->start();
  document_reader_->start();
  scrub_->start();
  stream_->start();
  ticker_.start(kTick, kTick);
}

void Session::begin_loads(const Decision& decision, const sinks::RedisSink::Found& found,
                          const std::set<std::string>& stale) {
  const std::string load_key = sinks::load_key(config_.source.slot);
  for (const auto& [name, cursor] : found.load) owners_[name] = owner_of_cursor(cursor);
  if (decision.load) {
    write_control({"DEL", load_key, sinks::reread_key(config_.source.slot)});
    forget_documents();
  } else {
    cursors_ = found.load;
    forget_unmapped(found);
    restore_rereads(found.reread);
  }
  bool any = false;
  for (const auto& [oid, info] : catalogue_->tables()) {
    if (!config_.load.initial) {
      write_control({"HSET", load_key, info.qualified(), loaded_cursor(info)});
      continue;
    }
    const auto cursor = cursors_.find(info.qualified());
    const bool loaded = cursor != cursors_.end() && is_loaded(cursor->second, info);
    const bool again = is_stale(oid, stale);  // wherever a load of it had got to
    if (loaded && !again) continue;
    if (!again && slot_created_ && !has_other_owner(info) && is_only_source(info)) {
      remember_source(info);
      continue;
    }
    any = true;
    if (again && cursor != cursors_.end()) cursors_.erase(cursor);
    relations_.set_loading(oid, true);
    const bool settled = slot_created_ || (loaded && catalogue_->republished().count(info.qualified()) == 0);
    if (settled && !has_other_owner(info)) {
      mark_unread(info);
      loader_->add(info, "");
    } else {
      catalogue_->when_settled(info, false);
    }
  }
  if (!any) loader_->on_all_loaded();
}

// Written before any row that it concerns: whatever happens after, the next session knows that the table must be read.
// The word of a namesake stays until that one's rows are gone.
void Session::mark_unread(const replication::TableInfo& info) {
  const std::string unread = unread_cursor(info);
  const auto cursor = cursors_.find(info.qualified());
  if (cursor != cursors_.end() && cursor->second.starts_with(unread + ';')) return;  // taken up where it stopped
  if (loader_) loader_->abandon(info);
  if (has_other_owner(info)) return;
  owners_[info.qualified()] = info.oid;
  write_control({"HSET", sinks::load_key(config_.source.slot), info.qualified(), unread});
}

// Rows may have gone while nobody saw it: their keys must go, too.
void Session::sweep_after_load() {
  for (const std::string& name : mapping_names().value_or(std::vector<std::string>())) {
    (void)jobs_.request(joining_rebuild(name), wall_clock_us());
  }
}

// For a job: the table is read again in place, from its beginning. One that is still settling comes by itself.
void Session::read_again(const replication::TableInfo& info) {
  cursors_.erase(info.qualified());
  if (!has_other_owner(info)) {
    write_control({"HSET", sinks::load_key(config_.source.slot), info.qualified(), unread_cursor(info)});
  }
  if (loader_ && !catalogue_->settles(info.oid)) loader_->add_again(info);
}

bool Session::has_other_owner(const replication::TableInfo& info) const {
  const auto owner = owners_.find(info.qualified());
  return owner != owners_.end() && owner->second != info.oid;
}

void Session::remove_rows_of_namesakes(const replication::TableInfo& info) {
  relations_.retire_namesakes(info);
  const auto bound = relations_.bind(info);
  std::vector<sinks::OwnedKeys> owned = bound.writer->owned();
  std::erase_if(owned, [](const sinks::OwnedKeys& keys) { return keys.none_at_all(); });
  if (owned.empty()) return;
  std::vector<std::uint32_t> writes = sinks::writes_of(owned);
  sink_->remove_owned(std::move(owned), std::move(writes));
}

void Session::restore_rereads(const std::map<std::string, std::string>& notes) {
  for (const auto& [text, unused] : notes) {
    const auto note = parse_note(text);
    if (!note) continue;
    Table* table = relations_.find_written(note->schema, note->table);
    if (table == nullptr) continue;
    std::string identity;
    table->writer->append_identity(values_of(note->key, *table->relation), identity);
    rereads_.add(table->relation->oid, identity, note->key, text, overtaken_.next_chunk());
  }
}

void Session::write_control(const std::vector<std::string_view>& command) {
  sinks::append(sinks::Bookkeeping::loads, command, sink_->batch());
  sink_->loaded(0);
}

}  // namespace walrelay::sidecar
