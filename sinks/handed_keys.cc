#include "sinks/handed_keys.h"

#include <algorithm>
#include <cstring>

namespace walrelay::sinks {

void HandedKeys::add(const Batch::Place& place) {
  if (given_up_) return;
  const Head head{place.write, place.commands, static_cast<std::uint32_t>(place.key.size()),
                  static_cast<std::uint32_t>(place.member.size()), place.row};
  char raw[sizeof head];
  std::memcpy(raw, &head, sizeof head);
  bytes_.append(raw, sizeof raw).append(place.key).append(place.member);
}

Batch::Place HandedKeys::read(std::size_t& at) const {
  Head head;
  std::memcpy(&head, bytes_.data() + at, sizeof head);
  const std::string_view key = std::string_view(bytes_).substr(at + sizeof head, head.key);
  const std::string_view member = std::string_view(bytes_).substr(at + sizeof head + head.key, head.member);
  at += sizeof head + head.key + head.member;
  return {head.write, head.commands, key, member, head.row};
}

std::optional<Batch::Place> HandedKeys::of_command(std::size_t index) const {
  for (std::size_t at = 0; at < bytes_.size();) {
    const Batch::Place place = read(at);
    if (index < place.commands) return place;
    index -= place.commands;
  }
  return std::nullopt;
}

HandedKeys HandedKeys::of(const std::vector<std::uint32_t>& writes) const {
  HandedKeys found;
  for (std::size_t at = 0; at < bytes_.size();) {
    const Batch::Place place = read(at);
    if (std::find(writes.begin(), writes.end(), place.write) != writes.end()) found.add(place);
  }
  return found;
}

std::vector<Batch::Place> HandedKeys::next(std::size_t most) {
  std::vector<Batch::Place> places;
  while (places.size() < most && next_ < bytes_.size()) places.push_back(read(next_));
  return places;
}

void HandedKeys::give_up() {
  *this = HandedKeys();
  given_up_ = true;
}

}  // namespace walrelay::sinks
