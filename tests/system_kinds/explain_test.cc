// explain prints what a row, or the next changes, would cause, and writes nothing.
#include <gmock/gmock.h>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class ExplainTest : public EndToEnd {
 protected:
  static constexpr const char* kMappings =
      "  - {name: users, table: users, write: [{hash: {key: \"user:{id}\"}}, {set: {key: \"of:{name}\", member: "
      "\"{id}\", "
      "track: redis}}]}\n";

  void table() {
    sql("CREATE TABLE users (id int PRIMARY KEY, name text, at timestamptz, price numeric(10, 2), tags text[])");
  }
  Finished explain(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "explain");
    return Walrelay({.config = config(kMappings)}).command(std::move(arguments));
  }
};

TEST_F(ExplainTest, ARowIsReadAsTheTableHasIt) {
  table();
  const Finished inserted =
      explain({"--table", "users", "--row",
               R"({"id": 1, "name": "Ada L", "at": "2026-01-01T00:00:00+01:00", "price": 3, "tags": ["a", "b"]})"});
  EXPECT_EQ(inserted.status, 0) << inserted.errors;
  EXPECT_NE(inserted.output.find("HSET user:1 id 1 name \"Ada L\" at \"2025-12-31 23:00:00+00\" price 3.00 tags {a,b}"),
            std::string::npos)
      << inserted.output;
  EXPECT_THAT(inserted.output, testing::ContainsRegex("EVALSHA [0-9a-f]{8} 1 "));
  EXPECT_TRUE(redis().keys("*").empty());

  const Finished moved =
      explain({"--table", "public.users", "--row", R"({"id": 2, "name": "Ada"})", "--before", R"({"id": 1})"});
  EXPECT_NE(moved.output.find("UNLINK user:1\n"), std::string::npos) << moved.output << moved.errors;
  EXPECT_NE(moved.output.find("user:2"), std::string::npos);
  const Finished gone = explain({"--table", "users", "--row", R"({"id": 2})", "--delete", "-o", "json"});
  EXPECT_NE(gone.output.find("[\"UNLINK\", \"user:2\"]\n"), std::string::npos) << gone.output << gone.errors;
}

// Whether rows would be documents or strings only Redis can say.
TEST_F(ExplainTest, JsonIsAStringWhereRedisDoesNotAnswer) {
  table();
  const std::string mapping = "  - {table: users, write: {json: {key: \"user:{id}\", columns: [id]}}}\n";
  const std::vector<std::string> asking = {"explain", "--table", "users", "--row", R"({"id": 1})"};
  const Finished told = Walrelay({.config = config(mapping)}).command(asking);
  EXPECT_EQ(told.output, "SET user:1 \"{\\\"id\\\":1}\"\n") << told.errors;
  EXPECT_EQ(told.errors, "");
  const std::string nowhere = source() + "}\ntarget: {url: \"redis://127.0.0.1:1\"}\nmappings:\n" + mapping;
  const Finished guessed = Walrelay({.config = nowhere}).command(asking);
  EXPECT_EQ(guessed.status, 0) << guessed.errors;
  EXPECT_EQ(guessed.output, told.output);
  EXPECT_NE(guessed.errors.find("the kind json is shown as strings"), std::string::npos) << guessed.errors;
}

TEST_F(ExplainTest, MistakesAreSaid) {
  table();
  struct Case {
    std::vector<std::string> arguments;
    std::string words;
  };
  const std::vector<Case> cases = {
      {{"--table", "nowhere", "--row", "{}"}, "does not exist"},
      {{"--table", "users", "--row", "[1]"}, "must be a JSON object"},
      {{"--table", "users", "--row", R"({"nmae": 1})"}, "no column \"nmae\""},
      {{"--table", "users"}, "give either"},
      {{"--table", "users", "--row", "{}", "--changes", "2"}, "give either"},
  };
  for (const Case& one : cases) {
    const Finished finished = explain(one.arguments);
    EXPECT_EQ(finished.status, 2) << finished.errors;
    EXPECT_NE(finished.errors.find(one.words), std::string::npos) << finished.errors;
  }
}

TEST_F(ExplainTest, TheNextChangesAreThoseOfARunningDatabase) {
  table();
  sql("INSERT INTO users VALUES (1, 'before')");
  start(kMappings);
  for (const std::string form : {"text", "json"}) {
    Walrelay explaining({.config = config(kMappings), .arguments = {"explain", "--changes", "2", "-o", form}});
    explaining.start();
    explaining.wait_log("waiting for changes");
    sql("INSERT INTO users VALUES (2, 'a'), (3, 'b'), (4, 'c'); DELETE FROM users WHERE id > 1");
    EXPECT_EQ(explaining.wait(), 0) << explaining.log();
    const std::string out = explaining.output();
    EXPECT_EQ(out.find("before"), std::string::npos) << out;
    EXPECT_NE(out.find("user:2"), std::string::npos) << out;
    EXPECT_NE(out.find("user:3"), std::string::npos) << out;
    EXPECT_EQ(out.find("user:4"), std::string::npos) << out;
  }
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
}

}  // namespace
}  // namespace walrelay::support
