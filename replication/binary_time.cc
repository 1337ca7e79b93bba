// Dates, times and intervals. PostgreSQL counts days and microseconds from 2000-01-01, in the Gregorian calendar in
// both directions; the year before 1 is printed as 0001 BC.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

#include "replication/binary_codec.h"
#include "replication/reader.h"

namespace walrelay::replication::binary {
namespace {

constexpr unsigned kMicroseconds = 1'000'000;  // in a second
constexpr std::int64_t kSecond = kMicroseconds;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int32_t kFirstDay = -2'451'545;    // 4714-11-24 BC, day 0 of the Julian count
constexpr std::int32_t kLastDay = 2'145'031'948;  // 5874897-12-31
constexpr std::int64_t kFirstTimestamp = kFirstDay * kDay;
constexpr std::int64_t kEndTimestamp = 9'223'371'331'200'000'000;  // 294277-01-01
constexpr std::int32_t kZoneLimit = 16 * 3600;

// A line of text under construction. Every use of it is bounded by the largest value of its type, below the size.
class Line {
 public:
  void put(char c) { *at_++ = c; }
  void put(std::string_view text) { at_ = std::copy(text.begin(), text.end(), at_); }
  template <class Integer>
  void put_number(Integer number) {
    at_ = std::to_chars(at_, text_.data() + text_.size(), number).ptr;
  }
  void put_two(unsigned number) {  // hours grow beyond two digits in intervals; those are put by put_number
    at_[0] = static_cast<char>('0' + number / 10);
    at_[1] = static_cast<char>('0' + number % 10);
    at_ += 2;
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), static_cast<std::size_t>(at_ - text_.data())}; }

 private:
  std::array<char, 128> text_;
  char* at_ = text_.data();
};

struct Civil {
  std::int64_t year;
  unsigned month, day;
};

// The Gregorian date of a day. Counted in years that begin in March, so that the leap day is the last day of a year,
// and in eras of 400 years, which all have the same number of days.
Civil civil_from_days(std::int64_t days_from_2000) {
  constexpr std::int64_t kDaysTo2000 = 730'425;  // from 0000-03-01 to 2000-01-01
  constexpr std::int64_t kEraDays = 146'097;
  const std::int64_t days = days_from_2000 + kDaysTo2000;
  const std::int64_t era = (days >= 0 ? days : days - (kEraDays - 1)) / kEraDays;
  const auto day_of_era = static_cast<unsigned>(days - era * kEraDays);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned march_month = (5 * day_of_year + 2) / 153;
  const unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
  const std::int64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
  return {year, month, day_of_year - (153 * march_month + 2) / 5 + 1};
}

void put_date(Line& line, const Civil& date) {
  const std::int64_t year = date.year > 0 ? date.year : 1 - date.year;
  if (year < 10'000) {
    line.put_two(static_cast<unsigned>(year) / 100);
    line.put_two(static_cast<unsigned>(year) % 100);
  } else {
    line.put_number(year);
  }
  line.put('-');
  line.put_two(date.month);
  line.put('-');
  line.put_two(date.day);
}

void put_era(Line& line, const Civil& date) {
  if (date.year <= 0) line.put(" BC");
}

// Seconds below a minute, and as many digits behind the point as are not zero at the end.
void put_seconds(Line& line, std::uint64_t microseconds) {
  const auto below_minute = static_cast<unsigned>(microseconds);  // 32 bits are divided sooner than 64
  line.put_two(below_minute / kMicroseconds);
  unsigned fraction = below_minute % kMicroseconds;
  if (fraction == 0) return;
  line.put('.');
  for (unsigned unit = kMicroseconds / 10; fraction > 0; unit /= 10) {
    line.put(static_cast<char>('0' + fraction / unit));
    fraction %= unit;
  }
}

void put_time(Line& line, std::uint64_t microseconds) {
  const auto minutes = static_cast<unsigned>(microseconds / kMinute);
  line.put_two(minutes / 60);
  line.put(':');
  line.put_two(minutes % 60);
  line.put(':');
  put_seconds(line, microseconds - minutes * std::uint64_t{kMinute});
}

std::uint64_t read_time(Reader& in) {
  const auto time = in.i64();
  if (time < 0 || time > kDay) in.fail("lies outside the day");  // 24:00:00 is allowed
  return static_cast<std::uint64_t>(time);
}

// The parts of an interval as PostgreSQL's style "postgres" has them: "1 year -2 mons +3 days 04:05:06". A part that
// follows a negative one carries its plus sign.
class IntervalText {
 public:
  explicit IntervalText(Line& line) : line_(line) {}

