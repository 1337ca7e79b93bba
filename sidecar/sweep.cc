#include "sidecar/sweep.h"

#include <simdjson.h>

#include <algorithm>

#include "sidecar/policy.h"
#include "sidecar/sweep_answers.h"
#include "sidecar/sweep_sql.h"
#include "sinks/checkpoint.h"

namespace walrelay::sidecar {

using replication::Oid;

namespace {

constexpr std::size_t kReadings = 16;           // of one key; with more of them nothing is concluded
constexpr std::size_t kQuestionsAtOnce = 1000;  // in one statement
constexpr std::size_t kKeysAtOnce = 2000;
constexpr event::milliseconds kUnsettled{100};  // until a table whose columns are changing is looked at again
const char* const kScanCount = "1000";

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
  const auto& columns = owner.writer->place_columns(write);
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
    if (table->writer == nullptr || info == nullptr) continue;
    auto owner = std::make_unique<Owner>();
    owner->oid = oid;
    owner->version = table->relation->version;
    owner->relation = *table->relation;
    owner->writer = relations_.bind_again(owner->relation);
    if (owner->writer == nullptr) continue;
    owner->partitioned = info->partitioned;
    owner->row_filter = info->row_filter;
    for (std::size_t write = 0; write < owner->writer->writes().size(); ++write) {
      owner->swept.push_back(in_scope(*owner, write));
    }
    owners_.push_back(std::move(owner));
  }
}

// The stream still speaks of the table as it did when the questions were asked: identities can be compared.
bool Sweep::still_holds(const Owner& owner) const {
  const Table* table = relations_.find(owner.oid);
  return table != nullptr && table->writer != nullptr && !table->differs && table->relation->version == owner.version;
}

event::Task<> Sweep::run() {
  std::set<std::string> globs;
  for (const auto& owner : owners_) {
    for (std::size_t i = 0; i < owner->swept.size(); ++i) {
      if (owner->swept[i]) globs.insert(owner->writer->owned()[i].glob);
    }
  }
  if (globs.empty()) co_return;
  std::vector<std::string> keys;
  std::string cursor = "0";
  do {
    std::vector<std::string> step{"SCAN", cursor, "COUNT", kScanCount};
    if (globs.size() == 1) step.insert(step.end(), {"MATCH", *globs.begin()});
    auto scanning = redis_.command(std::move(step));
    const sinks::Reply reply = co_await std::move(scanning);
    if (reply.elements.size() != 2) throw sinks::RedisError("LOST", redis_.name() + " answered SCAN with no cursor");
    cursor = reply.elements[0].text;
    for (const sinks::Reply& key : reply.elements[1].elements) {
      if (sinks::is_bookkeeping(key.text)) continue;
      ++counts_.scanned;
      if (scope_.seen == nullptr || !scope_.seen->contains(key.text)) keys.push_back(key.text);
    }
    if (keys.size() < kKeysAtOnce && cursor != "0") continue;
    if (scope_.sample < 100 && std::uniform_real_distribution<>(0, 100)(chance_) >= scope_.sample) {
      keys.clear();
      continue;
    }
    auto looking = page(std::exchange(keys, {}));
    co_await std::move(looking);
  } while (!stopped_ && cursor != "0");
}

event::Task<> Sweep::page(std::vector<std::string> keys) {
  while (!stopped_) {
    while (sink_.full()) {
      writable_.reset();
      co_await writable_;
    }
    Page doubts;
    for (const std::string& key : keys) doubts.push_back({key});
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

// One list for each write of each table that is asked, short enough for one statement.
std::vector<std::vector<Sweep::Question>> Sweep::question(Page& page) {
  std::map<std::pair<std::size_t, std::size_t>, std::vector<Question>> open;
  std::vector<std::vector<Question>> lists;
  std::vector<sinks::KeyReading> readings;
  for (std::size_t d = 0; d < page.size(); ++d) {
    Doubt& doubt = page[d];
    if (!simdjson::validate_utf8(doubt.key)) continue;  // PostgreSQL has no such text
    const auto each_owner = [&](const auto& visit) {
      for (std::size_t o = 0; o < owners_.size(); ++o) {
        const auto& owned = owners_[o]->writer->owned();
        for (std::size_t w = 0; w < owned.size(); ++w) {
          if (owned[w].owns(doubt.key)) visit(o, w);
        }
      }
    };
    bool wanted = false;
    each_owner([&](std::size_t o, std::size_t w) {
      if (!owners_[o]->swept[w]) return;
      wanted = true;
      doubt.write = owners_[o]->writer->writes()[w];
    });
    if (!wanted) continue;
    each_owner([&](std::size_t o, std::size_t w) {
      readings.clear();
      if (!owners_[o]->writer->readings(w, doubt.key, kReadings, readings)) doubt.undecided = true;
      auto& list = open[{o, w}];
      for (auto& reading : readings) list.push_back({d, o, w, std::move(reading)});
      if (list.size() >= kQuestionsAtOnce) lists.push_back(std::exchange(list, {}));
    });
  }
  for (auto& [site, list] : open) {
    if (!list.empty()) lists.push_back(std::move(list));
  }
  return lists;
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
  SweepTable table{owner.relation.schema, owner.relation.name, owner.partitioned, owner.row_filter, {}, {}};
  for (const auto& [column, text] : questions.front().reading.columns) {
    table.columns.push_back(owner.relation.columns[column].name);
    table.types.push_back(owner.types[column]);
  }
  const replication::Relation& line = owner.lines[questions.front().write] = sweep_relation(table, owner.oid);
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
