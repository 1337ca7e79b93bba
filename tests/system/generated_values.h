// Generated values for the test of the binary formats: for each type, the ones that its text has a rule of its own for,
// and random ones of every size. All are literals that PostgreSQL casts to the type.
#pragma once

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace walrelay::replication {

using Random = std::mt19937_64;
using Generator = std::function<std::string(Random&)>;

inline std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

// Numbers of all sizes, not only the huge ones that make up most of the range.
inline std::int64_t some_integer(Random& random, int bits) {
  const auto size = static_cast<int>(between(random, 1, bits));
  return static_cast<std::int64_t>(random()) >> (64 - size);
}

std::string print(const char* format, auto... arguments) {
  std::string text(512, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), format, arguments...)));
  return text;
}

template <class Float, class Bits>
std::string some_float(Random& random) {
  const auto exact = [](Float number) {
    if (std::isnan(number)) return std::string("NaN");
    if (std::isinf(number)) return std::string(number < 0 ? "-Infinity" : "Infinity");
    return print("%.17g", static_cast<double>(number));
  };
  switch (between(random, 0, 4)) {
    case 0:  // any bits
      return exact(std::bit_cast<Float>(static_cast<Bits>(random())));
    case 1:  // a short decimal
      return print("%" PRId64 "e%d", some_integer(random, 40), static_cast<int>(between(random, -20, 20)));
    case 2:  // powers of two and their neighbours: the distance to the two sides differs there
      return exact(std::bit_cast<Float>(static_cast<Bits>(
          (static_cast<Bits>(between(random, 0, sizeof(Float) == 4 ? 254 : 2046)) << (sizeof(Float) == 4 ? 23 : 52)) +
          static_cast<Bits>(between(random, -1, 1)))));
    case 3:  // halves, thirds, tenths
      return exact(static_cast<Float>(some_integer(random, 30)) / static_cast<Float>(between(random, 1, 10)));
    default:  // powers of ten: some lie exactly half-way between two numbers
      return print("%s1e%d", between(random, 0, 1) == 0 ? "-" : "",
                   static_cast<int>(between(random, sizeof(Float) == 4 ? -44 : -323, sizeof(Float) == 4 ? 38 : 308)));
  }
}

inline std::string some_digits(Random& random, std::int64_t count) {
  std::string digits;
  while (static_cast<std::int64_t>(digits.size()) < count) {
    // Runs of zeros, which the binary format leaves out.
    digits += between(random, 0, 2) == 0 ? std::string(static_cast<std::size_t>(between(random, 1, 9)), '0')
                                         : std::to_string(random() % 100000);
  }
  return digits;
}

inline std::string some_numeric(Random& random) {
  const std::string sign = between(random, 0, 1) == 0 ? "-" : "";
  switch (between(random, 0, 5)) {
    case 0:
      return std::to_string(some_integer(random, 63));
    case 1:
      return sign + some_digits(random, between(random, 1, 400)) + "." + some_digits(random, between(random, 1, 200));
    case 2:
      return sign + "0." + some_digits(random, between(random, 1, 60));
    case 3:
      return sign +
             print("%de%d", static_cast<int>(between(random, 0, 99999)), static_cast<int>(between(random, -300, 300)));
    case 4:
      return sign + "." + std::string(static_cast<std::size_t>(between(random, 0, 40)), '0') + some_digits(random, 3);
    default:
      return sign + some_digits(random, between(random, 1, 8)) + "." + some_digits(random, 2);
  }
}

// Words with everything that arrays and COPY escape.
inline std::string some_text(Random& random) {
  static const std::vector<std::string> pieces = {"a",  "B", "7",    " ",    ",",   ";",   "{",   "}",  "\"",
                                                  "\\", "'", "null", "NULL", "\t",  "\n",  "\r",  "\v", "\f",
                                                  "\b", "é", "漢",   "🙂",   "\\N", "NaN", "x y", "\\x"};
  std::string text;
  for (auto count = between(random, 0, 6); count > 0; --count) text += pieces[random() % pieces.size()];
  return text;
}

inline std::string some_bytes(Random& random) {
  std::string hex = "\\x";
  for (auto count = between(random, 0, 40); count > 0; --count)
    hex += print("%02x", static_cast<unsigned>(random() & 0xFF));
  return hex;
}

inline std::string some_year(Random& random, int first, int last) {
  const auto year = between(random, 0, 3) == 0 ? between(random, first, last) : between(random, -2500, 12000);
  return print("%04d", static_cast<int>(std::clamp<std::int64_t>(year, first, last)));
}

