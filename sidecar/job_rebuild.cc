// Rebuild: read again in place, then sweep (job_runner.h).
#include <algorithm>

#include "event/crash_point.h"
#include "sidecar/job_runner.h"

namespace walrelay::sidecar {

using replication::quote_identifier;
using replication::quote_literal;
using replication::TableInfo;

namespace {

constexpr event::milliseconds kSettling{50};

std::string quoted(const TableInfo& info) { return quote_identifier(info.schema) + "." + quote_identifier(info.name); }

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

JobRunner::Tables JobRunner::tables_of(const Job& job) const {
  Tables tables;
  for (const auto& [oid, info] : catalogue_.tables()) {
    const Table* table = relations_.find(oid);
    if (table == nullptr || table->writer == nullptr || !contains(table->writer->mappings(), job.mapping)) continue;
    if (job.table.empty() || info.qualified() == job.table) tables.push_back(info);
  }
  return tables;
}

// Each column, so that a privilege that is missing fails the job here, and not a worker of the loader.
event::Task<> JobRunner::require_readable(TableInfo info) {
  std::string columns;
  for (const auto& column : streamed_columns(info)) {
    columns += (columns.empty() ? "" : ", ") + quote_identifier(column.name);
  }
  const std::string sql = "SELECT " + columns + " FROM " + quoted(info) + " LIMIT 0";
  std::string refused;
  try {
    auto asking = postgres_->query(sql, "read table \"" + info.qualified() + "\"");
    co_await std::move(asking);
  } catch (const replication::PostgresError& error) {
    if (error.sqlstate() != "42501") throw;
    refused = error.what();
  }
  if (refused.empty()) co_return;
  auto asking = postgres_->query("SELECT quote_ident(current_user)", "ask for the role's name");
  const auto role = co_await std::move(asking);
  throw StopError(ExitCode::postgres, refused + "; run: GRANT USAGE ON SCHEMA " + quote_identifier(info.schema) +
                                          " TO " + role.text(0, 0) + "; GRANT SELECT ON " + quoted(info) + " TO " +
                                          role.text(0, 0));
}

event::Task<> JobRunner::rebuild(std::string slice, Tables tables) {
  const Job* job = running(slice);
  if (!job->dry_run && job->phase != JobPhase::sweeping) {
    auto reading = read(slice, tables);
    co_await std::move(reading);
    auto settling = settle_documents(slice, tables);
    co_await std::move(settling);
  }
  if (running(slice) == nullptr) co_return;
  auto sweeping = sweep(slice, tables);
  co_await std::move(sweeping);
}

// Those of the rows that were read stand in Redis, also where so many were dirty meanwhile that a root is read once
// more.
event::Task<> JobRunner::settle_documents(std::string slice, Tables tables) {
  const auto loading = [this, &tables] {
    return std::any_of(tables.begin(), tables.end(), [this](const TableInfo& info) {
      const Table* table = relations_.find(info.oid);
      // One that was dropped meanwhile is never read to its end.
      return table != nullptr && table->loading && relations_.described(info.oid) != nullptr;
    });
  };
  std::uint64_t marked = documents_.marked();
  while (running(slice) != nullptr && (loading() || !documents_.settled_up_to(marked))) {
    if (loading()) marked = documents_.marked();
    auto pause = event::sleep(loop_, kSettling);
    co_await std::move(pause);
  }
}

event::Task<> JobRunner::read(std::string slice, Tables tables) {
  Job* job = running(slice);
  before_ = job->processed;
  loader_.note_keys(&seen_);
  if (job->phase == JobPhase::waiting) {
    job->total = 0;
    for (const TableInfo& info : tables)
      job->total += static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.estimated_rows));
  }
  for (const TableInfo& info : tables) {
    job = running(slice);
    if (job == nullptr) co_return;
    if (contains(job->tables_done, info.qualified())) continue;
    auto checking = require_readable(info);
    co_await std::move(checking);
    job = running(slice);
    if (job == nullptr) co_return;
    const bool whole = job->where.empty();
    auto reading = whole ? read_table(slice, info) : read_slice(slice, info);
    co_await std::move(reading);
    job = running(slice);
    if (job == nullptr) co_return;
    job->tables_done.push_back(info.qualified());
    job->reading.clear();
    job->processed = before_;
    board_.touch(slice);
  }
}

