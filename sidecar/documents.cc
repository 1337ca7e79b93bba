#include "sidecar/documents.h"

#include <algorithm>

#include "sinks/row_identity.h"

namespace walrelay::sidecar {

using replication::Change;
using replication::Row;
using sinks::DocumentPath;
using sinks::DocumentSpec;

namespace {

constexpr std::uint32_t kNotes = 0xffff0004;  // the Batch entries of notes
constexpr std::size_t kRoom = 4096;           // documents that wait, before the loader does

}  // namespace

Documents::Documents(const std::vector<DocumentSpec>& specs, std::string keys, Relations& relations,
                     Overtaken& overtaken, sinks::Sink& sink, std::function<std::uint64_t()> batches)
    : specs_(specs),
      keys_(std::move(keys)),
      relations_(relations),
      overtaken_(overtaken),
      sink_(sink),
      batches_(std::move(batches)),
      kept_(specs.size()),
      room_(kRoom) {
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    room_ = std::clamp<std::size_t>(specs_[i].most / 2, 1, room_);
    for (std::size_t source = 0; source < specs_[i].sources.size(); ++source) {
      if (!specs_[i].sources[source].lookup.empty()) kept_[i].lookups[source];
    }
  }
}

Documents::~Documents() = default;

const DocumentSpec& Documents::spec(std::size_t document) const { return specs_[document]; }

std::string Documents::note_key(std::size_t document) const { return keys_ + specs_[document].name; }

std::string Documents::to_id(const std::vector<std::string>& texts) {
  std::vector<replication::Value> row;
  std::vector<std::size_t> columns;
  for (const std::string& text : texts) {
    columns.push_back(row.size());
    row.push_back({replication::ValueState::text, text});
  }
  std::string id;
  sinks::append_row_identity(row, columns, id);
  return id;
}

std::vector<std::string> Documents::to_texts(const std::string& id) {
  std::vector<std::string> texts;
  for (std::string_view rest = id; !rest.empty();) {
    texts.emplace_back(sinks::next_of_identity(rest).value_or(""));
  }
  return texts;
}

// Both rows: a line that moves makes the order dirty that it leaves, too. What is NULL belongs to no document.
void Documents::changed(const sinks::RelationWriter& writer, const Change& change) {
  for (const DocumentPath& path : writer.paths()) {
    if (!change.old_row.empty()) follow(path, change.old_row);
    if (!change.new_row.empty()) follow(path, change.new_row);
  }
}

void Documents::loaded(const sinks::RelationWriter& writer, Row row) {
  for (const DocumentPath& path : writer.paths()) {
    if (!path.source) follow(path, row);
  }
  sink_.loaded(0);
}

void Documents::follow(const DocumentPath& path, Row row) {
  const auto told = [&row](std::size_t column) { return row[column].has_text(); };
  if (!std::all_of(path.columns.begin(), path.columns.end(), told)) return;
  id_.clear();
  sinks::append_row_identity(row, path.columns, id_);
  if (path.lookup) {
    mark_lookup(path.document, *path.source, id_);
  } else {
    mark(path.document, id_);
  }
}

void Documents::mark(std::size_t document, const std::string& id) {
  ++counters_.marks;
  overtaken_.overtake(oid_of(document), id);
  if (!kept_[document].ids.mark(id, ++number_)) return;
  note(document, "SADD", "d" + id);
  bound(document);
  if (on_work) on_work();
}

void Documents::mark_lookup(std::size_t document, std::size_t source, const std::string& key) {
  ++counters_.marks;
  if (!kept_[document].lookups.at(source).mark(key, ++number_)) return;
  note(document, "SADD", lookup_note(document, source, key));
  bound(document);
  if (on_work) on_work();
}

// Names the table: the order of a mapping's tables may be another one after a restart.
std::string Documents::lookup_note(std::size_t document, std::size_t source, const std::string& key) const {
  return "l" + specs_[document].sources[source].qualified() + '\0' + key;
}

void Documents::note(std::size_t document, std::string_view command, std::string_view member) {
  const std::string key = note_key(document);
  sinks::Batch& batch = sink_.batch();
  batch.open(kNotes, key, sinks::Effect::ordered);
  batch.command(member.empty() ? 2 : 3);
  batch.argument(command);
  batch.argument(key);
  if (!member.empty()) batch.argument(member);
  batch.close();
}

// Memory is bounded: above it the marks are worth less than one reading of everything.
void Documents::bound(std::size_t document) {
  const Kept& kept = kept_[document];
  std::size_t all = kept.ids.waiting();
  for (const auto& [source, lookups] : kept.lookups) all += lookups.waiting();
  if (all <= specs_[document].most) return;
  ++counters_.overflows;
  all_dirty(document);
}

// The loader will mark them all, later than now; until it has, its cursor in Redis says that they are to be marked.
void Documents::all_dirty(std::size_t document) {
  Kept& kept = kept_[document];
  ++kept.epoch;
  kept.ids.forget_waiting();
  for (auto& [source, lookups] : kept.lookups) lookups.forget_waiting();
  note(document, "UNLINK", "");
  if (on_all_dirty) on_all_dirty(document);
  made_room();
}

