// What the acceptance tests share: an example of examples/, as it is shipped, on servers of its own. A scenario is its
// system's own statements and questions, to the letter, in two courses: plainly, and with a SIGKILL in the middle.
//
//   run();                                  schema.sql is in the database; walrelay.yaml, ready
//   sql("INSERT ...");
//   interrupt();                            in the killed course: SIGKILL, a new start, ready again
//   EXPECT_TRUE(answers("GETBIT e4s:bits:meter-data:day:12345:109 103", "1"));
//   expect_verified();                      `walrelay verify` finds no difference
#pragma once

#include "tests/support/onlooker.h"
#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {

enum class Course : std::uint8_t { plain, killed };
inline std::string course_name(const testing::TestParamInfo<Course>& info) {
  return info.param == Course::plain ? "Plainly" : "Killed";
}

// The words of a command line; 'one word' may hold spaces.
inline std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  bool quoted = false, inside = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (c != '\'') words.back() += c;
  }
  return words;
}

class Acceptance : public RebuildFixture, public testing::WithParamInterface<Course> {
 protected:
  using Environment = std::map<std::string, std::string>;

  explicit Acceptance(std::string example) : example_(std::move(example)) {}
  void SetUp() override {
    RebuildFixture::SetUp();
    sql(shipped("schema.sql"));
  }

  [[nodiscard]] std::string shipped(const std::string& file) const {
    const std::string text = read_file(std::string(SOURCE_DIRECTORY) + "/examples/" + example_ + "/" + file);
    if (text.empty()) throw std::runtime_error("examples/" + example_ + "/" + file + " cannot be read");
    return text;
  }
  // Where the example finds its servers. Slot and publication are the test's own.
  static Environment environment(const Postgres& postgres, const std::string& database, const std::string& slot) {
    return {{"DATABASE_URL", postgres.url(database)},
            {"REDIS_URL", redis().url()},
            {"WALRELAY_SOURCE_SLOT", slot},
            {"WALRELAY_SOURCE_PUBLICATION", slot}};
  }
  [[nodiscard]] Walrelay::Options example_options(const Environment& more = {}, const std::string& yaml = "") const {
    Environment env = environment(postgres(), name(), name());
    for (const auto& [variable, value] : more) env[variable] = value;
    return {.config = shipped("walrelay.yaml") + yaml, .arguments = {"run"}, .env = env};
  }
  // `more`: further variables; `yaml`: further mappings.
  void run(const Environment& more = {}, const std::string& yaml = "") {
    launch_as(example_options(more, yaml));
    walrelay().wait_ready();
  }
  void launch_example(const Environment& more) { launch_as(example_options(more, "")); }
  void interrupt() {
    if (GetParam() == Course::plain) return;
    walrelay().kill();
    walrelay().start();
    walrelay().wait_ready();
  }

  // Redis' answer becomes this: "(nil)" for none, elements in lines.
  testing::AssertionResult answers(const std::string& command, const std::string& expected,
                                   milliseconds timeout = kPatience) {
    const auto words = words_of(command);
    const auto found = eventually_equal([&] { return redis().client().command_words(words); }, expected,
                                        HasFailure() ? milliseconds(500) : timeout);
    return found ? found : testing::AssertionFailure() << command << ": " << found.message();
  }
  // The same where elements have no order: sorted.
  testing::AssertionResult members_are(const std::string& command, std::vector<std::string> expected) {
    std::sort(expected.begin(), expected.end());
    const auto words = words_of(command);
    const auto ask = [&] {
      std::vector<std::string> found;
      for (const auto& element : redis().client().call(words).elements) found.push_back(element.text);
      std::sort(found.begin(), found.end());
      return found;
    };
    const auto found = eventually_equal(ask, expected, HasFailure() ? milliseconds(500) : kPatience);
    return found ? found : testing::AssertionFailure() << command << ": " << found.message();
  }
  testing::AssertionResult keys_are(const std::string& pattern, std::size_t count, milliseconds timeout = kPatience) {
    const auto found = eventually_equal([&] { return redis().keys(pattern).size(); }, count, timeout);
    return found ? found : testing::AssertionFailure() << "keys " << pattern << ": " << found.message();
  }
  static long number(const std::string& command) {
    return std::stol(redis().client().command_words(words_of(command)));
  }
  static std::string hex(const std::string& bytes) {
    static constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
      const auto value = static_cast<unsigned char>(byte);
      text += {kDigits[value >> 4U], kDigits[value & 15U]};
    }
    return text;
  }
  testing::AssertionResult hex_is(const std::string& key, const std::string& expected) {
    return eventually_equal([&] { return hex(redis().command("GET", key)); }, expected);
  }
  // Milliseconds since 1970 by PostgreSQL's clock.
  [[nodiscard]] long now_ms() const {
    return std::stol(sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"));
  }

  void expect_verified() { expect_verified(walrelay()); }
  static void expect_verified(const Walrelay& of) {
    const auto done = of.command({"verify"});
    EXPECT_EQ(done.status, 0) << done.output << done.errors;
  }

  static void expect_unseen(Onlooker& onlooker) {
    const auto looks = onlooker.looks();
    EXPECT_TRUE(eventually([&] { return onlooker.looks() > looks + 10; }));
    onlooker.stop();
    EXPECT_EQ(onlooker.offences(), "");
  }

 private:
  std::string example_;
};

}  // namespace walrelay::support
