// What waits to be written to Redis, in order.
//
//   add() ──> [ borrowed | owned | borrowed ... ] ──feed(): at most a slice──> hiredis' buffer ──took()──> the socket
//
// hiredis moves the rest of its buffer forward after each partial write, so a megabyte in it would cost a megabyte of
// memmove per write; hence the slices.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "sinks/hiredis.h"

namespace walrelay::sinks {

class RedisOutbox {
 public:
  void add(std::string_view borrowed, std::function<void()> on_written);
  void add(std::string owned);

  // Bytes that the socket has not taken, those in hiredis' buffer included.
  [[nodiscard]] std::size_t size() const { return added_ - written_; }

  void feed(redisContext* context);      // fills hiredis' buffer up to one slice
  void took(std::size_t bytes);          // the socket took so many
  std::function<void()> next_written();  // the next callback whose bytes are out; empty when there is none
  void clear();

 private:
  struct Piece {
    std::string owned;
    std::string_view borrowed;
    [[nodiscard]] std::string_view bytes() const { return owned.empty() ? borrowed : std::string_view(owned); }
  };
  struct Written {
    std::uint64_t end;
    std::function<void()> call;
  };
  std::deque<Piece> pieces_;
  std::deque<Written> callbacks_;
  std::size_t front_done_ = 0;             // bytes of pieces_.front() that hiredis has
  std::uint64_t added_ = 0, written_ = 0;  // positions in the stream of bytes
};

}  // namespace walrelay::sinks
