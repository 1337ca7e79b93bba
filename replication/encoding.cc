#include "replication/encoding.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace walrelay::replication {
namespace {

struct EncodingName {
  std::string_view postgres;
  const char* iconv;  // null: pass through
};

// Every encoding that a server can have (table 24.3 of the manual). MULE_INTERNAL is missing: iconv does not know it.
constexpr std::array kEncodings = std::to_array<EncodingName>({
    {"UTF8", nullptr},
    {"SQL_ASCII", nullptr},
    {"EUC_CN", "EUC-CN"},
    {"EUC_JP", "EUC-JP-MS"},
    {"EUC_JIS_2004", "EUC-JISX0213"},
    {"EUC_KR", "EUC-KR"},
    {"EUC_TW", "EUC-TW"},
    {"ISO_8859_5", "ISO-8859-5"},
    {"ISO_8859_6", "ISO-8859-6"},
    {"ISO_8859_7", "ISO-8859-7"},
    {"ISO_8859_8", "ISO-8859-8"},
    {"KOI8R", "KOI8-R"},
    {"KOI8U", "KOI8-U"},
    {"LATIN1", "ISO-8859-1"},
    {"LATIN2", "ISO-8859-2"},
    {"LATIN3", "ISO-8859-3"},
    {"LATIN4", "ISO-8859-4"},
    {"LATIN5", "ISO-8859-9"},
    {"LATIN6", "ISO-8859-10"},
    {"LATIN7", "ISO-8859-13"},
    {"LATIN8", "ISO-8859-14"},
    {"LATIN9", "ISO-8859-15"},
    {"LATIN10", "ISO-8859-16"},
    {"WIN866", "CP866"},
    {"WIN874", "CP874"},
    {"WIN1250", "CP1250"},
    {"WIN1251", "CP1251"},
    {"WIN1252", "CP1252"},
    {"WIN1253", "CP1253"},
    {"WIN1254", "CP1254"},
    {"WIN1255", "CP1255"},
    {"WIN1256", "CP1256"},
    {"WIN1257", "CP1257"},
    {"WIN1258", "CP1258"},
});

constexpr std::string_view kMultibytePrefix = "EUC";

// U+10FE80 to U+10FEFF. A byte below 0x80 stands for itself in every server encoding, so it is never undefined.
void append_undefined(std::string& out, unsigned char byte) {
  if (byte < 0x80) {
    out.push_back(static_cast<char>(byte));
    return;
  }
  out += "\xF4\x8F";
  out.push_back(static_cast<char>(0xB8 + (byte >> 6)));
  out.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
}

// The byte that append_undefined() wrote so, or nothing.
std::optional<char> undefined_byte(std::string_view character) {
  if (character.size() != 4 || !character.starts_with("\xF4\x8F")) return std::nullopt;
  const auto third = static_cast<unsigned char>(character[2]);
  if (third != 0xBA && third != 0xBB) return std::nullopt;
  return static_cast<char>(((third - 0xB8U) << 6) | (static_cast<unsigned char>(character[3]) & 0x3FU));
}

// How many bytes the character at the front has; what is no UTF-8 goes byte by byte, and finds no equivalent.
std::size_t length_of_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return std::min(length, text.size());
}

bool is_open(iconv_t converter) { return reinterpret_cast<std::intptr_t>(converter) != -1; }

}  // namespace

bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= sizeof(std::uint64_t); at += sizeof(std::uint64_t), left -= sizeof(std::uint64_t)) {
    std::uint64_t eight;
    std::memcpy(&eight, at, sizeof eight);
    if ((eight & kHighBits) != 0) return false;
  }
  return std::all_of(at, at + left, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::unique_ptr<Encoding> Encoding::make(std::string_view server_encoding) {
  const auto* const found = std::find_if(kEncodings.begin(), kEncodings.end(),
                                         [&](const EncodingName& name) { return name.postgres == server_encoding; });
  if (found == kEncodings.end()) {
    throw std::runtime_error(
        "The database's encoding " + std::string(server_encoding) +
        " cannot be converted to UTF-8; use a database in UTF8 or another encoding that iconv has.");
  }
  if (found->iconv == nullptr) return nullptr;
  iconv_t converter = iconv_open("UTF-8", found->iconv);
  iconv_t back = is_open(converter) ? iconv_open(found->iconv, "UTF-8") : converter;
  if (!is_open(back)) {
    if (is_open(converter)) iconv_close(converter);
    throw std::runtime_error("The database's encoding " + std::string(server_encoding) + " needs the converter " +
                             found->iconv + ", which this system's iconv lacks; install glibc's gconv modules.");
  }
  std::unique_ptr<Encoding> encoding(new Encoding);
  encoding->converter_ = converter;
  encoding->back_ = back;
  encoding->single_byte_ = !server_encoding.starts_with(kMultibytePrefix);
  if (encoding->single_byte_) encoding->fill_table();
  return encoding;
}

Encoding::~Encoding() {
  iconv_close(converter_);
  iconv_close(back_);
}

// Byte by byte also because iconv composes some pairs (an "a" and a combining grave accent of WIN1258), which would
// make two different texts one.
void Encoding::fill_table() {
  for (int byte = 0x80; byte <= 0xFF; ++byte) {
    const char input = static_cast<char>(byte);
    std::string& character = table_[static_cast<std::size_t>(byte - 0x80)];
    append_multibyte({&input, 1}, character);
    bytes_.emplace(character, input);
  }
}

void Encoding::append_utf8(std::string_view text, std::string& out) const {
  if (!single_byte_) return append_multibyte(text, out);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out.push_back(c);
    } else {
      out += table_[byte - 0x80U];
    }
  }
}

void Encoding::append_multibyte(std::string_view text, std::string& out) const {
  iconv(converter_, nullptr, nullptr, nullptr, nullptr);  // back to the initial state
  char* input = const_cast<char*>(text.data());           // iconv's signature; it does not write there
  std::size_t input_left = text.size();
  std::array<char, 512> buffer;
  const auto convert = [&](char** from, std::size_t* from_left) {
    char* output = buffer.data();
    std::size_t output_left = buffer.size();
    const bool failed = iconv(converter_, from, from_left, &output, &output_left) == static_cast<std::size_t>(-1);
    const bool undefined = failed && errno != E2BIG;
    out.append(buffer.data(), output);
    return !undefined;
  };
  while (input_left > 0) {
    if (convert(&input, &input_left)) continue;
    convert(nullptr, nullptr);  // a character held back, to see what follows it, comes before the undefined byte
    append_undefined(out, static_cast<unsigned char>(*input));
    ++input;
    --input_left;
  }
  convert(nullptr, nullptr);
}

bool Encoding::append_server(std::string_view utf8, std::string& out) const {
  if (!single_byte_) return append_server_multibyte(utf8, out);
  while (!utf8.empty()) {
    const std::string_view character = utf8.substr(0, length_of_character(utf8));
    utf8.remove_prefix(character.size());
    if (is_ascii(character)) {
      out += character;
    } else if (const auto byte = bytes_.find(character); byte != bytes_.end()) {
      out += byte->second;
    } else {
      return false;
    }
  }
  return true;
}

// As much at a time as iconv takes: what two characters mean together may be one of the server's.
bool Encoding::append_server_multibyte(std::string_view utf8, std::string& out) const {
  iconv(back_, nullptr, nullptr, nullptr, nullptr);
  while (!utf8.empty()) {
    char* input = const_cast<char*>(utf8.data());  // iconv's signature; it does not write there
    std::size_t input_left = utf8.size();
    std::array<char, 512> buffer;
    char* output = buffer.data();
    std::size_t output_left = buffer.size();
    const bool all = iconv(back_, &input, &input_left, &output, &output_left) != static_cast<std::size_t>(-1);
    const bool refused = !all && errno != E2BIG;
    if (all || refused) iconv(back_, nullptr, nullptr, &output, &output_left);  // what it held back to see what follows
    out.append(buffer.data(), output);
    utf8.remove_prefix(utf8.size() - input_left);
    if (!refused) continue;
    const std::size_t length = length_of_character(utf8);
    const auto byte = undefined_byte(utf8.substr(0, length));
    if (!byte) return false;
    out += *byte;
    utf8.remove_prefix(length);
  }
  return true;
}

}  // namespace walrelay::replication