  void put_part(std::int32_t number, std::string_view unit) {
    if (number == 0) return;
    if (!first_) line_.put(' ');
    if (after_negative_ && number > 0) line_.put('+');
    line_.put_number(number);
    line_.put(' ');
    line_.put(unit);
    if (number != 1) line_.put('s');
    after_negative_ = number < 0;
    first_ = false;
  }

  void put_clock(std::int64_t time) {
    if (time == 0 && !first_) return;
    if (!first_) line_.put(' ');
    if (time < 0) {
      line_.put('-');
    } else if (after_negative_) {
      line_.put('+');
    }
    // Unsigned, as the most negative number has no positive counterpart.
    const auto size = time < 0 ? 0 - static_cast<std::uint64_t>(time) : static_cast<std::uint64_t>(time);
    const std::uint64_t hours = size / kHour;
    if (hours < 10) line_.put('0');
    line_.put_number(hours);
    line_.put(':');
    line_.put_two(static_cast<unsigned>(size / kMinute % 60));
    line_.put(':');
    put_seconds(line_, size % kMinute);
  }

 private:
  Line& line_;
  bool first_ = true;
  bool after_negative_ = false;
};

template <class Integer>
bool put_infinity(Integer number, Line& line) {
  if (number == std::numeric_limits<Integer>::max()) {
    line.put("infinity");
  } else if (number == std::numeric_limits<Integer>::min()) {
    line.put("-infinity");
  } else {
    return false;
  }
  return true;
}

// PostgreSQL 17's infinite intervals are the extremes of all three parts at once.
bool is_infinite(std::int64_t time, std::int32_t days, std::int32_t months) {
  using Narrow = std::numeric_limits<std::int32_t>;
  using Wide = std::numeric_limits<std::int64_t>;
  return (time == Wide::max() && days == Narrow::max() && months == Narrow::max()) ||
         (time == Wide::min() && days == Narrow::min() && months == Narrow::min());
}

}  // namespace

void append_date(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary date");
  const auto days = in.i32();
  in.expect_end();
  Line line;
  if (!put_infinity(days, line)) {
    if (days < kFirstDay || days > kLastDay) in.fail("is out of range");
    const auto date = civil_from_days(days);
    put_date(line, date);
    put_era(line, date);
  }
  out += line.view();
}

void append_time(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary time");
  const auto time = read_time(in);
  in.expect_end();
  Line line;
  put_time(line, time);
  out += line.view();
}

void append_timetz(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary time with time zone");
  const auto time = read_time(in);
  const auto west = in.i32();  // seconds west of Greenwich; printed as the distance to the east
  in.expect_end();
  if (west <= -kZoneLimit || west >= kZoneLimit) in.fail("has an impossible time zone");
  Line line;
  put_time(line, time);
  line.put(west <= 0 ? '+' : '-');
  const auto offset = static_cast<unsigned>(west < 0 ? -west : west);
  line.put_two(offset / 3600);
  if (offset % 3600 != 0) {
    line.put(':');
    line.put_two(offset / 60 % 60);
  }
  if (offset % 60 != 0) {
    line.put(':');
    line.put_two(offset % 60);
  }
  out += line.view();
}

void append_timestamp(std::string_view bytes, bool with_zone, std::string& out) {
  Reader in(bytes, "binary timestamp");
  const auto timestamp = in.i64();
  in.expect_end();
  Line line;
  if (!put_infinity(timestamp, line)) {
    if (timestamp < kFirstTimestamp || timestamp >= kEndTimestamp) in.fail("is out of range");
    const auto days = (timestamp >= 0 ? timestamp : timestamp - (kDay - 1)) / kDay;
    const auto date = civil_from_days(days);
    put_date(line, date);
    line.put(' ');
    put_time(line, static_cast<std::uint64_t>(timestamp - days * kDay));
    if (with_zone) line.put("+00");
    put_era(line, date);
  }
  out += line.view();
}

void append_interval(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary interval");
  const auto time = in.i64();
  const auto days = in.i32();
  const auto months = in.i32();
  in.expect_end();
  Line line;
  if (!is_infinite(time, days, months) || !put_infinity(time, line)) {
    IntervalText text(line);
    text.put_part(months / 12, "year");
    text.put_part(months % 12, "mon");
    text.put_part(days, "day");
    text.put_clock(time);
  }
  out += line.view();
}

}  // namespace walrelay::replication::binary
