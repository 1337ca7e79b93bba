#include "sidecar/dirty_set.h"

namespace walrelay::sidecar {

void DirtySet::wait(Entries::iterator entry, std::uint64_t number) {
  busy_.erase(entry->second.number);
  entry->second.state = State::waiting;
  entry->second.number = number;
  entry->second.again = 0;
  entry->second.removed = false;
  waiting_.emplace(number, &entry->first);
}

DirtySet::Entries::iterator DirtySet::find(const std::string& id, State state) {
  const auto found = entries_.find(id);
  return found == entries_.end() || found->second.state == state ? found : entries_.end();
}

DirtySet::Entries::iterator DirtySet::being_read(const std::string& id, Reading reading) {
  const auto found = find(id, State::reading);
  return found == entries_.end() || found->second.reading == reading ? found : entries_.end();
}

bool DirtySet::mark(const std::string& id, std::uint64_t number) {
  const auto [found, added] = entries_.try_emplace(id);
  Entry& entry = found->second;
  if (added || entry.state == State::landed) {
    wait(found, number);
  } else if (entry.state == State::reading && entry.again == 0) {
    entry.again = number;
  }
  return !std::exchange(entry.noted, true);
}

bool DirtySet::removed(const std::string& id, std::uint64_t number) {
  const auto found = find(id, State::reading);
  if (found == entries_.end()) return false;
  found->second.removed = true;
  return mark(id, number);
}

std::vector<std::string> DirtySet::take(std::size_t most) {
  std::vector<std::string> taken;
  ++readings_;
  while (taken.size() < most && !waiting_.empty()) {
    const auto first = waiting_.begin();
    taken.push_back(*first->second);
    Entry& entry = entries_.at(taken.back());
    entry.state = State::reading;
    entry.reading = readings_;
    busy_.insert(first->first);
    waiting_.erase(first);
  }
  return taken;
}

void DirtySet::give_back(const std::string& id, Reading reading) {
  const auto found = being_read(id, reading);
  if (found != entries_.end()) wait(found, found->second.number);
}

bool DirtySet::drop(const std::string& id, Reading reading) {
  const auto found = being_read(id, reading);
  if (found == entries_.end()) return false;
  if (found->second.again != 0) {
    wait(found, found->second.again);
    return !std::exchange(found->second.noted, true);
  }
  busy_.erase(found->second.number);
  entries_.erase(found);
  return false;
}

bool DirtySet::may_land(const std::string& id, Reading reading) const {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != State::reading) return false;
  return found->second.reading == reading && !found->second.removed;
}

bool DirtySet::landed(const std::string& id, Reading reading, std::uint64_t batch) {
  const auto found = being_read(id, reading);
  if (found == entries_.end()) return false;
  Entry& entry = found->second;
  if (entry.again != 0) {
    wait(found, entry.again);
    return false;
  }
  entry.state = State::landed;
  entry.batch = batch;
  entry.noted = false;
  landed_.emplace_back(batch, id);
  return true;
}

void DirtySet::retire(std::uint64_t batches_in_redis) {
  while (!landed_.empty() && landed_.front().first < batches_in_redis) {
    const auto found = find(landed_.front().second, State::landed);
    landed_.pop_front();
    if (found == entries_.end()) continue;
    if (found->second.batch >= batches_in_redis) continue;  // marked and landed once more: it stands further behind
    busy_.erase(found->second.number);
    entries_.erase(found);
  }
}

void DirtySet::forget_waiting() {
  for (const auto& [number, id] : waiting_) entries_.erase(std::string(*id));
  waiting_.clear();
  for (auto& [id, entry] : entries_) entry.noted = false;
}

bool DirtySet::settled_up_to(std::uint64_t number) const {
  return (waiting_.empty() || waiting_.begin()->first > number) && (busy_.empty() || *busy_.begin() > number);
}

}  // namespace walrelay::sidecar
