// Why killing an entry cannot be seen, whatever other writes do to the same key in between:
//
//   Commands are absolute (set, delete): none of them reads what stands there. Let K kill E; both are of write W,
//   key k.
//   * K removes: k is gone after K, with or without E, and what follows K is the same.
//   * K is whole: E is `whole` or `partial`, so E only set or removed fields that W ever sets. K sets or removes each
//     of those again. Fields of other writes in k are touched by neither. An entry of another write between E and K
//     that removes k or sets the same field is overwritten by K in both cases. E never contains an UNLINK: replacing a
//     row is two entries, a `remove` and a `whole`, so that the removal stays when a later `whole` kills the second
//     one.
//   * A conditional write (conditional_write.h) looks at the key. All of W's entries but removals are such then, and
//   none
//     of them brings a key to life or does without the UNLINK of another; whether K changes something is asked of what
//     readers have seen, which is what stood there before the batch.
//   Entries are never moved, so a removal and a write of one key keep their order (a swap of two primary keys).
//
// The chain of `previous` holds what may still be killed: at most one `remove`, at its end, and the `whole` and
// `partial` entries after it. Each entry leaves it once, so opening an entry takes constant time on average.
#include "sinks/batch.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace walrelay::sinks {
namespace {

constexpr std::size_t kFirstCapacity = 64 * 1024;
constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kKeptCapacity = 1024 * 1024;  // clear() always keeps so much

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
  return hash ^ (hash >> 29);
}

std::uint64_t hash_of(std::uint32_t write, std::string_view key) {
  std::uint64_t hash = mix(0x243f6a8885a308d3U ^ key.size(), write);
  std::uint64_t word = 0;
  for (; key.size() >= sizeof word; key.remove_prefix(sizeof word)) {
    std::memcpy(&word, key.data(), sizeof word);
    hash = mix(hash, word);
  }
  if (key.empty()) return mix(hash, 0);
  word = 0;
  std::memcpy(&word, key.data(), key.size());
  return mix(mix(hash, word), 0);
}

}  // namespace

// A command with a wrong count of arguments would make Redis take rows for commands: better to die.
void Batch::check(bool held) {
  if (!held) std::abort();
}

void Batch::open(std::uint32_t write, std::string_view key, std::string_view member, bool has_member, Effect effect) {
  const auto index = static_cast<std::uint32_t>(entries_.size());
  std::uint32_t previous = 0;
  if (effect != Effect::ordered) {
    Slot& slot = slot_of(write, key, member, has_member);
    previous = slot.entry;
    slot.entry = index + 1;
    if (previous != 0) previous = kill(previous, effect);
  }
  Entry& entry = entries_.emplace_back();
  entry.begin = size_;
  entry.write = write;
  entry.row = row_;
  entry.previous = previous;
  entry.effect = effect;
  entry.has_member = has_member;
  before_key_ = 2;
}

// Kills what `by` makes superfluous along the chain; gives what is left of the chain.
std::uint32_t Batch::kill(std::uint32_t entry, Effect by) {
  if (by == Effect::partial) return entry;
  while (entry != 0) {
    Entry& victim = entries_[entry - 1];
    if (by == Effect::whole && victim.effect == Effect::remove) break;
    victim.dead = true;
    dead_bytes_ += victim.end - victim.begin;
    commands_ -= victim.commands;
    ++coalesced_;
    squeezable_ = true;
    entry = victim.previous;
  }
  return entry;
}

void Batch::close() {
  Entry& entry = entries_.back();
  check(missing_arguments_ == 0 && before_key_ == 0);
  entry.end = size_;
  commands_ += entry.commands;
}

void Batch::note_key(std::size_t size, const char* end) {
  if (--before_key_ != 0) return;
  Entry& entry = entries_.back();
  entry.key_begin = static_cast<std::size_t>(end - bytes_.get()) - 2 - size;
  entry.key_size = static_cast<std::uint32_t>(size);
}

std::string_view Batch::key_of(const Entry& entry) const { return {bytes_.get() + entry.key_begin, entry.key_size}; }

std::string_view Batch::member_of(const Entry& entry) const {
  return {bytes_.get() + entry.member_begin, entry.member_size};
}

void Batch::grow(std::size_t more) {
  const std::size_t capacity = std::max({kFirstCapacity, capacity_ * 2, size_ + more});
  auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

// The slot of the key; with entry 0 when the key is new.
Batch::Slot& Batch::slot_of(std::uint32_t write, std::string_view key, std::string_view member, bool has_member) {
  if (slots_used_ * 2 >= slots_.size()) double_slots();
  std::uint64_t hash = hash_of(write, key);
  if (has_member) hash = mix(hash, hash_of(write, member));
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    Slot& slot = slots_[at];
    if (slot.generation != generation_) {
      slot = {hash, generation_, 0};
      ++slots_used_;
      return slot;
    }
    if (slot.hash != hash) continue;
    const Entry& entry = entries_[slot.entry - 1];
    if (entry.write == write && key_of(entry) == key && entry.has_member == has_member && member_of(entry) == member) {
      return slot;
    }
  }
}

void Batch::double_slots() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::max(kFirstSlots, slots_.size() * 2)));
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.generation != generation_) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].generation == generation_) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

void Batch::forget_slots() {
  slots_used_ = 0;
  if (++generation_ != 0) return;
  std::fill(slots_.begin(), slots_.end(), Slot{});
  generation_ = 1;
}

void Batch::each_key(std::uint32_t write, const std::function<void(std::string_view, std::string_view)>& visit) const {
  for (const Entry& entry : entries_) {
    if (entry.write == write && !entry.dead) visit(key_of(entry), member_of(entry));
  }
}

// Entries change their places, so that the table and the chains no longer name them. Without compact() what comes after
// this does not kill earlier ones, which is always allowed.
void Batch::squeeze() {
  std::size_t to = 0;
  std::size_t kept = 0;
  for (Entry entry : entries_) {
    if (entry.dead) continue;
    const std::size_t size = entry.end - entry.begin;
    if (entry.begin != to) std::memmove(bytes_.get() + to, bytes_.get() + entry.begin, size);
    entry.key_begin -= entry.begin - to;
    if (entry.has_member) entry.member_begin -= entry.begin - to;
    entry.begin = to;
    entry.end = to += size;
    entry.previous = 0;
    entries_[kept++] = entry;
  }
  entries_.resize(kept);
  size_ = to;
  dead_bytes_ = 0;
  squeezable_ = false;
  forget_slots();
}

// The live entries of a key in their order are what its chain was.
void Batch::compact() {
  if (!squeezable_) return;
  squeeze();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.effect == Effect::ordered) continue;
    Slot& slot = slot_of(entry.write, key_of(entry), member_of(entry), entry.has_member);
    entry.previous = slot.entry;
    slot.entry = static_cast<std::uint32_t>(i) + 1;
  }
}

std::string_view Batch::take(std::vector<Place>* places) {
  if (squeezable_) squeeze();
  if (places != nullptr) {
    for (const Entry& entry : entries_)
      places->push_back({entry.write, entry.commands, key_of(entry), member_of(entry), entry.row});
  }
  return {bytes_.get(), size_};
}

void Batch::clear() {
  // One huge row must not hold its memory for ever.
  if (capacity_ > kKeptCapacity && size_ < capacity_ / 8) {
    bytes_.reset();
    capacity_ = 0;
  }
  entries_.clear();
  row_ = 0;
  size_ = commands_ = coalesced_ = dead_bytes_ = 0;
  invalidations_ = {};
  squeezable_ = false;
  forget_slots();
}

}  // namespace walrelay::sinks
