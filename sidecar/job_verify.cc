// Verify: rows against Redis, then Redis against rows; and mending what was found (job_runner.h).
#include <simdjson.h>

#include "sidecar/job_runner.h"

namespace walrelay::sidecar {

namespace {

constexpr std::size_t kDifferences = 100;  // that a record keeps
constexpr event::milliseconds kMending{50};

const char* name_of(sinks::Difference::Kind kind) {
  switch (kind) {
    case sinks::Difference::Kind::equal:
      return "equal";
    case sinks::Difference::Kind::missing:
      return "missing";
    case sinks::Difference::Kind::stale:
      return "stale";
    case sinks::Difference::Kind::wrong_type:
      return "wrong type";
    case sinks::Difference::Kind::wrong_ttl:
      return "wrong ttl";
    case sinks::Difference::Kind::unexpected:
      return "unexpected";
  }
  return "unknown";
}

// A value as a person reads it: quoted, or as hexadecimal digits, and no longer than a screen.
std::string shown(const std::optional<std::string>& value) {
  constexpr std::size_t kMost = 400;
  if (!value) return "nothing";
  std::string text = value->substr(0, kMost);
  while (value->size() > kMost && !text.empty() &&
         (static_cast<unsigned char>((*value)[text.size()]) & 0xc0U) == 0x80) {
    text.pop_back();  // not within a character
  }
  const std::string rest = value->size() > text.size() ? " (of " + std::to_string(value->size()) + " bytes)" : "";
  if (simdjson::validate_utf8(text)) return '"' + text + '"' + rest;
  constexpr const char* kDigits = "0123456789abcdef";
  std::string digits = "\\x";
  for (const char byte : text) {
    digits += kDigits[static_cast<unsigned char>(byte) >> 4U];
    digits += kDigits[static_cast<unsigned char>(byte) & 0xfU];
  }
  return digits + rest;
}

std::vector<JobDifference::Values> shown(const std::vector<sinks::Difference::Values>& values) {
  std::vector<JobDifference::Values> all;
  for (const auto& each : values) all.push_back({each.field, shown(each.expected), shown(each.observed)});
  return all;
}

}  // namespace

event::Task<> JobRunner::verify(std::string slice, Tables tables) {
  {
    Job& job = *running(slice);  // one that was interrupted begins anew: what it found may have been mended
    job.processed = job.repaired = job.moving = 0;
    job.found.clear();
    job.differences.clear();
    job.total = 0;
    for (const auto& info : tables)
      job.total += static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.estimated_rows));
    enter(job, JobPhase::reading);
  }
  before_ = 0;
  for (const auto& info : tables) {
    auto checking = require_readable(info);
    co_await std::move(checking);
    if (running(slice) == nullptr) co_return;
    auto comparing = verify_table(slice, info);
    co_await std::move(comparing);
    if (running(slice) == nullptr) co_return;
  }
  auto sweeping = sweep(slice, tables);
  co_await std::move(sweeping);
  Job* job = running(slice);
  if (job == nullptr) co_return;
  if (const std::uint64_t ghosts = std::exchange(job->removed, 0); ghosts > 0) {
    job->found["ghost"] = ghosts;
    for (const std::string& key : job->examples) job->differences.push_back({"ghost", key, {}});
    if (job->repair) job->repaired += ghosts;
  }
  job->examples.clear();
  while (running(slice) != nullptr && job->repair && !rereads_.empty()) {  // until what is mended stands in Redis
    auto pause = event::sleep(loop_, kMending);
    co_await std::move(pause);
  }
  if (running(slice) == nullptr || !running(slice)->repair) co_return;
  auto settling = settle_documents(slice, tables);
  co_await std::move(settling);
}

event::Task<> JobRunner::verify_table(std::string slice, replication::TableInfo info) {
  auto asking = condition(slice, info);
  VerifyScope scope;
  scope.where = co_await std::move(asking);
  redis_ = std::make_unique<sinks::RedisConnection>(loop_, options_.redis);
  auto opening = redis_->open();
  co_await std::move(opening);
  const Job* job = running(slice);
  if (job == nullptr) co_return;
  scope.mapping = job->mapping;
  scope.table = info;
  scope.sample = job->sample;
  scope.rows_a_second = job->rows_a_second;
  scope.pages = options_.verify_pages;
  scope.binary = options_.binary;
  scope.seen = &seen_;
  verify_ = std::make_unique<Verify>(loop_, relations_, reader_, rereads_, documents_, sink_, *postgres_, *redis_,
                                     std::move(scope));
  verify_->on_difference = [this, slice, oid = info.oid](const Verify::Found& found) {
    note_difference(slice, oid, found);
  };
  auto comparing = verify_->run();
  co_await std::move(comparing);
  Job* after = running(slice);
  if (after == nullptr) co_return;
  before_ += verify_->rows();
  after->processed = before_;
  after->moving += verify_->moving();
  if (verify_->interrupted()) {
    after->error = "table \"" + info.qualified() + "\" was altered or dropped while it was compared: verify it again";
  }
  verify_.reset();
}

void JobRunner::note_difference(const std::string& slice, replication::Oid oid, const Verify::Found& found) {
  Job* job = running(slice);
  if (job == nullptr) return;
  const std::string kind = name_of(found.difference.kind);
  ++job->found[kind];
  if (job->differences.size() < kDifferences) {
    job->differences.push_back({kind, found.key, found.difference.fields});
    if (job->show_values) job->differences.back().values = shown(found.difference.values);
  }
  Table* table = relations_.find(oid);
  if (!job->repair || table == nullptr || table->writer == nullptr) return;
  if (found.document) {
    documents_.mark(*found.document, found.identity);
    sink_.loaded(0);
  } else {
    pipeline_.mend(*table, found.identity, found.row);
  }
  ++job->repaired;
}

}  // namespace walrelay::sidecar