// A date; years below 1 in the era before. Day 28 exists in every month.
inline std::string some_date(Random& random, int last_year, const std::string& rest) {
  const int year = std::stoi(some_year(random, -4711, last_year));
  const bool leap_day =
      between(random, 0, 20) == 0 && year > 0 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const auto day =
      leap_day ? std::string("02-29")
               : print("%02d-%02d", static_cast<int>(between(random, 1, 12)), static_cast<int>(between(random, 1, 28)));
  return print("%04d-%s%s%s", year > 0 ? year : 1 - year, day.c_str(), rest.c_str(), year > 0 ? "" : " BC");
}

inline std::string some_time(Random& random) {
  const auto fraction = between(random, 0, 2) == 0 ? std::string()
                                                   : print(".%0*d", static_cast<int>(between(random, 1, 6)),
                                                           static_cast<int>(between(random, 0, 9)));
  return print("%02d:%02d:%02d%s", static_cast<int>(between(random, 0, 23)), static_cast<int>(between(random, 0, 59)),
               static_cast<int>(between(random, 0, 59)), fraction.c_str());
}

inline std::string some_zone(Random& random) {
  const auto part = [&](int most, const char* format) {
    return between(random, 0, 1) == 0 ? std::string() : print(format, static_cast<int>(between(random, 0, most)));
  };
  auto zone = print("%c%02d", between(random, 0, 1) == 0 ? '-' : '+', static_cast<int>(between(random, 0, 15)));
  if (const auto minutes = part(59, ":%02d"); !minutes.empty()) zone += minutes + part(59, ":%02d");
  return zone;
}

inline std::string some_interval(Random& random) {
  const auto part = [&](std::int64_t most, const char* unit) {
    return between(random, 0, 1) == 0 ? std::string() : print("%" PRId64 " %s ", between(random, -most, most), unit);
  };
  const bool small = between(random, 0, 1) == 0;
  return "0 s " + part(small ? 3 : 170'000'000, "years") + part(small ? 3 : 2'000'000, "mons") +
         part(small ? 2 : 2'000'000'000, "days") + part(small ? 30 : 2'000'000'000, "hours") + part(70, "min") +
         part(small ? 5 : 4'000'000'000'000, "us");
}

inline std::string some_inet(Random& random) {
  const bool six = between(random, 0, 1) == 0;
  std::string address;
  if (six) {
    for (int word = 0; word < 8; ++word) {
      if (word > 0) address += ":";
      // Mostly zeros and the words that mark an IPv4 address.
      static const std::vector<const char*> words = {"0", "0", "0", "0", "ffff", "1", "abcd", "12"};
      address += words[random() % words.size()];
    }
  } else {
    for (int byte = 0; byte < 4; ++byte) address += (byte > 0 ? "." : "") + std::to_string(random() % 256);
  }
  const auto bits = between(random, 0, six ? 128 : 32);
  return address + (between(random, 0, 1) == 0 ? "" : "/" + std::to_string(bits));
}

inline std::string some_json(Random& random) {
  return print(R"({"a" :%d,  "b\u00e9": [1.50, null, "%s"], "c": {"x y": "\t\"" }})", static_cast<int>(random() % 100),
               random() % 2 == 0 ? "漢" : "");
}

enum class Prefixes : std::uint8_t {
  invalid,  // no part of a value is a value
  valid,    // the bytes are the text, or text behind a version: parts are values too
};

struct TypeCase {
  std::string type;
  std::vector<std::string> always;
  Generator some;
  Prefixes prefixes = Prefixes::invalid;
  std::string expression = "v";  // makes the value out of the literal
};

