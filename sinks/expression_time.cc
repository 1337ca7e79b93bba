#include "sinks/expression_time.h"

#include <chrono>

namespace walrelay::sinks {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t kMostDays = 106'751'989;  // so many days of microseconds, a time and a zone fit in 64 bits
// The calendar repeats itself every 400 years. std::chrono knows the years to 32767 only, PostgreSQL more.
constexpr std::int64_t kEraYears = 400, kEraDays = 146'097;

// Reads a text from its front; what does not fit makes it bad, and nothing is read any more.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return good_ && text_.empty(); }
  [[nodiscard]] bool sees(std::string_view any) const { return !text_.empty() && any.find(text_[0]) != any.npos; }

  bool skip(std::string_view any) {
    if (!good_ || !sees(any)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void require(bool held) { good_ = good_ && held; }

  // As many digits as there are, but not fewer than `least` or more than `most`.
  std::int64_t number(std::size_t least, std::size_t most) {
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9'; ++digits) {
      if (digits == most) break;
      value = value * 10 + (text_[digits] - '0');
    }
    require(digits >= least);
    text_.remove_prefix(digits);
    return value;
  }

  std::int64_t two_digits(std::int64_t most) {
    const std::int64_t value = number(2, 2);
    require(value <= most);
    return value;
  }

  // The fraction of a second behind its point, in microseconds.
  std::int64_t fraction() {
    std::int64_t value = 0, unit = kSecond;
    require(sees("0123456789"));
    for (; sees("0123456789"); text_.remove_prefix(1)) {
      unit /= 10;
      value += unit * (text_[0] - '0');
    }
    return value;
  }

 private:
  std::string_view text_;
  bool good_ = true;
};

struct Date {
  std::int64_t year = 0;
  unsigned month = 0, day = 0;
};

std::int64_t days_of(const Date& date, Cursor& in) {
  using namespace std::chrono;
  const std::int64_t era = floor_division(date.year - 2000, kEraYears);
  const year_month_day folded{year(static_cast<int>(date.year - era * kEraYears)), month(date.month), day(date.day)};
  in.require(folded.ok());
  return in.good() ? sys_days(folded).time_since_epoch().count() + era * kEraDays : 0;
}

Date date_of(std::int64_t days) {
  using namespace std::chrono;
  const std::int64_t era = floor_division(days, kEraDays);
  const year_month_day folded{sys_days(std::chrono::days(days - era * kEraDays))};
  return {int{folded.year()} + era * kEraYears, unsigned{folded.month()}, unsigned{folded.day()}};
}

Date read_date(Cursor& in) {
  Date date;
  const bool minus = in.sees("-");
  const bool sign = in.skip("+-");
  date.year = in.number(sign ? 6 : 4, 7);
  if (minus) date.year = -date.year;
  in.require(in.skip("-"));
  date.month = static_cast<unsigned>(in.two_digits(12));
  in.require(in.skip("-"));
  date.day = static_cast<unsigned>(in.two_digits(31));
  return date;
}

std::int64_t read_clock(Cursor& in) {
  std::int64_t time = in.two_digits(23) * 3600 * kSecond;
  in.require(in.skip(":"));
  time += in.two_digits(59) * 60 * kSecond;
  if (!in.skip(":")) return time;
  time += in.two_digits(59) * kSecond;
  if (in.skip(".")) time += in.fraction();
  return time;
}

// What the zone is ahead of UTC: Z, +05, +0530, +05:30, +05:53:28.
std::int64_t read_zone(Cursor& in) {
  if (in.skip("Zz")) return 0;
  const bool west = in.sees("-");
  if (!in.skip("+-")) return 0;
  std::int64_t seconds = in.two_digits(23) * 3600;
  if (in.skip(":")) {
    seconds += in.two_digits(59) * 60;
    if (in.skip(":")) seconds += in.two_digits(59);
  } else if (in.sees("0123456789")) {
    seconds += in.two_digits(59) * 60;
  }
  return (west ? -seconds : seconds) * kSecond;
}

std::int64_t time_of_day(std::int64_t microseconds) {
  const std::int64_t time = microseconds % kDay;
  return time < 0 ? time + kDay : time;
}

void put_clock(TimeText& out, std::int64_t time) {
  out.put('T');
  out.put_digits(time / (3600 * kSecond), 2);
  out.put(':');
  out.put_digits(time / (60 * kSecond) % 60, 2);
  out.put(':');
  out.put_digits(time / kSecond % 60, 2);
}

void put_month_and_day(TimeText& out, const Date& date) {
  out.put('-');
  out.put_digits(date.month, 2);
  out.put('-');
  out.put_digits(date.day, 2);
}

}  // namespace

ReadTime read_time(std::string_view text) {
  using State = ReadTime::State;
  if (text == "infinity" || text == "-infinity") return {State::infinite, 0};
  constexpr std::string_view kBeforeChrist = " BC";
  const bool before_christ = text.ends_with(kBeforeChrist);
  if (before_christ) text.remove_suffix(kBeforeChrist.size());
  Cursor in(text);
  Date date = read_date(in);
  if (before_christ) {
    in.require(date.year > 0);
    date.year = 1 - date.year;
  }
  const std::int64_t days = days_of(date, in);
  std::int64_t time = 0;
  if (in.skip("Tt ")) {
    time = read_clock(in);
    time -= read_zone(in);
  }
  if (!in.at_end()) return {State::malformed, 0};
  if (days > kMostDays || days < -kMostDays) return {State::beyond, 0};
  return {State::known, days * kDay + time};
}

void TimeText::put_digits(std::int64_t number, int digits) {
  size_ += static_cast<std::size_t>(digits);
  for (std::size_t at = size_; digits > 0; --digits, number /= 10) bytes_[--at] = static_cast<char>('0' + number % 10);
}

TimeText iso_ms(std::int64_t microseconds) {
  const Date date = date_of(floor_division(microseconds, kDay));
  const std::int64_t time = time_of_day(microseconds);
  TimeText out;
  if (date.year >= 0 && date.year <= 9999) {
    out.put_digits(date.year, 4);
  } else {
    out.put(date.year < 0 ? '-' : '+');
    out.put_digits(date.year < 0 ? -date.year : date.year, 6);
  }
  put_month_and_day(out, date);
  put_clock(out, time);
  out.put('.');
  out.put_digits(time / 1000 % 1000, 3);
  out.put('Z');
  return out;
}

std::optional<TimeText> rfc3339(std::int64_t microseconds) {
  const Date date = date_of(floor_division(microseconds, kDay));
  const std::int64_t time = time_of_day(microseconds);
  if (date.year < 0 || date.year > 9999) return std::nullopt;
  TimeText out;
  out.put_digits(date.year, 4);
  put_month_and_day(out, date);
  put_clock(out, time);
  std::int64_t fraction = time % kSecond;
  if (fraction > 0) {
    int digits = 6;
    for (; fraction % 10 == 0; fraction /= 10) --digits;
    out.put('.');
    out.put_digits(fraction, digits);
  }
  out.put('Z');
  return out;
}

}  // namespace walrelay::sinks
