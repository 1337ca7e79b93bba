#include "sidecar/verify.h"

#include <algorithm>

#include "sidecar/document_sql.h"
#include "sidecar/policy.h"
#include "sidecar/verify_chunk.h"

namespace walrelay::sidecar {

using replication::Row;

namespace {

constexpr std::size_t kSuspectsAtOnce = 256;  // in one statement
constexpr event::milliseconds kUnsettled{100};

}  // namespace

Verify::Verify(event::Loop& loop, Relations& relations, ChunkReader& reader, Rereads& rereads, Documents& documents,
               sinks::Sink& sink, replication::Connection& postgres, sinks::RedisConnection& redis, VerifyScope scope)
    : loop_(loop),
      relations_(relations),
      reader_(reader),
      rereads_(rereads),
      documents_(documents),
      sink_(sink),
      postgres_(postgres),
      redis_(redis),
      scope_(std::move(scope)),
      chance_(std::random_device{}()),
      began_(std::chrono::steady_clock::now()) {}

Verify::~Verify() = default;

bool Verify::bind() {
  const Table* table = relations_.find(scope_.table.oid);
  auto shape = relations_.settled(scope_.table.oid);
  if (!shape || table->loading) return false;
  relation_ = std::move(shape->relation);
  version_ = shape->version;
  writer_ = relations_.bind_again(relation_);
  if (writer_ == nullptr) return false;
  chosen_.clear();
  for (const std::string& mapping : writer_->mappings()) chosen_.push_back(mapping == scope_.mapping);
  choose_subjects();
  return true;
}

bool Verify::still_holds() const {
  const Table* table = relations_.find(scope_.table.oid);
  return table != nullptr && !table->loading && relations_.settled_version(scope_.table.oid) == version_;
}

// A table that is being read, or whose columns are changing, is compared afterwards.
event::Task<> Verify::hold_still() {
  while (!stopped_ && !still_holds() && !bind()) {
    const Table* table = relations_.find(scope_.table.oid);
    const bool gone = table == nullptr || table->writer == nullptr || relations_.described(scope_.table.oid) == nullptr;
    if (gone) stopped_ = interrupted_ = true;
    auto pause = event::sleep(loop_, kUnsettled);
    co_await std::move(pause);
  }
}

bool Verify::wanted() {
  return scope_.sample >= 100 || std::uniform_real_distribution<>(0, 100)(chance_) < scope_.sample;
}

replication::ChunkRequest Verify::whole_table(std::string where) const {
  replication::ChunkRequest request;
  request.schema = scope_.table.schema;
  request.table = scope_.table.name;
  request.only = !scope_.table.partitioned;
  request.where = std::move(where);
  return request;
}

event::Task<> Verify::run() {
  auto settling = hold_still();
  co_await std::move(settling);
  if (stopped_) co_return;
  if (scope_.where.empty()) {
    auto comparing = compare_ranges();
    co_await std::move(comparing);
  } else {
    auto comparing = compare_subjects(whole_table(scope_.where));
    co_await std::move(comparing);
  }
}

// Each subject of its own: a document's value comes from another query than a row.
event::Task<> Verify::compare_subjects(replication::ChunkRequest request) {
  const auto subjects = subjects_;
  for (const auto& subject : subjects) {
    if (stopped_) co_return;
    document_ = subject;
    auto comparing = compare(request, How::by_bytes);
    co_await std::move(comparing);
    auto judging = judge_suspects();
    co_await std::move(judging);
  }
}

event::Task<> Verify::compare_ranges() {
  auto asking =
      postgres_.query(leaves_sql(scope_.table), "read the size of table \"" + scope_.table.qualified() + "\"");
  const auto found = co_await std::move(asking);
  for (const LoadLeaf& leaf : leaves_in(found)) {
    LoadRange range;
    for (; !stopped_ && !range.last; range.from = range.to) {
      range.to = range.from + scope_.pages;
      range.last = range.to >= leaf.pages;
      if (!wanted()) continue;
      auto settling = hold_still();
      co_await std::move(settling);
      if (stopped_) co_return;
      replication::ChunkRequest request;
      request.schema = leaf.schema;
      request.table = leaf.name;
      request.where = range.where();
      auto comparing = compare_subjects(std::move(request));
      co_await std::move(comparing);
      auto resting = keep_rate();
      co_await std::move(resting);
    }
  }
}

event::Task<> Verify::compare(replication::ChunkRequest request, How how) {
  for (const auto& column : relation_.columns) request.columns.push_back(column.name);
  if (!scope_.table.row_filter.empty()) request.where += " AND (" + scope_.table.row_filter + ")";
  request.binary = scope_.binary;
  if (document_) ask_for_documents(request);
  Chunk chunk(*this, how);
  bool changed = false;
  try {
    auto reading = reader_.run(chunk, std::move(request));
    co_await std::move(reading);
    auto finishing = chunk.finish();
    co_await std::move(finishing);
  } catch (const replication::PostgresError& error) {
    changed = table_changed(error);
    if (!changed) throw;
  }
  if (changed) stopped_ = interrupted_ = true;  // it will be read anew
}

event::Task<> Verify::judge_suspects() {
  while (!stopped_ && !suspects_.empty()) {
    if (!still_holds()) suspects_.clear();  // another shape: it is being read anew
    std::vector<RowKey> rows;
    while (!suspects_.empty() && rows.size() < kSuspectsAtOnce) {
      rows.push_back(row_named(*suspects_.begin()));
      suspects_.erase(suspects_.begin());
    }
    if (rows.empty()) co_return;
    std::vector<const RowKey*> keys;
    for (const RowKey& row : rows) keys.push_back(&row);
    auto comparing = compare(whole_table("(" + where_clause(keys) + ")"), How::closely);
    co_await std::move(comparing);
  }
}

event::Task<> Verify::keep_rate() {
  if (scope_.rows_a_second == 0) co_return;
  const auto due = began_ + std::chrono::milliseconds(rows_ * 1000 / scope_.rows_a_second);
  while (!stopped_ && std::chrono::steady_clock::now() < due) {
    auto pause = event::sleep(loop_, kUnsettled);
    co_await std::move(pause);
  }
}

}  // namespace walrelay::sidecar
