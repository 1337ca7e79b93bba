// Builds messages of PostgreSQL's protocol byte by byte: Bytes("B").u64(lsn).u64(time).u32(xid).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace walrelay::support {

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string_view start) : bytes_(start) {}

  Bytes& u8(std::uint8_t number) { return integer(number, 8); }
  Bytes& u16(std::uint16_t number) { return integer(number, 16); }
  Bytes& u32(std::uint32_t number) { return integer(number, 32); }
  Bytes& u64(std::uint64_t number) { return integer(number, 64); }
  Bytes& i16(std::int16_t number) { return u16(static_cast<std::uint16_t>(number)); }
  Bytes& i32(std::int32_t number) { return u32(static_cast<std::uint32_t>(number)); }
  Bytes& i64(std::int64_t number) { return u64(static_cast<std::uint64_t>(number)); }
  Bytes& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  Bytes& cstring(std::string_view text) { return raw(text).u8(0); }
  // A 32-bit length and the bytes.
  Bytes& counted(std::string_view bytes) { return u32(static_cast<std::uint32_t>(bytes.size())).raw(bytes); }

  // One column of a tuple: NULL, unchanged TOAST, text, binary.
  Bytes& null() { return raw("n"); }
  Bytes& unchanged() { return raw("u"); }
  Bytes& text(std::string_view value) { return raw("t").counted(value); }
  Bytes& binary(std::string_view value) { return raw("b").counted(value); }

  [[nodiscard]] const std::string& str() const { return bytes_; }
  operator std::string() const { return bytes_; }  // NOLINT(google-explicit-constructor): stands for its bytes

 private:
  Bytes& integer(std::uint64_t number, int bits) {
    for (int shift = bits - 8; shift >= 0; shift -= 8) bytes_.push_back(static_cast<char>(number >> shift));
    return *this;
  }

  std::string bytes_;
};

}  // namespace walrelay::support