event::Task<> JobRunner::read_table(std::string slice, TableInfo info) {
  const auto loading = [this, oid = info.oid] {
    const Table* table = relations_.find(oid);
    return table != nullptr && table->loading && relations_.described(oid) != nullptr;  // else it has been dropped
  };
  // What another load has read of it may have been spoilt before this job was asked for: it begins anew.
  Job& job = *running(slice);
  const bool begun = job.joins_loads || job.reading == info.qualified();
  ours_ = !loading();
  refused_.clear();
  if (ours_ || !begun) on_read_again(info);
  job.reading = info.qualified();
  reading_ = info.oid;
  enter(job, JobPhase::reading);
  event::crash_point();
  while (running(slice) != nullptr && loading()) {
    work_.reset();
    co_await work_;
  }
  if (running(slice) == nullptr && ours_) loader_.give_up(info);
  reading_ = 0;
  if (refused_.empty()) co_return;
  auto checking = require_readable(info);  // says what to grant
  co_await std::move(checking);
  throw StopError(ExitCode::postgres, refused_);
}

// The value as the column's type prints it: what stands in keys, and what names the rows.
event::Task<std::string> JobRunner::canonical(TableInfo info, std::string column, std::string value) {
  const std::string types =
      "SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND "
      "attname = $2 AND attnum > 0 AND NOT attisdropped";
  std::vector<std::optional<std::string>> of{std::to_string(info.oid), column};
  auto asking = postgres_->query(types, std::move(of), "read the type of column \"" + column + "\"");
  const auto type = co_await std::move(asking);
  if (type.empty()) {
    throw StopError(ExitCode::usage, "table \"" + info.qualified() + "\" has no column \"" + column + "\"");
  }
  std::vector<std::optional<std::string>> given{value};
  auto converting =
      postgres_->query("SELECT $1::" + type.text(0, 0) + "::text", std::move(given),
                       "the value given for column \"" + column + "\" of table \"" + info.qualified() + "\"");
  const auto text = co_await std::move(converting);
  co_return text.text(0, 0);
}

event::Task<std::string> JobRunner::condition(std::string slice, TableInfo info) {
  std::string where;
  const auto wanted = running(slice)->where;
  for (const auto& [column, value] : wanted) {
    auto converting = canonical(info, column, value);
    const std::string text = co_await std::move(converting);
    where += (where.empty() ? "" : " AND ") + quote_identifier(column) + " = " + quote_literal(text);
  }
  co_return where;
}

event::Task<> JobRunner::read_slice(std::string slice, TableInfo info) {
  auto asking = condition(slice, info);
  const std::string where = co_await std::move(asking);
  Job* job = running(slice);
  if (job == nullptr) co_return;
  enter(*job, JobPhase::reading);
  event::crash_point();
  const auto each = [this, slice](std::uint64_t rows) {
    before_ += rows;
    Job* now = running(slice);
    if (now != nullptr) now->processed = before_;
    return now != nullptr;
  };
  auto reading = loader_.read_slice(*postgres_, info, where, each);
  co_await std::move(reading);
}

event::Task<> JobRunner::sweep(std::string slice, Tables tables) {
  SweepScope scope;
  {
    Job& job = *running(slice);
    enter(job, JobPhase::sweeping);
    scope.mapping = job.mapping;
    scope.dry_run = job.dry_run || (job.kind == JobKind::verify && !job.repair);
    scope.sample = job.kind == JobKind::verify ? job.sample : 100;
    scope.where = job.where;
  }
  for (const TableInfo& info : tables) scope.tables.insert(info.oid);
  loader_.note_keys(nullptr);
  seen_.seal();
  scope.seen = &seen_;
  const auto wanted = scope.where;
  const bool scope_is_whole = wanted.empty();
  for (const auto& [column, value] : wanted) {
    auto converting = canonical(tables.front(), column, value);
    scope.where[column] = co_await std::move(converting);
  }
  redis_ = std::make_unique<sinks::RedisConnection>(loop_, options_.redis);
  auto opening = redis_->open();
  co_await std::move(opening);
  if (running(slice) == nullptr) co_return;
  sweep_ = std::make_unique<Sweep>(loop_, relations_, reader_, sink_, *postgres_, *redis_, options_.applied,
                                   std::move(scope));
  const bool swept = sweep_->can_sweep();
  auto sweeping = sweep_->run();
  co_await std::move(sweeping);
  Job* job = running(slice);
  if (job == nullptr) co_return;
  job->removed = sweep_->counts().removed;
  job->undecided = sweep_->counts().undecided;
  job->examples = sweep_->counts().examples;
  if (swept) co_return;
  job->error = scope_is_whole
                   ? "keys were not swept: the table was dropped meanwhile"
                   : "keys were not swept: no key template of the mapping contains every column of the request";
}

}  // namespace walrelay::sidecar
