// Conversion to UTF-8, above all of what is not defined.
#include "replication/encoding.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace walrelay::replication {
namespace {

// All encodings that a server can have, but the two that pass through and MULE_INTERNAL.
const std::vector<std::string> kConverted = {
    "EUC_CN",     "EUC_JP",  "EUC_JIS_2004", "EUC_KR",  "EUC_TW",  "ISO_8859_5", "ISO_8859_6", "ISO_8859_7",
    "ISO_8859_8", "KOI8R",   "KOI8U",        "LATIN1",  "LATIN2",  "LATIN3",     "LATIN4",     "LATIN5",
    "LATIN6",     "LATIN7",  "LATIN8",       "LATIN9",  "LATIN10", "WIN866",     "WIN874",     "WIN1250",
    "WIN1251",    "WIN1252", "WIN1253",      "WIN1254", "WIN1255", "WIN1256",    "WIN1257",    "WIN1258"};

std::string convert(const std::string& encoding, std::string_view text) {
  std::string out = "before ";
  Encoding::make(encoding)->append_utf8(text, out);
  EXPECT_TRUE(out.starts_with("before "));
  return out.substr(7);
}

// Whatever the server sends comes back as the same bytes, undefined ones included: it may stand in a WHERE clause.
TEST(Encoding, GoesBackToTheSameBytes) {
  for (const std::string& name : kConverted) {
    const auto encoding = Encoding::make(name);
    const bool single_byte = !name.starts_with("EUC");
    for (int first = 0x80; first <= 0xFF; ++first) {
      for (int second = 0x20; second <= 0xFF; ++second) {
        const std::string text = {'a', static_cast<char>(first), static_cast<char>(second), 'z'};
        std::string utf8, back;
        encoding->append_utf8(text, utf8);
        ASSERT_TRUE(encoding->append_server(utf8, back)) << name << " " << first << " " << second;
        // A few characters of the Asian encodings have two forms, of which one comes back.
        EXPECT_TRUE(back == text || !single_byte) << name << " " << first << " " << second;
        std::string again;
        encoding->append_utf8(back, again);
        EXPECT_EQ(again, utf8) << name << " " << first << " " << second;
      }
    }
  }
}

TEST(Encoding, SaysWhatTheServerCannotWrite) {
  std::string out;
  EXPECT_FALSE(Encoding::make("LATIN1")->append_server("1 €", out));
  EXPECT_FALSE(Encoding::make("EUC_JP")->append_server("\xF0\x9F\x98\x80", out));
  EXPECT_FALSE(Encoding::make("WIN1252")->append_server("\xFF", out));
  out.clear();
  EXPECT_TRUE(Encoding::make("WIN1252")->append_server("1 €", out));
  EXPECT_EQ(out, "1 \x80");
}

TEST(IsAscii, LooksAtEveryByte) {
  EXPECT_TRUE(is_ascii(""));
  for (std::size_t size = 1; size < 40; ++size) {
    std::string text(size, '\x7F');
    EXPECT_TRUE(is_ascii(text));
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      EXPECT_FALSE(is_ascii(text)) << at << " of " << size;
      text[at] = '\0';
    }
  }
}

TEST(Encoding, PassesThroughWhatNeedsNoConversion) {
  EXPECT_EQ(Encoding::make("UTF8"), nullptr);
  EXPECT_EQ(Encoding::make("SQL_ASCII"), nullptr);
}

TEST(Encoding, RefusesWhatItDoesNotKnow) {
  for (const char* name : {"", "MULE_INTERNAL", "utf8", "SJIS", "latin1"}) {
    EXPECT_THROW(Encoding::make(name), std::runtime_error) << name;
  }
}

struct ConversionCase {
  const char* encoding;
  std::string text, expected;
};

TEST(Encoding, Converts) {
  for (const auto& [encoding, text, expected] : std::vector<ConversionCase>{
           {"LATIN1", "caf\xE9 \xFF\x80", "café ÿ\u0080"},
           {"LATIN9", "\xA4", "€"},
           {"WIN1252", "\x80 \x93x\x94", "€ “x”"},
           {"WIN1251", "\xCF\xF0\xE8\xE2\xE5\xF2", "Привет"},
           {"KOI8R", "\xF0\xD2\xC9\xD7\xC5\xD4", "Привет"},
           {"WIN866", "\x8F\xE0\xA8\xA2\xA5\xE2", "Привет"},
           {"EUC_JP", "\xB4\xC1\xBB\xFA a \x8E\xB1", "漢字 a ｱ"},
           {"EUC_JIS_2004", "\xB4\xC1\xBB\xFA", "漢字"},
           {"EUC_KR", "\xC7\xD1\xB1\xDB", "한글"},
           {"EUC_CN", "\xBA\xBA\xD7\xD6", "汉字"},
           {"EUC_TW", "\xC4\xE3", "中"},
           {"WIN1258", "a\xCC", "a\u0300"},  // two characters, not the one that they would compose
           {"LATIN1", "", ""},
       }) {
    EXPECT_EQ(convert(encoding, text), expected) << encoding;
  }
}

TEST(Encoding, KeepsUndefinedBytesApart) {
  EXPECT_EQ(convert("WIN1252", "a\x81z\x8D"), "a\U0010FE81z\U0010FE8D");
  EXPECT_EQ(convert("EUC_JP", "\xFF"), "\U0010FEFF");
  EXPECT_EQ(convert("EUC_JP", "ab\xB4"), "ab\U0010FEB4") << "half a character at the end";
  EXPECT_EQ(convert("EUC_JP", "\xB4 x"), "\U0010FEB4 x") << "the blank is not swallowed";
}

TEST(Encoding, AsciiIsTheSameEverywhere) {
  std::string ascii;
  for (int byte = 0; byte < 0x80; ++byte) ascii.push_back(static_cast<char>(byte));
  for (const auto& encoding : kConverted) EXPECT_EQ(convert(encoding, ascii), ascii) << encoding;
}

TEST(Encoding, NoTwoBytesBecomeTheSame) {
  for (const auto& encoding : kConverted) {
    std::set<std::string> seen;
    for (int byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      EXPECT_TRUE(seen.insert(convert(encoding, {&c, 1})).second) << encoding << " " << byte;
    }
  }
}

// Long texts cross the converter's buffer, at every offset.
TEST(Encoding, LongTexts) {
  for (std::size_t size = 500; size < 530; ++size) {
    std::string text(size, 'x');
    std::string expected = text;
    for (int i = 0; i < 600; ++i) {
      text += "\xB4\xC1";
      expected += "漢";
    }
    EXPECT_EQ(convert("EUC_JP", text), expected) << size;
  }
}

}  // namespace
}  // namespace walrelay::replication
