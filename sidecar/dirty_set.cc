#include "sidecar/dirty_set.h"

namespace walrelay::sidecar {

void DirtySet::wait(const std::string& id, Entry& entry, std::uint64_t number) {
  entry.state = State::waiting;
  entry.number = number;
  entry.again = 0;
  waiting_.emplace(number, &id);
}

bool DirtySet::mark(const std::string& id, std::uint64_t number) {
  const auto [found, added] = entries_.try_emplace(id);
  Entry& entry = found->second;
  if (!added && entry.state == State::waiting) return false;
  if (!added && entry.state == State::reading) {
    if (entry.again == 0) entry.again = number;
    return false;
  }
  if (!added) busy_.erase(entry.number);
  wait(found->first, entry, number);
  return true;
}

std::vector<std::string> DirtySet::take(std::size_t most) {
  std::vector<std::string> taken;
  while (taken.size() < most && !waiting_.empty()) {
    const auto first = waiting_.begin();
    taken.push_back(*first->second);
    entries_.at(taken.back()).state = State::reading;
    busy_.insert(first->first);
    waiting_.erase(first);
  }
  return taken;
}

void DirtySet::give_back(const std::string& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != State::reading) return;
  busy_.erase(found->second.number);
  wait(found->first, found->second, found->second.number);
}

bool DirtySet::landed(const std::string& id, std::uint64_t batch) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != State::reading) return false;
  Entry& entry = found->second;
  if (entry.again != 0) {
    busy_.erase(entry.number);
    wait(found->first, entry, entry.again);
    return false;
  }
  entry.state = State::landed;
  entry.batch = batch;
  landed_.emplace_back(batch, id);
  return true;
}

void DirtySet::retire(std::uint64_t batches_in_redis) {
  while (!landed_.empty() && landed_.front().first < batches_in_redis) {
    const auto found = entries_.find(landed_.front().second);
    landed_.pop_front();
    if (found == entries_.end() || found->second.state != State::landed) continue;
    if (found->second.batch >= batches_in_redis) continue;  // marked and landed once more: it stands further behind
    busy_.erase(found->second.number);
    entries_.erase(found);
  }
}

void DirtySet::forget_waiting() {
  for (const auto& [number, id] : waiting_) entries_.erase(std::string(*id));
  waiting_.clear();
  for (auto& [id, entry] : entries_) entry.again = 0;
}

bool DirtySet::settled_up_to(std::uint64_t number) const {
  return (waiting_.empty() || waiting_.begin()->first > number) && (busy_.empty() || *busy_.begin() > number);
}

}  // namespace walrelay::sidecar
