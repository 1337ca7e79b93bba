// What is asked of Redis for a row, what it should say, and what is made of other answers.
#include "sinks/expectation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bound.h"

namespace walrelay::sinks {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using Type = Expectation::Type;
using Kind = Difference::Kind;
using Fields = std::vector<std::pair<std::string, std::string>>;

const std::string kBinary("\0\r\n\xff", 4);

Expectation none() { return {"k", Type::none, {}, "", milliseconds(0), 0}; }
Expectation hash(Fields fields, milliseconds ttl = milliseconds(0)) {
  return {"k", Type::hash, std::move(fields), "", ttl, 0};
}
Expectation string(const std::string& value, milliseconds ttl = milliseconds(0)) {
  return {"k", Type::string, {}, value, ttl, 0};
}

Expectation until(std::int64_t deadline) {
  Expectation expected = string("v");
  expected.deadline = deadline;
  return expected;
}
Expectation cached(Expectation expected, bool any_ttl) {
  expected.cached = true;
  expected.any_ttl = any_ttl;
  return expected;
}
Expectation document(const std::string& value) { return {"k", Type::document, {}, value, milliseconds(0), 0}; }

struct WireCase {
  std::string name;
  Expectation expected;
  std::string question, answer;
};
class Wire : public ::testing::TestWithParam<WireCase> {};

TEST_P(Wire, IsAskedAndAnswered) {
  std::string question = "before ", answer = "before ";
  append_question(GetParam().expected, question);
  append_answer(GetParam().expected, answer);
  EXPECT_EQ(question, "before " + GetParam().question + "*2\r\n$4\r\nPTTL\r\n$1\r\nk\r\n");
  EXPECT_EQ(answer, "before " + GetParam().answer);
}

INSTANTIATE_TEST_SUITE_P(
    Expectation, Wire,
    ::testing::Values(WireCase{"none", none(), "*2\r\n$6\r\nEXISTS\r\n$1\r\nk\r\n", ":0\r\n"},
                      WireCase{"string", string("v1"), "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "$2\r\nv1\r\n"},
                      WireCase{"empty_string", string(""), "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "$0\r\n\r\n"},
                      WireCase{"binary_string", string(kBinary), "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
                               "$4\r\n" + kBinary + "\r\n"},
                      WireCase{"document", document("[1]"), "*2\r\n$8\r\nJSON.GET\r\n$1\r\nk\r\n", "$3\r\n[1]\r\n"},
                      WireCase{"hash", hash({{"b", "1"}, {"a", ""}}), "*2\r\n$7\r\nHGETALL\r\n$1\r\nk\r\n",
                               "*4\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\na\r\n$0\r\n\r\n"},
                      WireCase{"binary_hash", hash({{kBinary, kBinary}}), "*2\r\n$7\r\nHGETALL\r\n$1\r\nk\r\n",
                               "*2\r\n$4\r\n" + kBinary + "\r\n$4\r\n" + kBinary + "\r\n"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Expectation, TheKeyIsBinarySafe) {
  Expectation expected = none();
  expected.key = kBinary;
  std::string question;
  append_question(expected, question);
  EXPECT_EQ(question, "*2\r\n$6\r\nEXISTS\r\n$4\r\n" + kBinary + "\r\n*2\r\n$4\r\nPTTL\r\n$4\r\n" + kBinary + "\r\n");
}

struct JudgeCase {
  std::string name;
  Expectation expected;
  Observed observed;
  Kind kind;
  std::vector<std::string> fields = {};
};
class Judging : public ::testing::TestWithParam<JudgeCase> {};

TEST_P(Judging, TellsTheKindOfDifference) {
  const Difference difference = judge(GetParam().expected, GetParam().observed);
  EXPECT_EQ(difference.kind, GetParam().kind);
  EXPECT_EQ(difference.fields, GetParam().fields);
}

const Observed kNothing, kOtherType{false, true, {}, "", -1};
Observed fields(Fields seen, std::int64_t pttl = -1) { return {true, false, std::move(seen), "", pttl}; }
Observed value(const std::string& seen, std::int64_t pttl = -1) { return {true, false, {}, seen, pttl}; }

const Expectation kHash = hash({{"b", "1"}, {"a", kBinary}, {"c", ""}});
constexpr milliseconds kTtl{60'000};
INSTANTIATE_TEST_SUITE_P(
    Expectation, Judging,
    ::testing::Values(
        // what there must not be
        JudgeCase{"none", none(), kNothing, Kind::equal},
        JudgeCase{"none_but_a_key", none(), value("", -1), Kind::unexpected},
        JudgeCase{"none_but_a_key_that_expires", none(), value("", 5), Kind::unexpected},
        JudgeCase{"none_after_it_went", none(), value("", -2), Kind::equal},
        // strings
        JudgeCase{"string", string("v"), value("v"), Kind::equal},
        JudgeCase{"empty_string", string(""), value(""), Kind::equal},
        JudgeCase{"string_missing", string("v"), kNothing, Kind::missing},
        JudgeCase{"empty_string_missing", string(""), kNothing, Kind::missing},
        JudgeCase{"string_stale", string("v"), value("w"), Kind::stale},
        JudgeCase{"string_zero_byte", string(kBinary), value(kBinary.substr(0, 1)), Kind::stale},
        JudgeCase{"string_other_type", string("v"), kOtherType, Kind::wrong_type},
        JudgeCase{"string_went_between", string("v"), value("v", -2), Kind::missing},
        // hashes
        JudgeCase{"hash", kHash, fields({{"b", "1"}, {"a", kBinary}, {"c", ""}}), Kind::equal},
        JudgeCase{"hash_in_any_order", kHash, fields({{"c", ""}, {"a", kBinary}, {"b", "1"}}), Kind::equal},
        JudgeCase{"hash_missing", kHash, kNothing, Kind::missing},
        JudgeCase{"hash_other_type", kHash, kOtherType, Kind::wrong_type},
        JudgeCase{"field_differs", kHash, fields({{"b", "2"}, {"a", kBinary}, {"c", ""}}), Kind::stale, {"b"}},
        JudgeCase{"field_missing", kHash, fields({{"b", "1"}, {"a", kBinary}}), Kind::stale, {"c"}},
        JudgeCase{
            "field_too_many", kHash, fields({{"b", "1"}, {"a", kBinary}, {"c", ""}, {"0", ""}}), Kind::stale, {"0"}},
        JudgeCase{"fields_of_each_kind",
                  kHash,
                  fields({{"z", ""}, {"b", "x"}, {"a", "y"}}),
                  Kind::stale,
                  {"a", "b", "c", "z"}},
        // how long it lives
        JudgeCase{"ttl", string("v", kTtl), value("v", 59'000), Kind::equal},
        JudgeCase{"ttl_just_written", string("v", kTtl), value("v", 60'000), Kind::equal},
        JudgeCase{"ttl_tolerance", string("v", kTtl), value("v", 61'000), Kind::equal},
        JudgeCase{"ttl_at_its_end", string("v", kTtl), value("v", 0), Kind::equal},
        JudgeCase{"ttl_too_long", string("v", kTtl), value("v", 61'001), Kind::wrong_ttl},
        JudgeCase{"ttl_not_set", string("v", kTtl), value("v", -1), Kind::wrong_ttl},
        JudgeCase{"ttl_not_wanted", string("v"), value("v", 5), Kind::wrong_ttl},
        JudgeCase{"ttl_not_wanted_at_its_end", string("v"), value("v", 0), Kind::wrong_ttl},
        JudgeCase{"ttl_expired", string("v", kTtl), kNothing, Kind::equal},
        JudgeCase{"ttl_expired_between", string("v", kTtl), value("v", -2), Kind::equal},
        JudgeCase{"ttl_other_type", string("v", kTtl), kOtherType, Kind::wrong_type},
        JudgeCase{"ttl_after_the_value", string("v", kTtl), value("w", -1), Kind::stale},
        JudgeCase{"hash_ttl", hash({{"a", "1"}}, kTtl), fields({{"a", "1"}}, 5), Kind::equal},
        JudgeCase{"hash_ttl_expired", hash({{"a", "1"}}, kTtl), kNothing, Kind::equal},
        JudgeCase{"hash_ttl_not_set", hash({{"a", "1"}}, kTtl), fields({{"a", "1"}}), Kind::wrong_ttl},
        JudgeCase{"hash_ttl_not_wanted", hash({{"a", "1"}}), fields({{"a", "1"}}, 5), Kind::wrong_ttl}),
    [](const auto& tested) { return tested.param.name; });

// Of a moment: our clock says 1000000.
Observed seen_at(Observed observed) {
  observed.now = 1'000'000;
  return observed;
}

INSTANTIATE_TEST_SUITE_P(
    Ends, Judging,
    ::testing::Values(
        JudgeCase{"deadline", until(1'060'000), seen_at(value("v", 60'000)), Kind::equal},
        JudgeCase{"deadline_by_another_clock", until(1'060'000), seen_at(value("v", 56'000)), Kind::equal},
        JudgeCase{"deadline_too_early", until(1'060'000), seen_at(value("v", 50'000)), Kind::wrong_ttl},
        JudgeCase{"deadline_too_late", until(1'060'000), seen_at(value("v", 70'000)), Kind::wrong_ttl},
        JudgeCase{"deadline_not_set", until(1'060'000), seen_at(value("v")), Kind::wrong_ttl},
        JudgeCase{"deadline_to_come", until(1'060'000), seen_at(kNothing), Kind::missing},
        JudgeCase{"deadline_just_passed", until(999'000), seen_at(kNothing), Kind::equal},
        JudgeCase{"deadline_nearly_passed", until(1'004'000), seen_at(kNothing), Kind::equal},
        JudgeCase{"deadline_passed", until(5), seen_at(kNothing), Kind::equal},
        JudgeCase{"deadline_passed_and_there", until(5), seen_at(value("v", 60'000)), Kind::wrong_ttl},
        JudgeCase{"deadline_stale", until(1'060'000), seen_at(value("w", 60'000)), Kind::stale},
        JudgeCase{"not_cached", cached(string("v"), true), kNothing, Kind::equal},
        JudgeCase{"cached", cached(string("v"), true), value("v", 5), Kind::equal},
        JudgeCase{"cached_for_ever", cached(string("v"), true), value("v"), Kind::equal},
        JudgeCase{"cached_stale", cached(string("v"), true), value("w", 5), Kind::stale},
        JudgeCase{"cached_with_a_ttl_of_ours", cached(string("v", kTtl), false), value("v"), Kind::wrong_ttl},
        JudgeCase{"document", document(R"({"a":1,"b":[1.50]})"), value(R"({"b":[1.5],"a":1})"), Kind::equal},
        JudgeCase{"document_stale", document(R"({"a":1})"), value(R"({"a":2})"), Kind::stale},
        JudgeCase{"document_of_another_type", document("{}"), kOtherType, Kind::wrong_type}),
    [](const auto& tested) { return tested.param.name; });

TEST(Expectation, AMomentThatHasSurelyPassedIsToldFromOneThatMayHave) {
  EXPECT_TRUE(ExpectedEnd(until(990'000)).must_be_absent(1'000'000));
  EXPECT_FALSE(ExpectedEnd(until(999'000)).must_be_absent(1'000'000));
  EXPECT_FALSE(ExpectedEnd(string("v")).must_be_absent(1'000'000));
  EXPECT_FALSE(ExpectedEnd(cached(string("v"), true)).must_be_absent(1'000'000));
}

// What the writes expect is what they write: "hash h:1 id=1 name=Ann (60000 ms)".
std::vector<std::string> expected_of(testing::Bound& bound, const testing::Cells& cells) {
  constexpr const char* kTypes[] = {"none", "hash", "string"};
  std::vector<Expectation> expectations;
  bound.writer->expect(bound.table.row(cells), expectations);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < expectations.size(); ++i) {
    const Expectation& expected = expectations[i];
    EXPECT_EQ(expected.write, bound.writer->writes()[i]);
    std::string line = kTypes[static_cast<std::size_t>(expected.type)] + (" " + expected.key);
    for (const auto& [name, text] : expected.fields) line += " " + name + "=" + text;
    if (expected.type == Type::string) line += " " + expected.value;
    if (expected.ttl.count() > 0) line += " (" + std::to_string(expected.ttl.count()) + " ms)";
    lines.push_back(line);
  }
  return lines;
}

TEST(Expectation, IsWhatTheWritesLeave) {
  testing::Bound bound(testing::users(), {testing::hash("h:{id}"), testing::string("j:{id}"),
                                          testing::string("n:{id}", "name"), testing::hash("u:{id}")});
  EXPECT_THAT(expected_of(bound, {"1", "Ann", testing::null}),
              ElementsAre("hash h:1 id=1 name=Ann", R"(string j:1 {"id":1,"name":"Ann","doc":null})", "string n:1 Ann",
                          "hash u:1 id=1 name=Ann"));
  EXPECT_THAT(expected_of(bound, {"1", testing::null, "[]"}),
              ElementsAre("hash h:1 id=1 doc=[]", R"(string j:1 {"id":1,"name":null,"doc":[]})", "none n:1",
                          "hash u:1 id=1 doc=[]"));
}

// Every row of a few texts and NULLs, replaced, against what is expected of it.
TEST(Expectation, IsWhatReplacingTheRowLeaves) {
  using testing::including;
  testing::Bound bound(testing::users(), {including(testing::hash("h:{id}"), {"name", "doc"}),
                                          testing::with_ttl(testing::hash("t:{id}"), kTtl), testing::string("j:{id}"),
                                          testing::with_ttl(testing::string("n:{id}", "name"), kTtl)});
  const testing::Cells cells{testing::null, "", "a", std::string_view("1\r\n\0", 4)};
  for (const auto& name : cells) {
    for (const auto& doc : cells) {
      const replication::Row row = bound.table.row({"1", name, doc});
      std::vector<Expectation> expectations;
      bound.writer->expect(row, expectations);
      testing::ModelRedis expected, left;
      for (const Expectation& one : expectations) {
        if (one.type == Type::none) continue;
        const std::string ttl = one.ttl.count() > 0 ? std::to_string(one.ttl.count()) : "";
        expected.keys[one.key] = {{one.fields.begin(), one.fields.end()}, one.value, one.type == Type::string, ttl};
      }
      bound.writer->replace(row, false, bound.batch);
      left.apply(testing::commands_of(bound.batch));
      bound.batch.clear();
      EXPECT_EQ(left.keys, expected.keys);
    }
  }
}

TEST(Expectation, KnowsChosenFieldsAndTtl) {
  using testing::including;
  using testing::with_ttl;
  WriteSpec renamed = including(testing::hash("h:{id}"), {"doc", "name"});
  renamed.parameters["columns"].rename = {{"doc", "d"}};
  testing::Bound bound(testing::users(), {with_ttl(renamed, kTtl), with_ttl(testing::string("s:{id}", "name"), kTtl)});
  EXPECT_THAT(expected_of(bound, {"1", "Ann", "{}"}),
              ElementsAre("hash h:1 d={} name=Ann (60000 ms)", "string s:1 Ann (60000 ms)"));
  EXPECT_THAT(expected_of(bound, {"1", testing::null, testing::null}), ElementsAre("none h:1", "none s:1"));
}

}  // namespace
}  // namespace walrelay::sinks
