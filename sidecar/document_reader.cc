#include "sidecar/document_reader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "event/crash_point.h"
#include "sidecar/backoff.h"
#include "sidecar/document_sql.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

using replication::Connection;
using replication::PostgresError;
using replication::Row;
using Work = Documents::Work;

namespace {

constexpr double kBytesAtOnce = 1024 * 1024;
constexpr double kMostAtOnce = 500;
constexpr event::milliseconds kIdle{5000};  // before a worker lets its connection go

// What the query says of some rows only: no value of theirs fits.
bool of_a_row(const PostgresError& error) {
  const std::string kind = error.sqlstate().substr(0, 2);
  return kind == "22" || kind == "21" || kind == "23" || kind == "54" || kind == "P0";
}

std::vector<std::vector<std::string>> texts_of(const std::vector<std::string>& ids) {
  std::vector<std::vector<std::string>> texts;
  for (const std::string& id : ids) texts.push_back(Documents::to_texts(id));
  return texts;
}

// The row's columns before `end` as an id; nothing where one is NULL.
std::optional<std::string> id_in(Row row, std::size_t end) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < end; ++i) {
    if (!row[i].has_text()) return std::nullopt;
    texts.emplace_back(row[i].text);
  }
  return Documents::to_id(texts);
}

}  // namespace

// The rows of one query.
class DocumentReader::Chunk final : public ChunkReader::Chunk {
 public:
  using OnRow = std::function<void(Row row)>;
  Chunk(DocumentReader& reader, const replication::Relation& rows, Connection& connection, OnRow on_row)
      : ChunkReader::Chunk(reader.reader_, rows, connection), sink_(reader.sink_), on_row_(std::move(on_row)) {}

 protected:
  void land(Row row) override { on_row_(row); }
  [[nodiscard]] bool takes() override { return sink_.has_room(); }
  [[nodiscard]] replication::Purpose purpose() const override { return replication::Purpose::document; }

 private:
  sinks::Sink& sink_;
  OnRow on_row_;
};

DocumentReader::DocumentReader(event::Loop& loop, DocumentReaderOptions options, Documents& documents,
                               Pipeline& pipeline, sinks::Sink& sink, ChunkReader& reader)
    : loop_(loop),
      options_(std::move(options)),
      documents_(documents),
      pipeline_(pipeline),
      sink_(sink),
      reader_(reader),
      work_ready_(loop),
      room_(loop, [this] { reader_.pump(); }) {}

DocumentReader::~DocumentReader() { workers_.clear(); }

void DocumentReader::start() {
  if (documents_.empty()) return;
  for (std::size_t i = 0; i < options_.connections; ++i) {
    workers_.push_back(std::make_unique<event::Job>(loop_, work(i), [this](std::exception_ptr error) {
      if (error != nullptr && on_failed) on_failed(error);
    }));
  }
}

void DocumentReader::wake() { work_ready_.set(); }

void DocumentReader::on_room() { room_.schedule(); }

