// What the reader takes of the dirty documents and gives back, and how far all of it is (documents.h).
#include <algorithm>

#include "sidecar/documents.h"

namespace walrelay::sidecar {

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
      if (lookups.waiting() > 0) return work_of(document, source, lookups, most);
    }
    if (kept.ids.waiting() > 0) return work_of(document, std::nullopt, kept.ids, most);
  }
  return std::nullopt;
}

Documents::Work Documents::work_of(std::size_t document, std::optional<std::size_t> source, DirtySet& set,
                                   std::size_t most) const {
  Work work{document, source, set.take(most), 0, kept_[document].epoch, kept_[document].renewal};
  work.reading = set.last_reading();
  return work;
}

void Documents::give_back(const Work& work) {
  Kept& kept = kept_[work.document];
  DirtySet& set = work.source ? kept.lookups.at(*work.source) : kept.ids;
  for (const std::string& id : work.ids) {
    if (work.renewal == kept.renewal) {
      set.give_back(id, work.reading);
    } else if (set.drop(id, work.reading)) {  // read with all the others; but it was marked since
      note(work.document, "SADD", work.source ? lookup_note(work.document, *work.source, id) : "d" + id);
    }
  }
  sink_.loaded(0);
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
  if (written != nullptr && kept_[work.document].ids.may_land(id, work.reading)) {
    written->write(to_texts(id), value, sink_.batch());
  }
  if (kept_[work.document].ids.landed(id, work.reading, batches_())) note(work.document, "SREM", "d" + id);
  ++counters_.read;
  sink_.loaded(1);
  made_room();
}

void Documents::refused(const Work& work, const std::string& id) {
  if (kept_[work.document].ids.landed(id, work.reading, batches_())) note(work.document, "SREM", "d" + id);
  sink_.loaded(0);
  made_room();
}

void Documents::looked_up(const Work& work) {
  for (const std::string& key : work.ids) {
    if (!kept_[work.document].lookups.at(*work.source).landed(key, work.reading, batches_())) continue;
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
