#include "sidecar/documents.h"

#include <algorithm>

#include "sinks/bookkeeping.h"
#include "sinks/row_identity.h"

namespace walrelay::sidecar {

using replication::Change;
using replication::Row;
using sinks::DocumentPath;
using sinks::DocumentSpec;

namespace {

constexpr std::size_t kRoom = 4096;  // documents that wait, before the loader does

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
    if (!path.source) {
      follow_root(path, change);
      continue;
    }
    if (!change.old_row.empty()) follow(path, change.old_row);
    if (!change.new_row.empty()) follow(path, change.new_row);
  }
}

// A key that the root leaves is removed by its write (kind_document.cc), and needs no reading: whoever asks for it from
// now on finds no row. But who has begun to read it before must not bring it back.
void Documents::follow_root(const DocumentPath& path, const Change& change) {
  if (!change.old_row.empty() && read_id(path, change.old_row)) {
    const std::string before = id_;
    const bool stays = !change.new_row.empty() && (!read_id(path, change.new_row) || id_ == before);
    overtaken_.overtake(oid_of(path.document), before);
    if (!stays && kept_[path.document].ids.removed(before, ++number_)) note(path.document, "SADD", "d" + before);
  }
  if (!change.new_row.empty()) follow(path, change.new_row);
}

bool Documents::read_id(const DocumentPath& path, Row row) {
  const auto told = [&row](std::size_t column) { return row[column].has_text(); };
  if (!std::all_of(path.columns.begin(), path.columns.end(), told)) return false;
  id_.clear();
  sinks::append_row_identity(row, path.columns, id_);
  return true;
}

void Documents::loaded(const sinks::RelationWriter& writer, Row row) {
  for (const DocumentPath& path : writer.paths()) {
    if (!path.source) follow(path, row);
  }
  sink_.loaded(0);
}

void Documents::follow(const DocumentPath& path, Row row) {
  if (!read_id(path, row)) return;
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
  std::vector<std::string_view> words{command, key};
  if (!member.empty()) words.push_back(member);
  sinks::append(sinks::Bookkeeping::documents, words, sink_.batch());
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
  ++kept.renewal;
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

}  // namespace walrelay::sidecar
