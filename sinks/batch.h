// What is to be sent to Redis: RESP bytes, the only copy of the rows, appended by the mapping and emptied by the sink.
//
//   open(write, key, effect)  command() argument() argument() ...  command() ...  close()      one entry: all commands
//   [ UNLINK k ][ HSET k f v ][ HSET k f v ]...                                                of one write to one key
//        dead       dead           live      <- a later entry that replaces kills earlier entries of the same key
//
// Coalescing: within one batch an entry that replaces (a delete; a whole-row upsert) kills the earlier replaceable
// entries of the same write and key, wherever they stand, because nothing between them can be seen: the batch is
// applied as one. Entries of keys that rows share are told apart by their member, too. Dead bytes are squeezed out by
// take(). Pure: no I/O, no clock. The argument why is in batch.cc.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/resp.h"

namespace walrelay::sinks {

// Which commands an entry makes superfluous, and which later entry may make it superfluous.
enum class Effect : std::uint8_t {
  remove,   // the key is gone afterwards: kills every earlier entry of the key but ordered ones
  whole,    // every field that this write ever sets is set or removed: kills earlier `whole` and `partial` entries
  partial,  // some fields only: kills nothing, is killed by `whole` and `remove`
  ordered,  // neither kills nor is killed (stream entries, messages)
};

// A moved-from batch can only be assigned to or destroyed (std::swap of two batches is fine).
class Batch {
 public:
  // `write` tells writes apart that share keys; it is any number below 2^32 that stays the same for one write.
  // Every entry has at least one command, and the first argument after the name of its first command is the key.
  void open(std::uint32_t write, std::string_view key, Effect effect) { open(write, key, {}, false, effect); }
  // Of a member of the key: one of the arguments of the first command is given by member().
  void open(std::uint32_t write, std::string_view key, std::string_view member, Effect effect) {
    open(write, key, member, true, effect);
  }
  // Of a script: EVALSHA sha 1 key ... (scripts.h).
  void open_script(std::uint32_t write, std::string_view key, Effect effect) {
    open(write, key, {}, false, effect);
    before_key_ = 4;
  }
  void open_script(std::uint32_t write, std::string_view key, std::string_view member, Effect effect) {
    open(write, key, member, true, effect);
    before_key_ = 4;
  }
  void command(std::size_t arguments) {  // starts a command of that many arguments, its name included
    check(missing_arguments_ == 0);
    missing_arguments_ = arguments;
    ++entries_.back().commands;
    wrote(resp::put_header(room(resp::kHeaderRoom), '*', arguments));
  }
  void argument(std::string_view bytes) {
    char* begin = room(resp::bulk_room(bytes.size()));
    char* end = resp::put_bulk(begin, bytes);
    --missing_arguments_;
    if (before_key_ != 0) note_key(bytes.size(), end);
    wrote(end);
  }
  // The argument that is the member the entry was opened with.
  void member(std::string_view bytes) {
    argument(bytes);
    Entry& entry = entries_.back();
    entry.member_begin = size_ - 2 - bytes.size();
    entry.member_size = static_cast<std::uint32_t>(bytes.size());
  }
  // One argument that is already a bulk string (resp::bulk): names that are the same for every row. Never the key.
  void rendered(std::string_view bulk) {
    --missing_arguments_;
    if (before_key_ != 0) --before_key_;
    wrote(resp::put_bytes(room(bulk.size()), bulk));
  }
  void close();

  // Entries opened from now on are of this row, for Place::row; 0: of none that anybody asks for.
  void of_row(std::uint32_t row) { row_ = row; }

  // Every key that live entries of `write` name, with its member, each once or more. For TRUNCATE: what is not yet in
  // Redis. `visit` must not append to this batch.
  void each_key(std::uint32_t write,
                const std::function<void(std::string_view key, std::string_view member)>& visit) const;

