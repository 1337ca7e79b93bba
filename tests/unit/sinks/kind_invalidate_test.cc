// invalidate, and messages that ask for the same: the commands, and what the sink is asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"
#include "sinks/emitted_message.h"
#include "sinks/invalidation.h"

namespace walrelay::sinks::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kAgain = "walrelay:{walrelay}:again";

WriteSpec invalidate(const std::string& parameter, const std::string& text, milliseconds again = milliseconds(0)) {
  WriteSpec spec{"invalidate", {{parameter, text_parameter(text)}}, ""};
  if (again.count() > 0) spec.parameters["again_after"].duration = again;
  return spec;
}

// "UNLINK k", "note <delay> <member>".
std::vector<std::string> shown(Batch& batch) {
  std::vector<std::string> all;
  const std::string note = "EVALSHA " + invalidation_scripts().note.sha() + " 1 " + kAgain;
  for (std::string& line : lines_of(batch)) {
    all.push_back(line.starts_with(note) ? "note" + line.substr(note.size()) : std::move(line));
  }
  batch.clear();
  return all;
}

TEST(InvalidateTest, TheKeysOfTheOldRowAndTheNewOne) {
  Bound bound(users().full(), {invalidate("key", "cache:{name}")});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  bound.apply(bound.table.update({"1", "Bo", null}, {"1", "Cy", null}));
  bound.apply(bound.table.update({"1", "Di", null}, {"1", "Di", null}));
  bound.apply(bound.table.remove({"1", "Ed", null}));
  EXPECT_EQ(bound.batch.invalidations().all().keys, 5U);
  EXPECT_EQ(bound.batch.invalidations().soonest, std::nullopt);
  EXPECT_THAT(shown(bound.batch), ElementsAre("UNLINK cache:Ann", "UNLINK cache:Cy", "UNLINK cache:Bo",
                                              "UNLINK cache:Di", "UNLINK cache:Ed"));
}

TEST(InvalidateTest, NothingIsCachedUnderTheNameOfNothing) {
  Bound bound(users().full(), {invalidate("key", "cache:{name}")});
  bound.apply(bound.table.update({"1", null, null}, {"1", "Ann", null}));
  bound.apply(bound.table.insert({"2", null, null}));
  EXPECT_THAT(shown(bound.batch), ElementsAre("UNLINK cache:Ann"));
}

TEST(InvalidateTest, WhenEitherRowIsMeant) {
  WriteSpec spec = invalidate("key", "cache:{id}:{name}");
  spec.parameters["when"] = text_parameter("name <> 'Ann'");
  Bound bound(users().full(), {spec});
  bound.apply(bound.table.update({"1", "Bo", null}, {"1", "Ann", null}));
  bound.apply(bound.table.update({"2", "Ann", null}, {"2", "Bo", null}));
  bound.apply(bound.table.insert({"3", "Ann", null}));
  EXPECT_THAT(shown(bound.batch), ElementsAre("UNLINK cache:1:Bo", "UNLINK cache:2:Bo"));
}

TEST(InvalidateTest, OnceMoreAfterAWhile) {
  Bound bound(users(), {invalidate("key", "cache:{id}", milliseconds(500)),
                        invalidate("pattern", "list:{id}:*", milliseconds(700))});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  EXPECT_EQ(bound.batch.invalidations().soonest, milliseconds(0));
  EXPECT_THAT(shown(bound.batch),
              ElementsAre("UNLINK cache:1", "note 500 kcache:1", "note 0 plist:1:*", "note 700 glist:1:*"));
}

// Ten thousand changes ask for one pass.
TEST(InvalidateTest, TheSamePatternIsNotedOnce) {
  Bound bound(users(), {invalidate("pattern", "cache:listings*", milliseconds(500))});
  for (int i = 0; i < 10000; ++i) bound.apply(bound.table.update({std::to_string(i), "Ann", null}));
  EXPECT_EQ(bound.batch.invalidations().all().patterns, 10000U);
  ASSERT_EQ(bound.batch.invalidations().of.size(), 1U) << "of one mapping";
  EXPECT_EQ(bound.batch.invalidations().of.begin()->second.patterns, 10000U);
  EXPECT_EQ(bound.batch.commands(), 2U);
  EXPECT_THAT(shown(bound.batch), ElementsAre("note 0 pcache:listings*", "note 500 gcache:listings*"));
  EXPECT_EQ(bound.batch.invalidations().all().patterns, 0U) << "cleared with the batch";
}

