// What a session does about mappings that are not what they were when Redis was last written (session.h).
//
//   walrelay:{slot}:mappings     as now      ─> nothing
//   (name -> fingerprint)        other, new  ─> its tables are read again, and a rebuild of it sweeps
//                                gone        ─> its keys stay; or are removed, where a reload has kept what it was
#include <algorithm>

#include "replication/chunk_position.h"
#include "sidecar/load_plan.h"
#include "sidecar/log.h"
#include "sidecar/policy.h"
#include "sidecar/session.h"
#include "sidecar/wall_clock.h"
#include "sidecar/wiring.h"
#include "sinks/fingerprint.h"
#include "sinks/retired_keys.h"

namespace walrelay::sidecar {

using replication::TableInfo;

namespace {

const std::string kEvery;  // the name of the default mapping, which is one for every table

bool concerns(const std::set<std::string>& names, const Table& table) {
  if (table.writer == nullptr) return false;
  if (names.count(kEvery) != 0) return true;
  const auto& mappings = table.writer->mappings();
  return std::any_of(mappings.begin(), mappings.end(), [&names](const auto& name) { return names.count(name) != 0; });
}

void add_line(std::string& lines, const std::string& line) { lines += (lines.empty() ? "" : "\n") + line; }

// What would end a session at its start, or leave a table out that a mapping names.
std::string mistake_of(Relations& trial, const TableInfo& info) {
  const bool named = trial.named(info);
  const std::string table = "table \"" + info.qualified() + "\"";
  if (!info.usable_identity) {
    return named ? table + " has no usable replica identity: give it a PRIMARY KEY, or REPLICA IDENTITY FULL" : "";
  }
  if (!info.may_select) return table + " may not be read by this role: GRANT SELECT on it";
  try {
    (void)trial.bind(info);
  } catch (const sinks::MappingError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

std::string Session::mistakes_of(sinks::MappingSet& mappings) {
  if (!catalogue_) return "";
  std::string mistakes;
  std::map<replication::Oid, TableInfo> tables;
  Relations trial(mappings, types_);
  for (const TableInfo& info : catalogue_->found()) {
    if (!mappings.wants(info.schema, info.name)) continue;
    tables[info.oid] = info;
    const std::string mistake = mistake_of(trial, info);
    if (!mistake.empty()) add_line(mistakes, mistake);
  }
  try {
    require_tables(mappings.specs(), tables);
  } catch (const StopError& error) {
    add_line(mistakes, error.what());
  }
  return mistakes;
}

// Where nothing was noted yet nothing can be said.
std::set<std::string> Session::stale_mappings(const sinks::RedisSink::Found& found) {
  std::set<std::string> stale;
  const auto now = sinks::fingerprints(mappings_);
  for (const auto& [name, print] : now) {
    const auto noted = found.mappings.find(name);
    if (!found.mappings.empty() && (noted == found.mappings.end() || noted->second != print)) stale.insert(name);
  }
  for (const auto& [name, print] : found.mappings) {
    if (now.count(name) != 0) continue;
    if (!name.empty() && choices_.retired.empty()) {
      log::warn("a mapping is gone from the configuration; its keys stay in Redis", {{"mapping", name}});
    }
  }
  // Changes from before the publication carried it again are missing.
  for (const auto& [oid, info] : catalogue_->tables()) {
    const Table* table = relations_.find(oid);
    if (table == nullptr || table->writer == nullptr || catalogue_->republished().count(info.qualified()) == 0)
      continue;
    if (found.load.count(info.qualified()) == 0) continue;
    stale.insert(table->writer->mappings().begin(), table->writer->mappings().end());
  }
  return stale;
}

bool Session::is_stale(replication::Oid oid, const std::set<std::string>& stale) {
  const Table* table = relations_.find(oid);
  return table != nullptr && concerns(stale, *table);
}

// A rebuild of walrelay's own, which finds the mapping's tables being read already, and sweeps when they are.
Job Session::joining_rebuild(const std::string& mapping) {
  Job job;
  job.mapping = mapping;
  job.joins_loads = true;
  return job;
}

// A rebuild of each. One that was under way read for the mapping as it was: it begins anew.
void Session::backfill(const std::set<std::string>& stale) {
  if (stale.empty()) return;
  if (!config_.load.initial) {
    return log::warn("mappings are new or have changed, but load.initial is false: only changes are written for them");
  }
  std::set<std::string> names = stale;
  if (names.erase(kEvery) != 0) {
    const auto all = mapping_names().value_or(std::vector<std::string>());
    names.insert(all.begin(), all.end());
  }
  for (const std::string& name : names) {
    Job job = joining_rebuild(name);
    log::info("a mapping is new or has changed: its rows are read again", {{"mapping", name}});
    (void)jobs_.cancel(job.slice(), wall_clock_us());
    (void)jobs_.request(std::move(job), wall_clock_us());
  }
}

// After the records of the jobs, or together with them.
void Session::note_mappings(const sinks::RedisSink::Found& found) {
  const auto now = sinks::fingerprints(mappings_);
  if (now == found.mappings) return;
  const std::string key = sinks::mappings_key(config_.source.slot);
  std::vector<std::string_view> noting{"HSET", key}, forgetting{"HDEL", key};
  for (const auto& [name, print] : now) noting.insert(noting.end(), {name, print});
  for (const auto& [name, print] : found.mappings) {
    if (now.count(name) == 0) forgetting.push_back(name);
  }
  write_control(noting);
  if (forgetting.size() > 2) write_control(forgetting);
}

// What is written to them from now on passes unseen: whoever maps them again must read them again.
void Session::forget_unmapped(const sinks::RedisSink::Found& found) {
  std::set<std::string> mapped;
  for (const auto& [oid, info] : catalogue_->tables()) mapped.insert(info.qualified());
  for (const auto& [table, cursor] : found.load) {
    const std::string unread = unread_again(cursor);
    if (mapped.count(table) != 0 || cursor == unread) continue;
    write_control({"HSET", sinks::load_key(config_.source.slot), table, unread});
  }
}

void Session::look_for_gone_tables() {
  gone_tables_->look(catalogue_->found(), [this] { return catalogue_->ask_end(); });
}

// What is still to come of a table was written before the log's end as it is now, and is written to Redis first.
void Session::purge_gone_tables() {
  if (stopping_) return;
  gone_tables_->purge([this](std::uint64_t question) {
    const auto end = catalogue_->end_since(question);
    return end && pipeline_->processed() >= replication::before_page_header(*end, wal_block_size_, wal_segment_size_);
  });
}

// The old mappings see the tables as they are now; a table that is gone is not known any more, and its keys stay.
event::Task<> Session::bind_retired() {
  std::vector<replication::Oid> types;
  for (const auto& info : catalogue_->found()) {
    for (const auto& column : info.columns) {
      for (const auto* old : choices_.retired) {
        if (old->wants(info.schema, info.name)) types.push_back(column.type_oid);
      }
    }
  }
  auto loading = replication::load_types(watcher_, std::move(types), types_);
  co_await std::move(loading);
  for (auto* old : choices_.retired) {
    Relations before(*old, types_);
    for (const auto& info : catalogue_->found()) {
      if (!info.usable_identity || !before.wants(info.schema, info.name)) continue;
      try {
        retired_.push_back(before.bind(info));
      } catch (const sinks::MappingError& error) {
        log::warn(std::string("keys of a mapping that is no more stay in Redis: ") + error.what());
      }
    }
  }
  for (const auto& [oid, info] : catalogue_->tables()) kept_.push_back(relations_.bind(info));
}

// Before anything else is written: what other kinds of write left under a key would be in the way.
void Session::retire() {
  std::vector<const sinks::RelationWriter*> kept;
  for (const auto& bound : kept_) {
    if (bound.writer != nullptr) kept.push_back(bound.writer.get());
  }
  std::vector<sinks::OwnedKeys> keys;
  for (const auto& bound : retired_) {
    for (auto& each : sinks::keys_left(*bound.writer, kept)) keys.push_back(std::move(each));
  }
  if (keys.empty()) return;
  log::info("removing the keys of mappings that are no more");
  retiring_ = true;
  sink_->remove_owned(std::move(keys), {});
}

void Session::see_whether_retired() {
  if (!retiring_ || sink_->full()) return;
  if (!retired_ticket_) {
    retired_ticket_ = sink_->ticket();
  } else if (sink_->has_shown(*retired_ticket_)) {
    retiring_ = false;
    log::info("the keys of mappings that are no more are removed");
  }
}

}  // namespace walrelay::sidecar
