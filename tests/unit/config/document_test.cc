// YAML itself: what is refused, and exactly where.
#include "config/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kSource = "source: {url: postgres://h/d}\n";

TEST(Document, GoodTextsLoad) {
  for (const std::string& text : std::vector<std::string>{
           kSource,
           "\xEF\xBB\xBF" + kSource,
           "source:\r\n  url: postgres://h/d\r\nlog:\r\n  level: debug\r\n",
           "---\n" + kSource + "...\n",
           "{\"source\": {\"url\": \"postgres://h/d\"}, \"flush\": {\"batch_size\": 5}}",
           kSource + "flush:\nlog: ~\nmappings:\n",
           "# only a comment\n" + kSource,
           kSource + "x-anything: [1, {a: b}]\n",
           "source: !!map {url: !!str postgres://h/d}\n",
       }) {
    EXPECT_THAT(testing::mistakes(text), IsEmpty()) << text;
  }
}

TEST(Document, EmptyTextsHaveNoSource) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "~\n", "\xEF\xBB\xBF"}) {
    EXPECT_THAT(
        testing::mistakes(text),
        ElementsAre(
            "w.yaml:1:1: no source is given; set source.url, or the environment variable DATABASE_URL or PGHOST"))
        << text;
    EXPECT_THAT(testing::mistakes(text, {{"DATABASE_URL", "postgres://h/d"}}), IsEmpty()) << text;
  }
}

TEST(Document, LinesAndColumnsAreThoseOfTheText) {
  const std::string bad = "flush: {interval: 5}\n";
  const std::string message =
      ": flush.interval: \"5\" has no unit; write a whole number with its unit (ms, s, m, h or d), as in 100ms, 5s or "
      "1h30m";
  EXPECT_THAT(testing::mistakes(kSource + bad), ElementsAre("w.yaml:2:19" + message));
  EXPECT_THAT(testing::mistakes("\xEF\xBB\xBF" + kSource + bad), ElementsAre("w.yaml:2:19" + message));
  EXPECT_THAT(testing::mistakes("source: {url: postgres://h/d}\r\nflush:\r\n  interval: 5\r\n"),
              ElementsAre("w.yaml:3:13" + message));
  EXPECT_THAT(testing::mistakes(kSource + "x-a: \"\xC3\xA4\"\nflush:\n  # c\n\n  interval:   '5'\n"),
              ElementsAre("w.yaml:6:15" + message));
}

TEST(Document, WhatIsRefused) {
  struct Row {
    std::string text;
    std::vector<std::string> mistakes;
  };
  const std::string no_map = "the configuration must be a map of keys, as in \"source:\", not ";
  for (const Row& row : {
           Row{"- a\n", {"w.yaml:1:1: " + no_map + "a list"}},
           Row{"hello\n", {"w.yaml:1:1: " + no_map + "a text"}},
           Row{kSource + "log:\n\tlevel: info\n", {"w.yaml:3:1: a tab in the indentation; YAML takes spaces only"}},
           Row{kSource + "source:\n\turl: x\n", {"w.yaml:3:1: a tab in the indentation; YAML takes spaces only"}},
           Row{kSource + "log:\n  level: info\n \tformat: text\n",
               {"w.yaml:4:2: a tab in the indentation; YAML takes spaces only"}},
           Row{kSource + "log: {level: info\n",
               {"w.yaml:2:6: this map is not closed by \"}\"; check quotes and braces (between braces ${...} needs "
                "quotes)"}},
           Row{kSource + "log: {level: info] }\n",
               {"w.yaml:2:18: this is no YAML; check indentation, quotes and the space after \":\""}},
           Row{kSource + "log: [a\n", {"w.yaml:2:6: this list is not closed by \"]\"; check quotes and brackets"}},
           Row{kSource + "log:\n  level: \"abc\n  format: text\n",
               {"w.yaml:3:3: a quoted text that begins here or below is not closed; check the quotes"}},
           Row{kSource + "log:\n  level: 'abc",
               {"w.yaml:3:3: a quoted text that begins here or below is not closed; check the quotes"}},
           Row{kSource + "log:\n  level: info\n format: text\n",
               {"w.yaml:4:2: this line does not fit its surroundings; check its indentation and the quotes before it"}},
           Row{kSource + "log: \"a\" b\n",
               {"w.yaml:2:10: this line does not fit its surroundings; check its indentation and the quotes before "
                "it"}},
           Row{kSource + "log: \"a\\qb\"\n",
               {"w.yaml:2:10: a \"\\\" in a double-quoted text begins no escape that YAML knows; use single quotes"}},
           Row{kSource + "log: *none\n",
               {"w.yaml:2:6: an alias (\"*name\") without an anchor (\"&name\"); quote a text that begins with \"*\""}},
           Row{kSource + "log: @x\n",
               {"w.yaml:2:6: this is no YAML; check indentation, quotes and the space after \":\""}},
           Row{kSource + "x-a: !secret b\n", {"w.yaml:2:6: a tag of its own (\"!...\") means nothing here; remove it"}},
           Row{kSource + "---\nlog: {}\n",
               {"w.yaml:3:1: a second document begins here; a configuration is one document"}},
           Row{kSource + "log: a\xFF\n", {"w.yaml:2:7: the file is not UTF-8; save it as UTF-8"}},
           Row{kSource + "log: \xC3\xA4\xC0\x80\n", {"w.yaml:2:8: the file is not UTF-8; save it as UTF-8"}},
           Row{kSource + "log: \xED\xA0\x80\n", {"w.yaml:2:6: the file is not UTF-8; save it as UTF-8"}},
           Row{"\xFF\xFEs", {"w.yaml:1:1: the file is not UTF-8; save it as UTF-8"}},
           Row{kSource + "log: \x01\n", {"w.yaml:2:6: a control character; YAML takes none but tab and line end"}},
           Row{kSource + std::string("log: \0", 6),
               {"w.yaml:2:6: a control character; YAML takes none but tab and line end"}},
           Row{kSource + "? [a, b]\n: c\n", {"w.yaml:2:3: a key must be a word, not a list"}},
           Row{kSource + "x-a: &a [*a]\n", {"w.yaml:2:10: an alias stands inside the value that it stands for"}},
       }) {
    EXPECT_EQ(testing::mistakes(row.text), row.mistakes) << row.text;
  }
}

