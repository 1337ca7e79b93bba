#include "sidecar/verify.h"

#include <algorithm>

#include "sidecar/policy.h"

namespace walrelay::sidecar {

using replication::Row;
using sinks::Difference;
using sinks::Expectation;

namespace {

constexpr std::size_t kUnderWay = 8192;       // questions
constexpr std::size_t kSuspectsAtOnce = 256;  // in one statement
constexpr event::milliseconds kUnsettled{100};

}  // namespace

// Rows that become questions. Who differs is noted under its identity, and is nobody's fault when the stream has
// touched it.
class Verify::Chunk final : public ChunkReader::Chunk {
 public:
  Chunk(Verify& verify, How how)
      : ChunkReader::Chunk(verify.reader_, verify.relation_, verify.postgres_),
        verify_(verify),
        how_(how),
        inquiry_(verify.redis_, how == How::by_bytes),
        quiet_(verify.loop_),
        more_(verify.loop_, [this] { verify_.reader_.pump(); }) {
    inquiry_.on_lost = [this] {
      quiet_.set();
      more_.schedule();
    };
    inquiry_.on_answer = [this](const Difference& difference) { answer(difference); };
  }

  // When every row has landed: waits for the answers.
  event::Task<> finish() {
    inquiry_.flush();
    inquiry_.rethrow_if_lost();
    while (inquiry_.under_way() > 0) {
      inquiry_.rethrow_if_lost();
      quiet_.reset();
      co_await quiet_;
    }
  }

 protected:
  [[nodiscard]] bool takes() const override {
    if (inquiry_.lost()) return true;  // to come to an end
    return verify_.applied_() >= opened().position && inquiry_.under_way() < kUnderWay;
  }

  void land(Row row) override {
    if (inquiry_.lost()) return;
    identity_.clear();
    verify_.writer_->append_identity(row, identity_);
    if (how_ == How::by_bytes) ++verify_.rows_;
    if (overtaken(identity_) || verify_.rereads_.find(relation().oid, identity_) != nullptr) {
      ++verify_.moving_;
      return;
    }
    expected_.clear();
    try {
      verify_.writer_->expect(row, expected_);
    } catch (const sinks::RowError&) {
      return;  // it cannot be written either; whoever wrote it said so
    }
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      if (!verify_.chosen_[i] || expected_[i].skip) continue;
      const bool close = how_ == How::closely;
      if (verify_.scope_.seen != nullptr || close) place_ = expected_[i].place();
      if (verify_.scope_.seen != nullptr) verify_.scope_.seen->add(place_);
      open_.push_back({identity_, close ? sinks::shown_place(place_) : "", row_key(row)});
      inquiry_.ask(expected_[i]);
    }
    if (inquiry_.under_way() >= kUnderWay / 2) inquiry_.flush();
  }

 private:
  struct Open {
    std::string identity, key;
    RowKey row;
  };

  RowKey row_key(Row row) const {
    RowKey key;
    if (how_ == How::by_bytes) return key;
    return sidecar::row_key(relation(), row);
  }

  void answer(const Difference& difference) {
    const Open open = std::move(open_.front());
    open_.pop_front();
    if (difference.kind != Difference::Kind::equal) differs(open, difference);
    if (inquiry_.under_way() == 0) quiet_.set();
    if (inquiry_.under_way() <= kUnderWay / 2) more_.schedule();
  }

  void differs(const Open& open, const Difference& difference) {
    newer_now();
    if (overtaken(open.identity) || verify_.rereads_.find(relation().oid, open.identity) != nullptr) {
      ++verify_.moving_;
    } else if (how_ == How::by_bytes) {
      verify_.suspects_.insert(open.identity);
    } else if (verify_.on_difference) {
      verify_.on_difference({difference, open.key, open.identity, open.row});
    }
  }

  Verify& verify_;
  const How how_;
  sinks::RedisInquiry inquiry_;
  std::deque<Open> open_;  // whose answers are to come
  std::vector<Expectation> expected_;
  std::string identity_, place_;
  event::Event quiet_;
  event::Deferred more_;
};

Verify::Verify(event::Loop& loop, Relations& relations, ChunkReader& reader, Rereads& rereads,
               replication::Connection& postgres, sinks::RedisConnection& redis,
               std::function<replication::Lsn()> applied, VerifyScope scope)
    : loop_(loop),
      relations_(relations),
      reader_(reader),
      rereads_(rereads),
      postgres_(postgres),
      redis_(redis),
      applied_(std::move(applied)),
      scope_(std::move(scope)),
      chance_(std::random_device{}()),
      began_(std::chrono::steady_clock::now()) {}

Verify::~Verify() = default;

bool Verify::bind() {
  const Table* table = relations_.find(scope_.table.oid);
  if (table == nullptr || table->writer == nullptr || table->differs || table->loading) return false;
  relation_ = *table->relation;
  writer_ = relations_.bind_again(relation_);
  if (writer_ == nullptr) return false;
  version_ = relation_.version;
  chosen_.clear();
  for (const std::string& mapping : writer_->mappings()) chosen_.push_back(mapping == scope_.mapping);
  return true;
}

bool Verify::still_holds() const {
  const Table* table = relations_.find(scope_.table.oid);
  return table != nullptr && table->writer != nullptr && !table->differs && !table->loading &&
         table->relation->version == version_;
}

// A table that is being read, or whose columns are changing, is compared afterwards.
event::Task<> Verify::hold_still() {
  while (!stopped_ && !still_holds() && !bind()) {
    if (relations_.find(scope_.table.oid) == nullptr) stopped_ = interrupted_ = true;  // gone
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
    auto comparing = compare(whole_table(scope_.where), How::by_bytes);
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
      auto comparing = compare(std::move(request), How::by_bytes);
      co_await std::move(comparing);
      auto judging = judge_suspects();
      co_await std::move(judging);
      auto resting = keep_rate();
      co_await std::move(resting);
    }
  }
}

event::Task<> Verify::compare(replication::ChunkRequest request, How how) {
  for (const auto& column : relation_.columns) request.columns.push_back(column.name);
  if (!scope_.table.row_filter.empty()) request.where += " AND (" + scope_.table.row_filter + ")";
  request.binary = scope_.binary;
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
      rows.push_back(row_of_identity(relation_, writer_->identity_columns(), *suspects_.begin()));
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