event::Task<> DocumentReader::work(std::size_t number) {
  Backoff backoff(number + 101);
  for (;;) {
    while (!documents_.any_work()) {
      work_ready_.reset();
      co_await work_ready_;
    }
    bool failed = false;
    {
      Connection connection(loop_, options_.connection);
      try {
        auto opening = connection.open();
        co_await std::move(opening);
        auto serving = serve(connection);
        co_await std::move(serving);
        backoff.reset();
      } catch (const PostgresError& error) {
        if (judge(error).action == Verdict::Action::stop && !table_changed(error)) throw;
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

event::Task<> DocumentReader::serve(Connection& connection) {
  bool idle_for_long = false;
  event::Timer patience(loop_, [this, &idle_for_long] {
    idle_for_long = true;
    work_ready_.set();
  });
  while (!idle_for_long) {
    const double most = std::clamp(kBytesAtOnce / bytes_each_, 1.0, kMostAtOnce);
    if (auto work = documents_.take(static_cast<std::size_t>(most))) {
      patience.stop();
      auto reading = work->source ? look_up(connection, std::move(*work)) : read(connection, std::move(*work));
      co_await std::move(reading);
      continue;
    }
    work_ready_.reset();
    patience.start(kIdle);
    co_await work_ready_;
  }
}

namespace {

// Whatever happens, what has not landed is read by somebody.
struct Hold {
  Hold(Documents& all, const Work& taken) : documents(all), work(taken) {}
  ~Hold() { documents.give_back(work); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  Documents& documents;
  const Work& work;
};

}  // namespace

event::Task<> DocumentReader::read(Connection& connection, Work work) {
  const Hold hold(documents_, work);
  std::vector<Ids> lists{work.ids};
  while (!lists.empty() && documents_.holds(work)) {
    Ids ids = std::move(lists.back());
    lists.pop_back();
    auto reading = read_some(connection, work, std::move(ids));
    const Ids left = co_await std::move(reading);
    if (left.empty()) continue;
    const auto middle = left.begin() + static_cast<std::ptrdiff_t>((left.size() + 1) / 2);
    lists.emplace_back(left.begin(), middle);
    if (middle != left.end()) lists.emplace_back(middle, left.end());
  }
}

replication::ChunkRequest DocumentReader::request(std::size_t document) const {
  const sinks::DocumentSpec& spec = documents_.spec(document);
  replication::ChunkRequest request;
  request.schema = spec.schema;
  request.table = spec.table;
  request.path = search_path(spec);
  for (const auto& source : spec.sources) request.also.emplace_back(source.schema, source.table);
  return request;
}

// Gives those that have not been read, as one of them breaks the query. What has landed is nobody's any more: another
// reader may have it.
event::Task<DocumentReader::Ids> DocumentReader::read_some(Connection& connection, const Work& work, Ids ids) {
  const sinks::DocumentSpec& spec = documents_.spec(work.document);
  const replication::Relation relation = document_relation(spec, Documents::oid_of(work.document));
  std::map<std::string, bool> asked;  // whether a row came
  for (const std::string& id : ids) asked[id] = false;
  std::set<std::string> doubled;
  const auto on_row = [&](Row row) {
    const auto id = id_in(row, spec.id.size());
    const auto found = id ? asked.find(*id) : asked.end();
    if (found == asked.end() || !documents_.holds(work)) return;
    if (std::exchange(found->second, true)) return void(doubled.insert(*id));
    const replication::Value& value = row[spec.id.size()];
    bytes_each_ = bytes_each_ * 0.95 + 0.05 * static_cast<double>(value.text.size() + 1);
    documents_.landed(work, *id, value.has_text() ? std::optional(value.text) : std::nullopt);
    event::crash_point();
  };
  Chunk chunk(*this, relation, connection, on_row);
  replication::ChunkRequest asking = request(work.document);
  asking.select = document_sql(spec, texts_of(ids));
  std::string broken;
  try {
    auto running = reader_.run(chunk, std::move(asking));
    co_await std::move(running);
  } catch (const PostgresError& error) {
    if (!of_a_row(error)) throw;
    broken = error.what();
  }
  Ids left;
  if (!documents_.holds(work)) co_return left;
  for (const auto& [id, came] : asked) {
    if (came) continue;
    if (broken.empty()) {
      documents_.landed(work, id, std::nullopt);
    } else if (ids.size() == 1) {
      refuse(work, id, broken);
    } else {
      left.push_back(id);
    }
  }
  if (!doubled.empty()) refuse(work, *doubled.begin(), "the query gives more than one row for a document");
  co_return left;
}

// It stays as it is in Redis, and is not asked for again before it is marked again.
void DocumentReader::refuse(const Work& work, const std::string& id, const std::string& why) {
  const sinks::DocumentSpec& spec = documents_.spec(work.document);
  sinks::DeadLetter letter;
  letter.image.table = spec.root();
  letter.image.operation = "read";
  letter.write = spec.site;
  letter.error = spec.site + ": " + why;
  pipeline_.refuse(spec.on_poison, std::move(letter));
  documents_.refused(work, id);
}

event::Task<> DocumentReader::look_up(Connection& connection, Work work) {
  const Hold hold(documents_, work);
  const sinks::DocumentSpec& spec = documents_.spec(work.document);
  const sinks::DocumentSource& source = spec.sources[*work.source];
  const auto keys = texts_of(work.ids);
  const replication::Relation relation = id_relation(spec, Documents::oid_of(work.document));
  const auto on_row = [&](Row row) {
    const auto id = id_in(row, spec.id.size());
    if (!id || !documents_.holds(work)) return;
    documents_.mark(work.document, *id);
    sink_.loaded(0);
  };
  Chunk chunk(*this, relation, connection, on_row);
  replication::ChunkRequest asking = request(work.document);
  asking.select = lookup_sql(source, keys, keys.front().size());
  auto running = reader_.run(chunk, std::move(asking));
  co_await std::move(running);
  if (documents_.holds(work)) documents_.looked_up(work);
}

}  // namespace walrelay::sidecar