TEST(Document, AVariableBetweenBracesNeedsQuotes) {
  EXPECT_THAT(testing::mistakes("source: {url: postgres://h/d}\ntarget: {port: ${PORT}}\n"),
              ElementsAre("w.yaml:2:17: this map is not closed by \"}\"; check quotes and braces (between braces "
                          "${...} needs quotes)"));
}

TEST(Document, DuplicateKeysAreFoundEverywhere) {
  EXPECT_THAT(
      testing::mistakes("source:\n  url: postgres://h/d\n  slot: a\n  slot: b\nlog: {level: info, level: debug}\n"
                        "source: {}\nx-a:\n  b: 1\n  'b': 2\n"),
      ElementsAre("w.yaml:4:3: \"slot\" stands already in line 3 of the same map; keep one of them",
                  "w.yaml:5:20: \"level\" stands already in line 5 of the same map; keep one of them",
                  "w.yaml:6:1: \"source\" stands already in line 1 of the same map; keep one of them",
                  "w.yaml:9:3: \"b\" stands already in line 8 of the same map; keep one of them"));
}

TEST(Document, AnchorsAliasesAndMergeKeys) {
  const Config config = testing::load(
      "x-base: &base {interval: 7s, batch_size: 5}\n"
      "x-more: &more {batch_size: 6, max_bytes: 1MiB}\n"
      "x-level: &level debug\n" +
      kSource + "flush:\n  <<: [*base, *more]\n  interval: 9s\nlog: {level: *level}\n");
  EXPECT_EQ(config.flush.interval, std::chrono::seconds(9));  // written beside the merge
  EXPECT_EQ(config.flush.batch_size, 5U);                     // the first of the list
  EXPECT_EQ(config.flush.max_bytes, 1048576U);
  EXPECT_EQ(config.log.level, "debug");
  EXPECT_THAT(testing::mistakes(kSource + "log:\n  <<: info\n"),
              ElementsAre("w.yaml:3:7: \"<<\" takes a map, or a list of maps"));
}

TEST(Document, AMistakeBehindAnAnchorIsReportedOnce) {
  EXPECT_THAT(testing::mistakes(kSource + "x-w: &w {hash: {key: \"a{id}\", ttl: 5}}\n"
                                          "mappings:\n  - {table: a, write: *w}\n  - {table: b, write: *w}\n"),
              ElementsAre("w.yaml:2:36: hash.ttl: \"5\" has no unit; write a whole number with its unit (ms, s, m, h "
                          "or d), as in 100ms, 5s or 1h30m"));
}

TEST(Document, AliasesCannotBlowUp) {
  std::string text = kSource + "x-0: &a0 [" + std::string(100, 'x') + "]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "x-" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + ", " + last + "]\n";
  }
  EXPECT_THAT(testing::mistakes(text), ElementsAre("w.yaml:1:1: the aliases of this file stand for too many values"));
  std::string merges = kSource + "x-base: &b {";
  for (int i = 0; i < 2000; ++i) merges += "k" + std::to_string(i) + ": 1, ";
  merges += "}\nx-l:\n";
  for (int i = 0; i < 2000; ++i) merges += "  - {<<: *b}\n";
  EXPECT_THAT(testing::mistakes(merges), ElementsAre("w.yaml:1:1: the aliases of this file stand for too many values"));
}

TEST(Document, DeepNestingAndLargeFilesAreRefused) {
  const std::vector<std::string> deep = testing::mistakes(kSource + "x-a: " + std::string(5000, '['));
  ASSERT_EQ(deep.size(), 1U);
  EXPECT_THAT(deep[0], ::testing::HasSubstr(": lists and maps are nested too deeply"));
  EXPECT_THAT(testing::mistakes(std::string(5 << 20, '#')), ElementsAre("w.yaml:1:1: the file is larger than 4 MiB"));
}

}  // namespace
}  // namespace walrelay::config