TEST(InvalidateTest, AColumnInAPatternIsATextAndALetIsAPattern) {
  auto spec = mapping("m", "", {invalidate("pattern", "c:{table}:{part}:{name}:{raw}:{safe}:{name|enc}:*[a]")});
  spec.tables = "^public\\.(?<part>.*)$";
  spec.let = {{"raw", "lower(name)"}, {"safe", "glob_escape(lower(name))"}};
  MappingSet set({spec});
  Table odd("public.a*b", {"id:integer:key", "name:text:key"});
  const auto writer = set.bind(odd.relation);
  Batch batch;
  writer->apply(odd.insert({"1", "A*:"}), true, batch);
  EXPECT_THAT(shown(batch), ElementsAre("note 0 pc:a\\*b:a\\*b:A\\*::a*::a\\*::A\\*%3A:*[a]"));
}

TEST(InvalidateTest, APatternWithoutAPlaceholderIsAKey) {
  Bound bound(users(), {invalidate("pattern", "cache:{id}")});
  bound.apply(bound.table.insert({"1", "Ann", null}));
  EXPECT_THAT(shown(bound.batch), ElementsAre("UNLINK cache:1"));
}

TEST(InvalidateTest, ATruncateMeansEveryRow) {
  WriteSpec rows_only = invalidate("key", "other:{id}");
  rows_only.parameters["on"].include = {"insert", "delete"};
  Bound bound(users(), {invalidate("key", "cache:{id}:x"), invalidate("pattern", "list:[ab]:{id}?"),
                        invalidate("key", "all"), rows_only});
  Change truncate;
  truncate.relation = &bound.table.relation;
  bound.writer->tell_truncate(truncate, bound.batch);
  EXPECT_THAT(shown(bound.batch), ElementsAre("note 0 pcache:*:x", "note 0 plist:[ab]:*?", "UNLINK all"));
}

TEST(InvalidateTest, WhatIsRefused) {
  const auto said = [](WriteSpec spec) { return bind_error({mapping("m", "users", {std::move(spec)})}, users()); };
  EXPECT_THAT(said(invalidate("key", "cache:{name}")), HasSubstr("an UPDATE or a DELETE does not say of the old row"));
  EXPECT_THAT(said(invalidate("pattern", "cache:{name}*")), HasSubstr("the pattern uses name"));
  WriteSpec inserted = invalidate("key", "cache:{name}");
  inserted.parameters["on"].include = {"insert"};
  EXPECT_EQ(said(inserted), "accepted");
  EXPECT_THROW(MappingSet({mapping("m", "users", {{"invalidate", {}, ""}})}), MappingError);
  WriteSpec both = invalidate("key", "a");
  both.parameters["pattern"] = text_parameter("b*");
  EXPECT_THROW(MappingSet({mapping("m", "users", {both})}), MappingError);
}

std::string refused(const std::string& content) {
  Batch batch;
  std::string mistake = append_emitted(content, 1, kAgain, batch);
  EXPECT_EQ(batch.empty(), !mistake.empty() || content.empty()) << content;
  return mistake;
}

TEST(EmittedMessageTest, CarriesOutWhatItAsksFor) {
  Batch batch;
  EXPECT_EQ(append_emitted(R"({"publish": [{"channel": "news", "message": "a\nb"}, {"message": "", "channel": "x"}],
      "invalidate": ["cache:*", "cache:1", "a\\*b"]})",
                           1, kAgain, batch),
            "");
  EXPECT_EQ(batch.invalidations().all().patterns, 1U);
  EXPECT_THAT(shown(batch),
              ElementsAre("note 0 pcache:*", "UNLINK cache:1", "UNLINK a*b", "PUBLISH news a\nb", "PUBLISH x "));
}

TEST(EmittedMessageTest, AllOrNothing) {
  EXPECT_EQ(refused(""), "");
  EXPECT_EQ(refused("hello"), "it is no JSON object");
  EXPECT_EQ(refused("[]"), "it is no JSON object");
  EXPECT_EQ(refused("{\"invalidate\": \"a\"} x"), "it is no JSON object");
  EXPECT_THAT(refused(R"({"invalidate": "a*", "publish": "x"})"), HasSubstr("\"channel\" and \"message\""));
  EXPECT_THAT(refused(R"({"publish": {"channel": "a", "message": 1}})"), HasSubstr("\"channel\" and \"message\""));
  EXPECT_THAT(refused(R"({"publish": {"channel": "a", "message": "b", "c": 1}})"), HasSubstr("\"channel\""));
  EXPECT_THAT(refused(R"({"invalidate": ["a", 1]})"), HasSubstr("must be a glob"));
  EXPECT_THAT(refused(R"({"invalidate": ""})"), HasSubstr("must be a glob"));
  EXPECT_THAT(refused(R"({"invalidated": "a"})"), HasSubstr("for nothing else"));
}

}  // namespace
}  // namespace walrelay::sinks::testing