  [[nodiscard]] std::size_t bytes() const { return size_; }  // dead ones included: what memory is used
  [[nodiscard]] std::size_t dead_bytes() const { return dead_bytes_; }
  [[nodiscard]] std::size_t commands() const { return commands_; }    // live ones
  [[nodiscard]] std::size_t coalesced() const { return coalesced_; }  // entries killed since the last clear()
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // What entries ask for of the sink (invalidation.h), those counted that a later one has killed.
  struct Invalidations {
    struct Asked {
      std::uint64_t keys = 0, patterns = 0;
    };
    std::map<std::string, Asked, std::less<>> of = {};                // by the mapping that asks
    std::optional<std::chrono::milliseconds> soonest = std::nullopt;  // after the batch is in Redis: something is due
    void due_in(std::chrono::milliseconds delay) { soonest = std::min(soonest.value_or(delay), delay); }
    void count(std::string_view mapping, std::uint64_t more_keys, std::uint64_t more_patterns) {
      auto found = of.find(mapping);
      if (found == of.end()) found = of.try_emplace(std::string(mapping)).first;
      found->second.keys += more_keys;
      found->second.patterns += more_patterns;
    }
    void add(const Invalidations& more) {
      for (const auto& [mapping, asked] : more.of) count(mapping, asked.keys, asked.patterns);
      if (more.soonest) due_in(*more.soonest);
    }
    [[nodiscard]] Asked all() const {
      Asked sum;
      for (const auto& [mapping, asked] : of) {
        sum.keys += asked.keys;
        sum.patterns += asked.patterns;
      }
      return sum;
    }
  };
  [[nodiscard]] Invalidations& invalidations() { return invalidations_; }

  // Squeezes dead entries out; those that live go on being killed by what comes. For a batch in which few rows change
  // again and again: its size is then that of what will be sent.
  void compact();

  // Squeezes dead entries out and gives the bytes of `commands()` complete commands in order. The view and all keys
  // stay valid until the next open() or clear(). With `places`, appends the key of each entry and how many of the
  // commands are its own, as views into the same bytes.
  struct Place {
    std::uint32_t write = 0, commands = 0;
    std::string_view key, member = {};
    std::uint32_t row = 0;
  };
  std::string_view take(std::vector<Place>* places = nullptr);
  void clear();  // keeps the memory that was used lately

 private:
  struct Entry {
    std::size_t begin = 0, end = 0;  // in bytes_
    std::size_t key_begin = 0;       // in bytes_ (the first argument after the command's name)
    std::size_t member_begin = 0;
    std::uint32_t key_size = 0, member_size = 0;  // Redis takes no argument of 4 GB
    std::uint32_t write = 0, commands = 0, row = 0;
    std::uint32_t previous = 0;  // entry + 1 of the same write and key that may still be killed, 0: none
    Effect effect = Effect::partial;
    bool dead = false;
    bool has_member = false;
  };
  // A place of the open-addressing table from (write, key) to the latest entry. It is taken when its generation is the
  // table's, so that forgetting everything is one increment.
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t generation = 0;
    std::uint32_t entry = 0;
  };

  void open(std::uint32_t write, std::string_view key, std::string_view member, bool has_member, Effect effect);
  static void check(bool held);
  char* room(std::size_t more) {
    if (capacity_ - size_ < more) [[unlikely]]
      grow(more);
    return bytes_.get() + size_;
  }
  void wrote(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }
  void grow(std::size_t more);
  void note_key(std::size_t size, const char* end);
  [[nodiscard]] std::string_view key_of(const Entry& entry) const;
  [[nodiscard]] std::string_view member_of(const Entry& entry) const;
  Slot& slot_of(std::uint32_t write, std::string_view key, std::string_view member, bool has_member);
  void double_slots();
  void forget_slots();
  std::uint32_t kill(std::uint32_t entry, Effect by);
  void squeeze();

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0, capacity_ = 0;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // a power of two
  std::size_t slots_used_ = 0;
  std::uint32_t generation_ = 1;
  std::size_t commands_ = 0, coalesced_ = 0, dead_bytes_ = 0;
  Invalidations invalidations_;
  bool squeezable_ = false;
  std::uint32_t row_ = 0;
  std::size_t missing_arguments_ = 0;  // of the command that is being written
  std::uint32_t before_key_ = 0;       // arguments up to and with the key that are still to come
};

}  // namespace walrelay::sinks
