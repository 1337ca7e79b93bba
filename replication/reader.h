// A bounds-checked cursor over one message of PostgreSQL. Nothing else in the program touches its bytes.
//
//   | consumed | rest ...            |      every read takes from the front of `rest`, or throws
//                ^ next read
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "replication/lsn.h"

namespace walrelay::replication {

// The peer sent bytes that the protocol does not allow: this session is over.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Reads network byte order, front to back. Views that it returns borrow the message. `what` names the message in
// errors; it must outlive the reader.
class Reader {
 public:
  Reader(std::string_view message, const char* what) : rest_(message), what_(what) {}

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }
  std::int16_t i16() { return static_cast<std::int16_t>(u16()); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  char letter() { return static_cast<char>(u8()); }
  Lsn lsn() { return Lsn{u64()}; }

  // The next `count` bytes, not copied. Compared with what is left, never added to a pointer: that could overflow.
  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) fail("is too short");
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  // A 32-bit length and as many bytes.
  std::string_view counted() {
    const auto length = i32();
    if (length < 0) fail("has a negative length");
    return bytes(static_cast<std::size_t>(length));
  }

  // Up to and without the next NUL, which is consumed.
  std::string_view cstring() {
    const auto end = rest_.find('\0');
    if (end == std::string_view::npos) fail("has a string without its end");
    const auto taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return taken;
  }

  std::string_view take_rest() { return bytes(rest_.size()); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

  // Bytes after the end mean that we understood the message wrongly.
  void expect_end() const {
    if (!rest_.empty()) fail("has bytes after its end");
  }

  [[noreturn]] void fail(const char* fault) const;

 private:
  template <class T>
  T integer() {
    std::array<char, sizeof(T)> raw;
    std::copy_n(bytes(sizeof(T)).begin(), sizeof(T), raw.begin());
    const auto value = std::bit_cast<T>(raw);
    if constexpr (sizeof(T) == 1 || std::endian::native == std::endian::big) {
      return value;
    } else if constexpr (sizeof(T) == 2) {
      return __builtin_bswap16(value);
    } else if constexpr (sizeof(T) == 4) {
      return __builtin_bswap32(value);
    } else {
      return __builtin_bswap64(value);
    }
  }

  std::string_view rest_;
  const char* what_;
};

}  // namespace walrelay::replication
