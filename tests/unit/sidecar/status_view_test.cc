// The status for people: made of whatever members there are.
#include "sidecar/status_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sidecar/json_yaml.h"
#include "sidecar/text_table.h"

namespace walrelay::sidecar {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class StatusViewTest : public testing::Test {
 protected:
  JsonElement parse(const std::string& text) { return parser_.parse(text).value(); }
  std::string view(const std::string& text, ViewChoices choices = {}) { return status_view(parse(text), choices); }

 private:
  simdjson::dom::parser parser_;
};

TEST_F(StatusViewTest, OfAnOlderOne) {
  EXPECT_EQ(view(R"({"state": "streaming", "slot": "s", "postgres": true, "redis": false, "applied": "0/1", "serverEnd":
      "0/2", "lagSeconds": 0.5, "lagBytes": 1, "retainedWalBytes": 2048, "lastError": "away", "mappings": ["a", "b"]})"),
            "streaming\n\n"
            "  PostgreSQL  connected\n"
            "  Redis       not connected\n"
            "  Slot        s, 2 KiB of WAL retained\n"
            "  Position    0/1 in Redis, server at 0/2, 0.5 s behind, 1 B\n"
            "\n  MAPPING  TABLES  INSERTS  UPDATES  DELETES  JOB\n  a\n  b\n"
            "\n  LAST ERRORS\n  away\n");
}

TEST_F(StatusViewTest, OfNothing) {
  EXPECT_EQ(view("{}"), "unknown\n\n  PostgreSQL  not connected\n  Redis       not connected\n");
}

TEST_F(StatusViewTest, MembersOfOtherTypesAreAbsent) {
  EXPECT_THAT(view(R"({"sentence": 5, "state": "loading", "mappings": {}, "load": [], "history": {"lagSeconds": 3},
      "slotState": "x", "mappingDetails": [1], "errors": [null], "connections": {"redis": 1}, "uptimeSeconds": "long"})"),
              StartsWith("loading\n"));
}

TEST_F(StatusViewTest, SlotAndLoadAndJobs) {
  const std::string text =
      view(R"({"sentence": "Reading existing rows", "health": "busy", "version": "1.2", "uptimeSeconds": 90,
      "slot": "s", "slotState": {"seenAt": "T", "active": true, "walStatus": "extended", "retainedWalBytes": 1048576, "safeWalBytes":
      2097152, "secondsToLoss": 7200}, "load": {"tables": 3, "tablesDone": 1, "rows": 500, "estimatedRows": 2000,
      "etaSeconds": 30, "rowsPerSecond": 50, "currentTable": "public.t"}, "mappings": ["m", "n", "o"],
      "mappingDetails": [{"name": "m", "tables": 2, "tablesLoading": 1, "inserts": 1234567, "updates": 0, "deletes": 0,
      "rebuild": {"kind": "rebuild", "status": "RUNNING", "phase": "reading", "totalRecords": 100, "processedRecords": 40,
      "recordsPerSecond": 20, "etaSeconds": 3}, "verify": {"kind": "verify", "status": "COMPLETED", "differing": 2}}]})");
  EXPECT_THAT(text, StartsWith("Reading existing rows    walrelay 1.2, up 1 min 30 s\n"));
  EXPECT_THAT(text,
              HasSubstr("s, active, WAL extended, 1 MiB retained, 2 MiB until it is lost, lost in 2 h at this pace\n"));
  EXPECT_THAT(text, HasSubstr("1 of 3 tables, 25 %, 500 rows, 30 s left, 50 rows/s, public.t\n"));
  EXPECT_THAT(text, HasSubstr("  m             2  1,234,567        0        0  1 being read; rebuild reading, 40 %, 40 "
                              "rows, 20 rows/s, 3 s left; verify completed, 2 differences\n  and 2 more\n"));
}

TEST_F(StatusViewTest, ErrorsNameTheirRunbook) {
  EXPECT_THAT(
      view(
          R"({"errors": [{"at": "t", "message": "gone", "count": 3, "runbook": "WalrelaySlotLost"}, {"message": "m"}]})"),
      HasSubstr("  t  gone  (3 times)\n      see docs/runbooks/WalrelaySlotLost.md\n    m\n"));
}

// What a server, or a table's name, says does not steer the terminal.
TEST_F(StatusViewTest, ControlCharactersAreBlanks) {
  const std::string text =
      view(R"({"sentence": "a\u001b[2Jb\u0007", "mappings": ["x\ny\u007f"], "lastError": "\u001b]0;t"})");
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(text, AllOf(StartsWith("a [2Jb \n"), HasSubstr("\n  x y\n")));
}

TEST_F(StatusViewTest, ColoursAndSparksWhereTheyAreWanted) {
  const std::string json =
      R"({"sentence": "Live", "health": "ok", "history": {"stepSeconds": 5, "lagSeconds": [0, 1, 4], "rowsPerSecond": []}})";
  EXPECT_THAT(view(json, {true, true}),
              AllOf(StartsWith("\033[1;32mLive\033[0m\n"), HasSubstr("▁▃█  at most 4 s in 15 s\n")));
  EXPECT_THAT(view(json), Not(HasSubstr("▁")));
  EXPECT_THAT(view(R"({"health": "critical"})", {true, false}), StartsWith("\033[1;31m"));
}

TEST_F(StatusViewTest, InOneLine) {
  EXPECT_EQ(status_line(parse(
                R"({"time": "T", "sentence": "Live", "rowsPerSecond": 12, "slotState": {"retainedWalBytes": 1024}})")),
            "T  Live  12 rows/s written  1 KiB of WAL retained");
  EXPECT_EQ(status_line(parse("{}")), "unknown");
}

TEST_F(StatusViewTest, Yaml) {
  EXPECT_EQ(yaml_of(parse(
                R"({"a": "text", "b": 1, "c": null, "d": true, "e": [], "f": {}, "g": ["x", {"h": 1, "i": [2, 3]}, []],
      "j": {"k": "on", "l": "5", "m": "a: b", "n": "", "o": "-", "p": "two\nlines", "2026-01-01": "2026-01-01"}})")),
            "a: text\nb: 1\nc: null\nd: true\ne: []\nf: {}\ng:\n  - x\n  - h: 1\n    i:\n      - 2\n      - 3\n  - []\n"
            "j:\n  k: \"on\"\n  l: \"5\"\n  m: \"a: b\"\n  \"n\": \"\"\n  o: \"-\"\n  p: \"two\\u000alines\"\n  "
            "\"2026-01-01\": "
            "\"2026-01-01\"\n");
  EXPECT_EQ(yaml_of(parse("[[1, [2]], 3]")), "-\n  - 1\n  -\n    - 2\n- 3\n");
}

TEST(TextTableTest, WidthsAreInCharacters) {
  TextTable table({1});
  table.add({"\033[1mé\033[0m", "1"});
  table.add({"abc", "22", ""});
  EXPECT_EQ(table.print("> "), "> \033[1mé\033[0m     1\n> abc  22\n");
  EXPECT_EQ(display_width("▁▂\033[31mx\033[0m"), 3U);
  EXPECT_EQ(display_width("\033["), 0U);
}

}  // namespace
}  // namespace walrelay::sidecar
