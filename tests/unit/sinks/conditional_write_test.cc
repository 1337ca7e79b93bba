// The commands of writes that look at the key first, and of JSON documents. What the scripts do is tested on a real
// server (tests/system_kinds/conditional_write_test.cc).
#include "sinks/conditional_write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"

namespace walrelay::sinks {
namespace {

using std::chrono::milliseconds;
using testing::absent;
using testing::after_change;
using testing::Bound;
using ::testing::ElementsAre;
using testing::hash;
using testing::if_cached;
using testing::including;
using testing::null;
using testing::Outcome;
using testing::string;
using testing::unchanged;
using testing::until;
using testing::users;
using testing::with;
using testing::with_lifetime;
using testing::with_ttl;

// "EVALSHA sha 1 key ..." without the sha.
std::vector<std::string> calls(Bound& bound) {
  std::vector<std::string> lines = bound.lines();
  for (std::string& line : lines) {
    if (line.starts_with("EVALSHA ")) line.erase(8, 43);
  }
  return lines;
}

TEST(ConditionalWrite, StringsOnlyWhereTheyAreCached) {
  Bound bound(users(),
              {if_cached(string("s:{id}", "name")), if_cached(with_ttl(string("t:{id}", "name"), milliseconds(9))),
               if_cached(with_lifetime(string("a:{id}", "name"), until("doc", "ms")))});
  bound.apply(bound.table.insert({"1", "Ann", "5000"}));
  EXPECT_THAT(bound.lines(), ElementsAre("SET s:1 Ann XX KEEPTTL", "SET t:1 Ann XX PX 9", "SET a:1 Ann XX PXAT 5000"));
  bound.writer->replace(bound.table.row({"1", "Ann", null}), true, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("SET s:1 Ann XX KEEPTTL", "SET t:1 Ann XX PX 9", "SET a:1 Ann XX"));
  bound.apply(bound.table.remove({"1", absent, absent}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK s:1", "UNLINK t:1", "UNLINK a:1"));
}

TEST(ConditionalWrite, HashesOnlyWhereTheyAreCached) {
  Bound bound(users(), {if_cached(hash("h:{id}"))});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  EXPECT_THAT(calls(bound), ElementsAre("EVALSHA h:1 cached keep 0 whole 2 id 1 name Ann"));
  bound.writer->replace(bound.table.row({"1", "Ann", null}), false, bound.batch);
  EXPECT_THAT(calls(bound), ElementsAre("EVALSHA h:1 cached keep 0 whole 2 id 1 name Ann"));
  EXPECT_EQ(bound.apply(bound.table.update({"1", null, unchanged})), Outcome::done);
  EXPECT_THAT(calls(bound), ElementsAre("EVALSHA h:1 cached keep 0 some 1 id 1 name"));
  Bound until_then(users(), {if_cached(with_lifetime(including(hash("h:{id}"), {"name"}), until("doc", "ms")))});
  until_then.apply(until_then.table.insert({"1", "Ann", "5000"}));
  EXPECT_THAT(calls(until_then), ElementsAre("EVALSHA h:1 cached at 5000 whole 1 name Ann"));
  until_then.apply(until_then.table.insert({"1", "Ann", null}));
  EXPECT_THAT(calls(until_then), ElementsAre("EVALSHA h:1 cached never 0 whole 1 name Ann"));
  until_then.apply(until_then.table.insert({"1", null, null}));
  EXPECT_THAT(until_then.lines(), ElementsAre("UNLINK h:1"));
}

TEST(ConditionalWrite, ATtlThatOnlyAChangeBeginsAnew) {
  const Lifetime lifetime = after_change(milliseconds(700));
  Bound bound(users(), {with_lifetime(hash("h:{id}"), lifetime), with_lifetime(string("s:{id}", "name"), lifetime),
                        if_cached(with_lifetime(string("c:{id}", "name"), lifetime))});
  bound.apply(bound.table.update({"1", "Ann", null}));
  const auto expected = ElementsAre("EVALSHA h:1  change 700 whole 2 id 1 name Ann", "EVALSHA s:1  change 700 Ann",
                                    "EVALSHA c:1 cached change 700 Ann");
  EXPECT_THAT(calls(bound), expected);
  bound.writer->replace(bound.table.row({"1", "Ann", null}), false, bound.batch);
  EXPECT_THAT(calls(bound), expected);
}

TEST(ConditionalWrite, OfOneKeyTheLastOneIsEnough) {
  Bound bound(users(), {if_cached(hash("h:{id}"))});
  bound.apply(bound.table.update({"1", "Ann", null}));
  bound.apply(bound.table.update({"1", "Bob", unchanged}));
  bound.apply(bound.table.update({"2", "Eve", null}));
  bound.apply(bound.table.update({"1", "Cid", "{}"}));
  EXPECT_THAT(calls(bound), ElementsAre("EVALSHA h:2 cached keep 0 whole 2 id 2 name Eve",
                                        "EVALSHA h:1 cached keep 0 whole 3 id 1 name Cid doc {}"));
  bound.apply(bound.table.update({"1", "Cid", "{}"}));
  bound.apply(bound.table.remove({"1", absent, absent}));
  EXPECT_THAT(calls(bound), ElementsAre("UNLINK h:1"));
}

WriteSpec json(const std::string& key) { return {"json", {{"key", testing::text_parameter(key)}}, ""}; }

TEST(JsonWrite, IsAStringWithoutTheModule) {
  Bound bound(users(), {with_ttl(json("j:{id}"), milliseconds(5))});
  bound.apply(bound.table.insert({"1", "Ann", "{\"a\": 1}"}));
  EXPECT_THAT(bound.lines(), ElementsAre(R"(SET j:1 {"id":1,"name":"Ann","doc":{"a": 1}} PX 5)"));
  std::vector<Expectation> expected;
  bound.writer->expect(bound.table.row({"1", "Ann", null}), expected);
  EXPECT_EQ(expected.at(0).type, Expectation::Type::string);
}

TEST(JsonWrite, IsADocumentWithTheModule) {
  Bound bound(users(),
              {including(json("j:{id}"), {"name"}), with_ttl(including(json("t:{id}"), {"name"}), milliseconds(5))}, {},
              JsonDocuments::set);
  bound.apply(bound.table.insert({"1", "Ann", null}));
  EXPECT_THAT(bound.lines(), ElementsAre(R"(JSON.SET j:1 $ {"name":"Ann"})", "PERSIST j:1",
                                         R"(JSON.SET t:1 $ {"name":"Ann"})", "PEXPIRE t:1 5"));
  bound.writer->replace(bound.table.row({"1", "Bob", null}), false, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK j:1", R"(JSON.SET j:1 $ {"name":"Bob"})", "PERSIST j:1", "UNLINK t:1",
                                         R"(JSON.SET t:1 $ {"name":"Bob"})", "PEXPIRE t:1 5"));
  bound.apply(bound.table.remove({"1", absent, absent}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK j:1", "UNLINK t:1"));
  EXPECT_EQ(bound.apply(bound.table.update({"1", unchanged, null})), Outcome::reread);
  std::vector<Expectation> expected;
  bound.writer->expect(bound.table.row({"1", "Ann", null}), expected);
  EXPECT_EQ(expected.at(0).type, Expectation::Type::document);
  EXPECT_EQ(expected.at(0).value, R"({"name":"Ann"})");
}

TEST(JsonWrite, LeavesWhatIsUnchangedInADocument) {
  Bound bound({"public.users", {"id:integer:key", "name:text", "doc:json"}}, {json("j:{id}")}, {},
              JsonDocuments::set_and_merge);
  const auto says = [&bound](const testing::Cell& name, const testing::Cell& doc) {
    EXPECT_EQ(bound.apply(bound.table.update({"1", name, doc})), Outcome::done);
    return calls(bound);
  };
  EXPECT_THAT(says("Ann", unchanged), ElementsAre(R"(EVALSHA j:1 {"id":1,"name":"Ann"})"));
  EXPECT_THAT(says(unchanged, "[1, null]"), ElementsAre(R"(EVALSHA j:1 {"id":1,"doc":[1, null]})"));
  // Merging would remove a member that is null, and keep what an object no longer has.
  EXPECT_THAT(says(null, unchanged), ElementsAre(R"(EVALSHA j:1 {"id":1} $["name"] null)"));
  EXPECT_THAT(says(unchanged, null), ElementsAre(R"(EVALSHA j:1 {"id":1} $["doc"] null)"));
  EXPECT_THAT(says(unchanged, " null "), ElementsAre(R"(EVALSHA j:1 {"id":1} $["doc"]  null )"));
  EXPECT_THAT(says(unchanged, "\n{\"a\": 1}"), ElementsAre("EVALSHA j:1 {\"id\":1} $[\"doc\"] \n{\"a\": 1}"));
  EXPECT_THAT(says(unchanged, unchanged), ElementsAre(R"(EVALSHA j:1 {"id":1})"));
}

// Where there may be no document, or no path says where a member is.
TEST(JsonWrite, NeedsTheWholeRowAllTheSame) {
  const std::vector<WriteSpec> writes{with_ttl(json("j:{id}"), milliseconds(5)), if_cached(json("j:{id}")),
                                      with(json("j:{id}"), "when", "name = 'Ann'"),
                                      with(json("j:{id}:{name}"), "track", "redis")};
  for (const WriteSpec& write : writes) {
    Bound bound(users(), {write}, {}, JsonDocuments::set_and_merge);
    EXPECT_EQ(bound.apply(bound.table.update({"1", "Ann", null})), Outcome::done);
    EXPECT_EQ(bound.apply(bound.table.update({"1", "Ann", unchanged})), Outcome::reread);
  }
  Bound moved(users(), {json("j:{id}")}, {}, JsonDocuments::set_and_merge);
  EXPECT_EQ(moved.apply(moved.table.update({"2", "Ann", unchanged}, {"1", absent, absent})), Outcome::reread);
  Bound old_server(users(), {json("j:{id}")}, {}, JsonDocuments::set);
  EXPECT_EQ(old_server.apply(old_server.table.update({"1", "Ann", unchanged})), Outcome::reread);
  Bound quoted({"public.users", {"id:integer:key", "a \"name\":text"}}, {json("j:{id}")}, {},
               JsonDocuments::set_and_merge);
  EXPECT_EQ(quoted.apply(quoted.table.update({"1", unchanged})), Outcome::reread);
}

TEST(JsonWrite, LooksAtADocumentByScript) {
  Bound bound(users(),
              {if_cached(including(json("c:{id}"), {"name"})),
               with_lifetime(including(json("d:{id}"), {"name"}), after_change(milliseconds(7)))},
              {}, JsonDocuments::set_and_merge);
  bound.apply(bound.table.insert({"1", "Ann", null}));
  const auto expected =
      ElementsAre(R"(EVALSHA c:1 cached keep 0 {"name":"Ann"})", R"(EVALSHA d:1  change 7 {"name":"Ann"})");
  EXPECT_THAT(calls(bound), expected);
  bound.writer->replace(bound.table.row({"1", "Ann", null}), false, bound.batch);
  EXPECT_THAT(calls(bound), expected);
}

}  // namespace
}  // namespace walrelay::sinks
