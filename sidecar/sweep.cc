#include "sidecar/sweep.h"

#include <algorithm>

#include "sidecar/policy.h"
#include "sidecar/sweep_answers.h"
#include "sidecar/sweep_sql.h"
#include "sinks/checkpoint.h"
#include "sinks/place.h"
#include "sinks/redis_members.h"
#include "sinks/redis_scan.h"

namespace walrelay::sidecar {

using replication::Oid;
using Members = sinks::OwnedKeys::Members;

namespace {

constexpr std::size_t kPlacesAtOnce = 2000;
constexpr event::milliseconds kUnsettled{100};  // until a table whose columns are changing is looked at again
constexpr std::size_t kScanCount = 1000;

// What a key says cannot be a value of the column's type: no such row can be.
bool impossible(const replication::PostgresError& error) {
  return error.sqlstate().substr(0, 2) == "22" || error.sqlstate() == "23514" || error.sqlstate() == "42804";
}

}  // namespace

Sweep::Sweep(event::Loop& loop, Relations& relations, ChunkReader& reader, sinks::Sink& sink,
             replication::Connection& postgres, sinks::RedisConnection& redis,
             std::function<replication::Lsn()> applied, SweepScope scope)
    : loop_(loop),
      relations_(relations),
      reader_(reader),
      sink_(sink),
      postgres_(postgres),
      redis_(redis),
      applied_(std::move(applied)),
      scope_(std::move(scope)),
      writable_(loop),
      chance_(std::random_device{}()) {
  look_up_owners();
}

Sweep::~Sweep() = default;

bool Sweep::in_scope(const Owner& owner, std::size_t write) const {
  if (scope_.tables.count(owner.oid) == 0 || owner.writer->mappings()[write] != scope_.mapping) return false;
  const auto& columns = owner.writer->reading_columns(write);
  return std::all_of(scope_.where.begin(), scope_.where.end(), [&](const auto& wanted) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](std::size_t column) { return owner.relation.columns[column].name == wanted.first; });
  });
}

bool Sweep::can_sweep() const {
  return std::any_of(owners_.begin(), owners_.end(), [](const auto& owner) {
    return std::find(owner->swept.begin(), owner->swept.end(), true) != owner->swept.end();
  });
}

void Sweep::look_up_owners() {
  owners_.clear();
  for (const auto& [oid, table] : relations_.all()) {
    const auto* info = relations_.described(oid);
    auto shape = relations_.settled(oid);
    if (table->writer == nullptr || info == nullptr) continue;
    if (!shape) shape = {*table->relation, 0};  // nothing is decided until it has one
    auto owner = std::make_unique<Owner>();
    owner->oid = oid;
    owner->version = shape->version;
    owner->relation = std::move(shape->relation);
    owner->writer = relations_.bind_again(owner->relation);
    if (owner->writer == nullptr) continue;
    owner->partitioned = info->partitioned;
    owner->row_filter = info->row_filter;
    for (std::size_t write = 0; write < owner->writer->writes().size(); ++write) {
      const sinks::OwnedKeys& owned = owner->writer->owned()[write];
      owner->swept.push_back(!owned.none_at_all() && in_scope(*owner, write));
      lists_members_ = lists_members_ || (owner->swept.back() && owned.members != Members::none);
    }
    owners_.push_back(std::move(owner));
  }
}

// The table has the shape that it had when the questions were asked: identities can be compared.
bool Sweep::still_holds(const Owner& owner) const {
  return owner.version != 0 && relations_.settled_version(owner.oid) == owner.version;
}

// For SCAN: the keys of the writes in scope, and those of walrelay's own that say what they support.
std::set<std::string> Sweep::globs() const {
  std::set<std::string> all;
  for (const auto& owner : owners_) {
    for (std::size_t i = 0; i < owner->swept.size(); ++i) {
      const sinks::OwnedKeys& owned = owner->writer->owned()[i];
      if (owner->swept[i]) all.insert(owned.supported ? "walrelay:{*" : owned.glob);
    }
  }
  return all;
}

event::Task<> Sweep::run() {
  const std::set<std::string> wanted = globs();
  if (wanted.empty()) co_return;
  sinks::RedisScan scanning(loop_, redis_, wanted, kScanCount);
  while (!stopped_ && !scanning.ended()) {
    auto turning = scanning.next();
    const std::vector<std::string> keys = co_await std::move(turning);
    for (const std::string& key : keys) {
      const std::set<Members> listed = consider(key);
      if (listed.empty()) continue;
      auto adding = add_members(key, listed);
      co_await std::move(adding);
    }
    auto looking = look_at(scanning.ended());
    co_await std::move(looking);
  }
}

// Its place joins the page to come: the key itself, or the one that it speaks of. Answers which kinds of shared members
// it may hold: they are for add_members().
std::set<Members> Sweep::consider(const std::string& key) {
  const bool state = sinks::is_bookkeeping(key);
  counts_.scanned += state ? 0 : 1;
  // Nearly all keys of a rebuild.
  if (!state && !lists_members_ && scope_.seen != nullptr && scope_.seen->contains(key)) return {};
  std::set<Members> listed;
  for (const auto& owner : owners_) {
    for (std::size_t i = 0; i < owner->swept.size(); ++i) {
      const sinks::OwnedKeys& owned = owner->writer->owned()[i];
      if (!owner->swept[i]) continue;
      if (state) {
        const auto place = owned.supported ? owned.supported(key) : std::nullopt;
        if (place) add(*place);
      } else if (!owned.supported && owned.owns(key)) {
        listed.insert(owned.members);
      }
    }
  }
  // A key that rows share is no row's own, though it may look like one ("ds:all" beside "ds:{name}").
  if (listed.erase(Members::none) != 0 && !is_shared(key)) add(key);
  return listed;
}