void Documents::truncated(const sinks::RelationWriter& writer) {
  for (const DocumentPath& path : writer.paths()) {
    if (path.source) {
      all_dirty(path.document);
    } else {  // the sink removes every key; what is being read may be of before
      ++kept_[path.document].epoch;
      overtaken_.truncate(oid_of(path.document));
    }
  }
}

void Documents::restore(std::size_t document, const std::vector<std::string>& notes) {
  Kept& kept = kept_[document];
  for (const std::string& text : notes) {
    const std::string body = text.substr(std::min<std::size_t>(1, text.size()));
    if (text.starts_with('d')) {
      (void)kept.ids.mark(body, ++number_);
      continue;
    }
    const std::size_t end = body.find('\0');
    for (auto& [source, lookups] : kept.lookups) {
      if (end == std::string::npos || body.substr(0, end) != specs_[document].sources[source].qualified()) continue;
      (void)lookups.mark(body.substr(end + 1), ++number_);
    }
  }
}

bool Documents::any_work() const { return waiting() > 0; }

std::size_t Documents::waiting() const {
  std::size_t all = 0;
  for (const Kept& kept : kept_) {
    all += kept.ids.waiting();
    for (const auto& [source, lookups] : kept.lookups) all += lookups.waiting();
  }
  return all;
}

bool Documents::has_room() const {
  crowded_ = crowded_ || waiting() >= room_;
  return !crowded_;
}

void Documents::made_room() {
  if (!crowded_ || waiting() > room_ / 2) return;
  crowded_ = false;
  if (on_room) on_room();
}

// Documents take turns; of each one the lookups come first, as they find more of its ids.
std::optional<Documents::Work> Documents::take(std::size_t most) {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const std::size_t document = next_++ % kept_.size();
    Kept& kept = kept_[document];
    for (auto& [source, lookups] : kept.lookups) {
      if (lookups.waiting() > 0) return Work{document, source, lookups.take(most), kept.epoch};
    }
    if (kept.ids.waiting() > 0) return Work{document, std::nullopt, kept.ids.take(most), kept.epoch};
  }
  return std::nullopt;
}

void Documents::give_back(const Work& work) {
  Kept& kept = kept_[work.document];
  DirtySet& set = work.source ? kept.lookups.at(*work.source) : kept.ids;
  for (const std::string& id : work.ids) set.give_back(id);
}

bool Documents::holds(const Work& work) const { return kept_[work.document].epoch == work.epoch; }

sinks::DocumentValue* Documents::value_of(std::size_t document) {
  Kept& kept = kept_[document];
  const Table* known = relations_.find(kept.root);
  if (known != nullptr && known->writer != nullptr) {
    if (sinks::DocumentValue* value = known->writer->document(document)) return value;
  }
  for (const auto& [oid, table] : relations_.all()) {
    kept.root = oid;
    sinks::DocumentValue* value = table->writer == nullptr ? nullptr : table->writer->document(document);
    if (value != nullptr) return value;
  }
  return nullptr;
}

void Documents::landed(const Work& work, const std::string& id, std::optional<std::string_view> value) {
  sinks::DocumentValue* written = value_of(work.document);
  if (written != nullptr) written->write(to_texts(id), value, sink_.batch());
  if (kept_[work.document].ids.landed(id, batches_())) note(work.document, "SREM", "d" + id);
  ++counters_.read;
  sink_.loaded(1);
  made_room();
}

void Documents::refused(const Work& work, const std::string& id) {
  if (kept_[work.document].ids.landed(id, batches_())) note(work.document, "SREM", "d" + id);
  sink_.loaded(0);
  made_room();
}

void Documents::looked_up(const Work& work) {
  for (const std::string& key : work.ids) {
    if (!kept_[work.document].lookups.at(*work.source).landed(key, batches_())) continue;
    note(work.document, "SREM", lookup_note(work.document, *work.source, key));
  }
  counters_.lookups += work.ids.size();
  sink_.loaded(0);
  made_room();
}

void Documents::on_batches_in_redis(std::uint64_t before) {
  for (Kept& kept : kept_) {
    kept.ids.retire(before);
    for (auto& [source, lookups] : kept.lookups) lookups.retire(before);
  }
}

bool Documents::settled_up_to(std::uint64_t number) const {
  return std::all_of(kept_.begin(), kept_.end(), [number](const Kept& kept) {
    return kept.ids.settled_up_to(number) &&
           std::all_of(kept.lookups.begin(), kept.lookups.end(),
                       [number](const auto& each) { return each.second.settled_up_to(number); });
  });
}

bool Documents::unsettled(std::size_t document, const std::string& id) const {
  const Kept& kept = kept_[document];
  return kept.ids.contains(id) ||
         std::any_of(kept.lookups.begin(), kept.lookups.end(), [](const auto& each) { return each.second.size() > 0; });
}

std::size_t Documents::size() const {
  std::size_t all = 0;
  for (const Kept& kept : kept_) {
    all += kept.ids.size();
    for (const auto& [source, lookups] : kept.lookups) all += lookups.size();
  }
  return all;
}

}  // namespace walrelay::sidecar
