// What the tests of jobs share: a job is asked for over HTTP and followed to its end.
//
//   start(kUsers); plant("user:7");
//   const auto done = rebuild("users");        POST, then its status until it is over
//   EXPECT_EQ(done.text("status"), "COMPLETED");
#pragma once

#include <gmock/gmock.h>
#include <simdjson.h>

#include "tests/system/end_to_end.h"

namespace walrelay::support {

// An answer of the routes.
class JobAnswer {
 public:
  JobAnswer() = default;
  explicit JobAnswer(HttpAnswer answer) : answer_(std::move(answer)) {}
  [[nodiscard]] int http() const { return answer_.status; }
  [[nodiscard]] const std::string& body() const { return answer_.body; }
  // A member as text: numbers and booleans as JSON has them, "null", and "" where there is none.
  [[nodiscard]] std::string text(const char* name) const {
    simdjson::dom::parser parser;
    simdjson::dom::element json, member;
    if (parser.parse(answer_.body).get(json) != simdjson::SUCCESS || json[name].get(member) != simdjson::SUCCESS) {
      return "";
    }
    std::string_view text;
    return member.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::minify(member);
  }
  [[nodiscard]] bool running() const { return text("status") == "RUNNING"; }

 private:
  HttpAnswer answer_;
};
inline void PrintTo(const JobAnswer& answer, std::ostream* out) { *out << answer.http() << " " << answer.body(); }

class RebuildFixture : public EndToEnd {
 protected:
  static constexpr const char* kUsers = "  - {name: users, table: users, write: {hash: {key: \"user:{id}\"}}}\n";

  static std::string route(const std::string& mapping, const std::string& rest = "") {
    return "/api/v1/admin/index/" + mapping + "/reindex" + rest;
  }
  JobAnswer post(const std::string& path, const std::string& token = "") {
    return JobAnswer(walrelay().ask("POST", path, token));
  }
  JobAnswer get(const std::string& path) { return JobAnswer(walrelay().http(path)); }
  JobAnswer cancel(const std::string& path) { return JobAnswer(walrelay().ask("DELETE", path)); }

  // `query` with its question mark. Waits for the end, whatever that is.
  JobAnswer rebuild(const std::string& mapping, const std::string& query = "", milliseconds timeout = kPatience) {
    const JobAnswer begun = post(route(mapping, query));
    EXPECT_EQ(begun.http(), 202) << begun.body();
    return begun.http() == 202 ? finished(mapping, query, timeout) : begun;
  }
  JobAnswer finished(const std::string& mapping, const std::string& query = "", milliseconds timeout = kPatience) {
    JobAnswer last;
    EXPECT_TRUE(eventually(
        [&] {
          last = get(route(mapping, "/status" + query));
          return last.http() == 200 && !last.running();
        },
        timeout))
        << last.body();
    return last;
  }
  // Waits until the job is seen in a phase: reading, sweeping.
  testing::AssertionResult enters(const std::string& mapping, const std::string& phase) {
    return eventually_equal([&] { return get(route(mapping, "/status")).text("phase"); }, phase);
  }

  static void plant(const std::vector<std::string>& keys) {
    for (const auto& key : keys) redis().command("HSET", key, "planted", "1");
  }
  static std::vector<std::string> left_of(const std::vector<std::string>& keys) {
    std::vector<std::string> left;
    for (const auto& key : keys) {
      if (redis().command("EXISTS", key) == "1") left.push_back(key);
    }
    return left;
  }
  // Every key but walrelay's own.
  static std::vector<std::string> keys() {
    auto all = redis().keys("*");
    std::erase_if(all, [](const std::string& key) { return key.starts_with("walrelay:{t"); });
    return all;
  }
  void users(int rows) {
    sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users SELECT i, 'u' || i FROM "
        "generate_series(1, " +
        std::to_string(rows) + ") i");
  }
  testing::AssertionResult users_in_step(milliseconds timeout = kPatience) {
    return in_step("users", "'user:' || id", "user:*", timeout);
  }
};

}  // namespace walrelay::support
