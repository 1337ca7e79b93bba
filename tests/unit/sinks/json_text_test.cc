#include "sinks/json_text.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

namespace walrelay::sinks {
namespace {

struct TextCase {
  std::string name, text, json;
};
class JsonStrings : public ::testing::TestWithParam<TextCase> {};

TEST_P(JsonStrings, AreEscaped) {
  std::string out = "kept";
  append_json_string(out, GetParam().text);
  EXPECT_EQ(out, "kept\"" + GetParam().json + "\"");
}

const std::string kBad = "\xEF\xBF\xBD";
INSTANTIATE_TEST_SUITE_P(
    JsonText, JsonStrings,
    ::testing::Values(TextCase{"empty", "", ""}, TextCase{"plain", "Ann / Bob", "Ann / Bob"},
                      TextCase{"quotes", "a\"b\\c", "a\\\"b\\\\c"},
                      TextCase{"controls", "\b\f\n\r\t\x01\x1f\x7f", "\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"},
                      TextCase{"zero", std::string("a\0b", 3), "a\\u0000b"}, TextCase{"utf8", "ä€😀", "ä€😀"},
                      TextCase{"limits", "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
                               "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
                      TextCase{"latin1", "caf\xE9!", "caf" + kBad + "!"}, TextCase{"cut_short", "\xE2\x82", kBad},
                      TextCase{"cut_before_text", "\xF0\x9F\x98x", kBad + "x"},
                      TextCase{"overlong", "\xC0\xAF", kBad + kBad},
                      TextCase{"overlong_three", "\xE0\x80\x80", kBad + kBad + kBad},
                      TextCase{"surrogate", "\xED\xA0\x80", kBad + kBad + kBad},
                      TextCase{"beyond", "\xF4\x90\x80\x80", kBad + kBad + kBad + kBad},
                      TextCase{"lone_continuation", "\x80\xBF", kBad + kBad}),
    [](const auto& tested) { return tested.param.name; });

TEST(JsonText, EveryByteStringBecomesValidJson) {
  std::mt19937 random(7);
  simdjson::dom::parser parser;
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 12, ' ');
    for (char& byte : text) byte = static_cast<char>(random() % 4 == 0 ? random() % 128 : 0x80 + random() % 128);
    std::string json;
    append_json_string(json, text);
    EXPECT_EQ(parser.parse(json).error(), simdjson::SUCCESS) << json;
  }
}

TEST(JsonText, KnowsNumbers) {
  for (const char* number : {"0", "-0", "7", "-12.50", "1.2500", "0.001", "1e5", "1E+5", "1.5e-07", "10e00",
                             "123456789012345678901234567890.123456789"}) {
    EXPECT_TRUE(is_json_number(number)) << number;
  }
  for (const char* other : {"",    "-",   "+1",  "01",       "-01",       "00", ".5", "1.",  "1.e5",  "1e",
                            "1e+", "0x1", "NaN", "Infinity", "-Infinity", "1 ", " 1", "1,5", "1_000", "--1"}) {
    EXPECT_FALSE(is_json_number(other)) << other;
  }
}

TEST(JsonText, WritesBase64) {
  const std::vector<std::pair<std::string, std::string>> cases{{"\\x", ""},
                                                               {"\\x66", "Zg=="},
                                                               {"\\x666f", "Zm8="},
                                                               {"\\x666f6f", "Zm9v"},
                                                               {"\\x00", "AA=="},
                                                               {"\\xfbff", "+/8="},
                                                               {"\\x666f6f62617", "refused"},
                                                               {"\\x6g", "refused"},
                                                               {"666f6f", "refused"},
                                                               {"\\x666F6F", "Zm9v"},
                                                               {"", "refused"},
                                                               {"\\", "refused"},
                                                               {"\\xffffff", "////"},
                                                               {"\\x666f6fzz", "refused"}};
  for (const auto& [hex, expected] : cases) {
    std::string out = "kept";
    const bool good = append_base64_of_hex(out, hex);
    EXPECT_EQ(good ? out : out + "refused", "kept" + expected) << hex;
  }
}

TEST(JsonText, ValidatesJson) {
  JsonValidator validator;
  for (const char* valid :
       {"0", "\"\"", "null", "true", " [ ] ", "{}", R"({"a": {"b": [1, 2.5, "x\n\u00e4", null]}})",
        "18446744073709551616", "-1e400", "0.1e-99999999999999999999", R"("\ud83d\ude00")", "[[[]]]", "[1,[2,[3]]]",
        "\t\r\n1\n", R"({"a":1,"a":2})", R"("}],[{")", R"({"\u0061\ud83d\ude00":1})"}) {
    EXPECT_TRUE(validator.valid(valid)) << valid;
  }
  for (const char* invalid : {"",
                              " ",
                              "nul",
                              "nulll",
                              "tru",
                              "truefalse",
                              "1,2",
                              "1],[2",
                              "[1],[2]",
                              "1]",
                              "[",
                              "]",
                              "[1",
                              "[1,]",
                              "[,1]",
                              "[1 2]",
                              "{",
                              "{\"a\"}",
                              "{\"a\":}",
                              "{\"a\":1,}",
                              "{\"a\" 1}",
                              "{1:2}",
                              "{\"a\":1 \"b\":2}",
                              "01",
                              "1.",
                              "+1",
                              "NaN",
                              "Infinity",
                              "'a'",
                              "\"a",
                              "\"a\nb\"",
                              R"("\x")",
                              R"("\u12")",
                              R"({"\u12":1})",
                              R"("\ud83d")",
                              R"({"\ud83d":1})",
                              "\"\xE9\"",
                              "[1}",
                              "{\"a\":1]",
                              "1 2",
                              "\"a\"\"b\"",
                              "\"a\"x",
                              "[\"a\"x]",
                              "// c",
                              "\xEF\xBB\xBF"
                              "1",
                              "[1]]",
                              "[[1]",
                              "{\"a\":{}",
                              "{}}"}) {
    EXPECT_FALSE(validator.valid(invalid)) << invalid;
  }
}

TEST(JsonText, RefusesAbsurdDepthInsteadOfOverflowing) {
  JsonValidator validator;
  EXPECT_TRUE(validator.valid(std::string(400, '[') + std::string(400, ']')));
  EXPECT_FALSE(validator.valid(std::string(100'000, '[') + std::string(100'000, ']')));
  EXPECT_FALSE(validator.valid(std::string(100'000, '[')));
}

// The DOM parser is another implementation; it refuses large numbers, of which there are none here.
TEST(JsonText, AgreesWithTheDomParser) {
  const std::string sample = R"({"a":[1,-2.5e3,"x\ty\u00e4",{"b":null,"c":[true,false]}],"d":"","e":{}} )";
  const std::string letters = "[]{},:\"\\ 019.-+eEtruefalsn\nu\t\xE9\xC3\xA4";
  JsonValidator validator;
  simdjson::dom::parser parser;
  int valid = 0;
  for (std::uint32_t seed = 1; seed <= 60'000; ++seed) {
    std::mt19937 random(seed);
    const std::size_t begin = random() % sample.size();
    std::string text = random() % 2 == 0 ? sample : sample.substr(begin, random() % 12);
    for (auto changes = random() % 3; changes > 0 && !text.empty(); --changes) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = letters[random() % letters.size()];
      } else {
        text.insert(at, 1, letters[random() % letters.size()]);
      }
    }
    const bool expected = parser.parse(text).error() == simdjson::SUCCESS;
    ASSERT_EQ(validator.valid(text), expected) << "seed " << seed << ": " << text;
    valid += expected ? 1 : 0;
  }
  EXPECT_GT(valid, 10'000);
}

}  // namespace
}  // namespace walrelay::sinks
