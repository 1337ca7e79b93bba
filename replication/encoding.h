// Between the database's encoding and UTF-8, which is what all text inside this program is. Connections ask for the
// server's own encoding, because the server would refuse for ever to send a row with one undefined byte in it; so the
// conversion is done here, and never refuses what comes from the server.
//
// A byte that is undefined or does not fit becomes U+10FE80 + (byte - 0x80), a private code point in plane 16 that no
// server encoding maps to. So different values stay different (two keys that differ in such a byte remain two keys),
// the result is valid UTF-8, and the byte can be found again, also when the value goes back in a WHERE clause; U+FFFD
// would give up the first and the last.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace walrelay::replication {

// True when every byte is below 0x80: then the text is the same in all of PostgreSQL's server encodings.
bool is_ascii(std::string_view text);

// Converts from one encoding: through a table where a character is one byte, else through iconv. Not for use by two
// threads at a time.
class Encoding {
 public:
  // `server_encoding` as the parameter of that name reports it. Null: pass bytes through as they are (UTF8; SQL_ASCII,
  // of whose bytes nobody knows what they mean). Throws std::runtime_error for one that cannot be converted here.
  static std::unique_ptr<Encoding> make(std::string_view server_encoding);

  ~Encoding();
  Encoding(const Encoding&) = delete;
  Encoding& operator=(const Encoding&) = delete;

  // Appends `text` in UTF-8 to `out`; `text` must not be a part of `out`.
  void append_utf8(std::string_view text, std::string& out) const;

  // The other way, for statements. False: a character has no equivalent in the server's encoding, and `out` is spoilt.
  [[nodiscard]] bool append_server(std::string_view utf8, std::string& out) const;

 private:
  Encoding() = default;
  void fill_table();
  void append_multibyte(std::string_view text, std::string& out) const;
  [[nodiscard]] bool append_server_multibyte(std::string_view utf8, std::string& out) const;

  void* converter_ = nullptr;  // an iconv_t, which is a pointer
  void* back_ = nullptr;       // another, from UTF-8
  bool single_byte_ = false;
  std::array<std::string, 128> table_;                // single_byte_: what the bytes from 0x80 on mean
  std::unordered_map<std::string_view, char> bytes_;  // single_byte_: the inverse, with views into table_
};

}  // namespace walrelay::replication