event::Task<> Sweep::add_members(std::string key, std::set<Members> listed) {
  for (const Members members : listed) {
    sinks::RedisMembers list(redis_, key, members);
    while (!stopped_ && !list.ended()) {
      auto listing = list.next();
      const std::vector<std::string> some = co_await std::move(listing);
      for (const std::string& member : some) add(sinks::place_of(key, member));
      auto looking = look_at(false);
      co_await std::move(looking);
    }
  }
}

bool Sweep::is_shared(const std::string& key) const {
  return std::any_of(owners_.begin(), owners_.end(), [&key](const auto& owner) {
    const auto& owned = owner->writer->owned();
    return std::any_of(owned.begin(), owned.end(), [&key](const sinks::OwnedKeys& some) {
      return some.members != Members::none && some.owns(key);
    });
  });
}

void Sweep::add(std::string place) {
  if (scope_.seen == nullptr || !scope_.seen->contains(place)) places_.push_back(std::move(place));
}

// A page is full, or it is the last.
event::Task<> Sweep::look_at(bool last) {
  if (places_.size() < kPlacesAtOnce && !last) co_return;
  std::vector<std::string> places = std::exchange(places_, {});
  if (places.empty()) co_return;
  if (scope_.sample < 100 && std::uniform_real_distribution<>(0, 100)(chance_) >= scope_.sample) co_return;
  auto looking = page(std::move(places));
  co_await std::move(looking);
}

event::Task<> Sweep::page(std::vector<std::string> places) {
  while (!stopped_) {
    while (sink_.full()) {
      writable_.reset();
      co_await writable_;
    }
    Page doubts;
    for (const std::string& place : places) doubts.push_back({place});
    bool settled = true;
    const auto groups = question(doubts);
    for (const auto& questions : groups) {
      auto asking = ask(*owners_[questions.front().owner], doubts, questions);
      const bool answered = co_await std::move(asking);
      settled = settled && answered;
    }
    auto confirming = confirm(doubts);
    co_await std::move(confirming);
    for (const auto& owner : owners_) settled = settled && still_holds(*owner);
    if (settled && !stopped_) decide(doubts);
    answers_.clear();
    if (settled || stopped_) co_return;
    auto pause = event::sleep(loop_, kUnsettled);
    co_await std::move(pause);
    look_up_owners();
  }
}

// The names of the columns' types, with their modifiers, as the catalogue prints them.
event::Task<> Sweep::learn_types(Owner& owner) {
  if (!owner.types.empty()) co_return;
  const std::string sql =
      "SELECT attname, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute WHERE attrelid = " +
      std::to_string(owner.oid) + " AND attnum > 0 AND NOT attisdropped";
  auto asking = postgres_.query(sql, "read the columns of table \"" + owner.relation.qualified() + "\"");
  const auto found = co_await std::move(asking);
  for (const auto& column : owner.relation.columns) {
    owner.types.push_back("text");  // gone meanwhile: the page will be asked again
    for (std::size_t i = 0; i < found.rows(); ++i) {
      if (found.text(i, 0) == column.name) owner.types.back() = found.text(i, 1);
    }
  }
}

// False: the table has changed under the question. Where a value is none of its column's type the list is halved, until
// the one that it is stands alone.
event::Task<bool> Sweep::ask(Owner& owner, Page& page, std::vector<Question> questions) {
  auto learning = learn_types(owner);
  co_await std::move(learning);
  const std::size_t write = questions.front().write;
  SweepTable table{owner.relation.schema, owner.relation.name, owner.partitioned, owner.row_filter, {}, {}, {}};
  for (const std::size_t column : owner.writer->reading_columns(write)) {
    table.columns.push_back(owner.relation.columns[column].name);
    table.types.push_back(owner.types[column]);
  }
  for (const std::size_t column : owner.writer->place_columns(write)) {
    table.found.push_back(owner.relation.columns[column].name);
  }
  const replication::Relation& line = owner.lines[write] = sweep_relation(table, owner.oid);
  std::vector<std::vector<Question>> lists;
  lists.push_back(std::move(questions));
  while (!lists.empty()) {
    std::vector<Question> list = std::move(lists.back());
    lists.pop_back();
    std::vector<const sinks::KeyReading*> readings;
    for (const Question& each : list) readings.push_back(&each.reading);
    replication::ChunkRequest request;
    request.schema = table.schema;
    request.table = table.name;
    request.select = sweep_sql(table, readings);
    auto answers = std::make_unique<Answers>(*this, owner, page, line, list);
    bool possible = true, changed = false;
    try {
      auto reading = reader_.run(*answers, std::move(request));
      co_await std::move(reading);
    } catch (const replication::PostgresError& error) {
      possible = !impossible(error);
      changed = table_changed(error);
      if (possible && !changed) throw;
    }
    if (changed) co_return false;
    if (possible) {
      answers_.push_back(std::move(answers));
    } else if (list.size() > 1) {
      const auto middle = list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2);
      lists.emplace_back(list.begin(), middle);
      lists.emplace_back(middle, list.end());
    }
  }
  co_return true;
}

}  // namespace walrelay::sidecar
