// What is to be sent to Redis: RESP bytes, the only copy of the rows, appended by the mapping and emptied by the sink.
//
//   open(write, key, replaces)  command() arg() arg() ...  command() ...  close()      one entry: all commands of
//   [ UNLINK k ][ HSET k f v ][ HSET k f v ]...                                        one write to one key
//        dead       dead           live      <- a later entry that `replaces` kills earlier entries of the same key
//
// Coalescing: within one batch an entry that replaces (a delete; a whole-row upsert) kills the earlier replaceable
// entries of the same write and key, wherever they stand, because nothing between them can be seen: the batch is
// applied as one. Dead bytes are squeezed out by take(). Pure: no I/O, no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace walrelay::sinks {

// Which commands an entry makes superfluous, and which later entry may make it superfluous.
enum class Effect : std::uint8_t {
  remove,   // the key is gone afterwards: kills every earlier entry of the key
  whole,    // every field that this write ever sets is set or removed: kills earlier `whole` and `partial` entries
  partial,  // some fields only: kills nothing, is killed by `whole` and `remove`
  ordered,  // neither kills nor is killed (stream entries, messages)
};

class Batch {
 public:
  // `write` tells writes apart that share keys; it is any number below 2^32 that stays the same for one write.
  void open(std::uint32_t write, std::string_view key, Effect effect);
  void command(std::size_t arguments);  // starts a command of that many arguments, its name included
  void argument(std::string_view bytes);
  void close();

  // Every key that live entries of `write` name, each once or more. For TRUNCATE: keys not yet in Redis.
  void each_key(std::uint32_t write, const std::function<void(std::string_view)>& visit) const;

  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }  // dead ones included: what memory is used
  [[nodiscard]] std::size_t commands() const { return commands_; }   // live ones
  [[nodiscard]] std::size_t coalesced() const { return coalesced_; } // entries killed since the last clear()
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  // Squeezes dead entries out and gives the bytes of `commands()` complete commands in order. The view and all keys
  // stay valid until the next open() or clear(). With `places`, appends for each command its entry's key (for error
  // reports) as views into the same bytes.
  struct Place {
    std::uint32_t write = 0;
    std::string_view key;
  };
  std::string_view take(std::vector<Place>* places = nullptr);
  void clear();  // keeps the memory

 private:
  struct Entry {
    std::size_t begin = 0, end = 0;          // in bytes_
    std::size_t key_begin = 0, key_size = 0; // in bytes_ (the first argument after the command's name)
    std::uint32_t write = 0, commands = 0;
    std::uint32_t previous = 0;              // entry + 1 of the same write and key, 0: none
    Effect effect = Effect::partial;
    bool dead = false;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
  std::size_t commands_ = 0, coalesced_ = 0;
};

}  // namespace walrelay::sinks