inline std::vector<TypeCase> types() {
  const auto integer = [](int bits) {
    return [bits](Random& random) { return std::to_string(some_integer(random, bits)); };
  };
  const auto timestamp = [](Random& random) { return some_date(random, 294275, " " + some_time(random)); };
  return {
      {"boolean", {"t", "f"}, [](Random& random) { return random() % 2 == 0 ? "t" : "f"; }},
      {"smallint", {"-32768", "32767", "0"}, integer(16)},
      {"integer", {"-2147483648", "2147483647", "0"}, integer(32)},
      {"bigint", {"-9223372036854775808", "9223372036854775807", "0"}, integer(64)},
      {"oid", {"0", "4294967295"}, [](Random& random) { return std::to_string(random() >> between(random, 32, 63)); }},
      {"real",
       {"NaN", "Infinity", "-Infinity", "0", "-0", "1e-45", "3.4028235e38", "1.17549435e-38", "999999", "1000000",
        "0.0001", "0.00001", "16777216", "8388608.5"},
       some_float<float, std::uint32_t>},
      {"double precision",
       {"NaN", "Infinity", "-Infinity", "0", "-0", "5e-324", "1.7976931348623157e308", "2.2250738585072014e-308",
        "999999999999999", "1000000000000000", "0.0001", "0.00001", "1e23", "9007199254740993", "0.1", "1e22"},
       some_float<double, std::uint64_t>},
      {"numeric",
       {"NaN", "Infinity", "-Infinity", "0", "0.0", "0.00000", "1e-16383", "1e131071", "-1e131071", "10000", "9999",
        "0.0001", "0.00001", "10000.0001", "1.2500", "100000000", "-0.5",
        std::string(131072, '9') + "." + std::string(16383, '9')},
       some_numeric},
      {"text", {"", "NULL", "null", "nUlL", "\\N", "\\."}, some_text, Prefixes::valid},
      {"character varying", {"", " "}, some_text, Prefixes::valid},
      {"character(12)", {"", " a"}, some_text, Prefixes::valid},
      {"name", {"", "pg_catalog"}, some_text, Prefixes::valid},
      {"\"char\"",
       {"", "a", "\\377", "\\200", ",", "\"", "{"},
       [](Random& random) { return print("\\%03o", static_cast<unsigned>(random() % 256)); }},
      {"bytea", {"\\x", "\\x00"}, some_bytes, Prefixes::valid},
      {"uuid",
       {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
       [](Random& random) {
         return print("%016" PRIx64 "%016" PRIx64, std::uint64_t{random()}, std::uint64_t{random()});
       }},
      {"date",
       {"infinity", "-infinity", "4714-11-24 BC", "5874897-12-31", "2000-01-01", "1999-12-31", "2000-02-29",
        "1900-03-01", "0001-01-01", "0001-12-31 BC", "0001-01-01 BC", "0005-02-29 BC", "10000-01-01", "1970-01-01"},
       [](Random& random) { return some_date(random, 5874896, ""); }},
      {"time", {"00:00:00", "24:00:00", "23:59:59.999999", "00:00:00.000001", "00:00:00.1"}, some_time},
      {"timetz",
       {"00:00:00+15:59:59", "24:00:00-15:59:59", "12:00:00+00", "12:00:00+05:30", "12:00:00-00:00:01"},
       [](Random& random) { return some_time(random) + some_zone(random); }},
      {"timestamp",
       {"infinity", "-infinity", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999", "2000-01-01 00:00:00",
        "1999-12-31 23:59:59.999999", "0044-03-15 00:00:00 BC", "0001-12-31 23:59:59.5 BC"},
       timestamp},
      {"timestamptz",
       {"infinity", "-infinity", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00",
        "2000-01-01 00:00:00+00", "0044-03-15 00:00:00+00 BC"},
       timestamp},
      {"interval",
       {"0", "-178000000 years", "178956970 years 7 mons", "-178956970 years -8 mons", "2147483647 days",
        "-2147483648 days", "1 mon -1 day", "-1 mon 1 day 00:00:00.5", "-1 year -00:00:00.000001", "1 year -1 mon",
        "-1 day 1 us", "100:00:00", "2562047788:00:54.775807", "-2562047788:00:54.775807"},
       some_interval},
      {"json", {"null", "[]", " {\"a\" : 1}", "\"\\u0000\""}, some_json, Prefixes::valid},
      {"jsonb", {"null", "[]", "1.2500", "\"x\""}, some_json, Prefixes::valid},
      {"inet",
       {"::", "::1", "::/0", "::ffff:1.2.3.4", "::1.2.3.4", "1::", "1:0:0:2:0:0:3:4", "0.0.0.0/0", "::2", "0:0:1::"},
       some_inet},
      {"cidr",
       {"::/0", "0.0.0.0/0", "10.1.2.3/32", "::1/128", "10.0.0.0/8"},
       some_inet,
       Prefixes::invalid,
       "network(v::inet)"},
      {"mood", {"sad", "ok", "very happy", "{\"}", "null", "é"}, [](Random&) { return "ok"; }, Prefixes::valid},
  };
}

}  // namespace walrelay::replication
