// mappings: every form that is taken, and each mistake with its place.
#include "config/mappings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::load;
using testing::mistakes;
using ::testing::Pair;

const std::string kSource = "source: {url: postgres://h/d}\n";

TEST(Mappings, EveryForm) {
  const Config config = load(kSource + R"(mappings:
  - table: public.users
    write:
      - hash: {key: "user:{id}", columns: [id, name], ttl: 1h}
      - string:
          key: "u:{id}"
          value: doc
          format: json
          bare: yes
  - name: queues
    tables: '^public\.q_(?<part>[0-9]+)$'
    write: {hash: {key: "{part}:{id}", columns: {exclude: [secret], rename: {a: b, c: d}}}}
  - table: orders
    write: {hash: {key: "o:{id}"}, string: {key: "s:{id}", ttl: 0}}
)");
  ASSERT_EQ(config.mappings.size(), 3U);
  const Mapping& users = config.mappings[0];
  EXPECT_EQ(users.name, "public.users");
  EXPECT_EQ(users.table, "public.users");
  EXPECT_EQ(users.tables, "");
  EXPECT_EQ(users.where, "w.yaml:3:5");
  ASSERT_EQ(users.writes.size(), 2U);
  EXPECT_EQ(users.writes[0].kind, "hash");
  EXPECT_EQ(users.writes[0].where, "w.yaml:5:9");
  EXPECT_EQ(users.writes[0].parameters.at("key").text, "user:{id}");
  EXPECT_THAT(users.writes[0].parameters.at("columns").include, ElementsAre("id", "name"));
  EXPECT_EQ(users.writes[0].parameters.at("columns").shape, Shape::columns);
  EXPECT_EQ(users.writes[0].parameters.at("ttl").duration, std::chrono::hours(1));
  EXPECT_EQ(users.writes[1].where, "w.yaml:6:9");
  EXPECT_EQ(users.writes[1].parameters.at("value").text, "doc");
  EXPECT_EQ(users.writes[1].parameters.at("format").text, "json");
  EXPECT_TRUE(users.writes[1].parameters.at("bare").flag);
  const Mapping& queues = config.mappings[1];
  EXPECT_EQ(queues.name, "queues");
  EXPECT_EQ(queues.tables, "^public\\.q_(?<part>[0-9]+)$");
  const Parameter& columns = queues.writes.at(0).parameters.at("columns");
  EXPECT_THAT(columns.exclude, ElementsAre("secret"));
  EXPECT_THAT(columns.rename, ElementsAre(Pair("a", "b"), Pair("c", "d")));
  ASSERT_EQ(config.mappings[2].writes.size(), 2U);
  EXPECT_EQ(config.mappings[2].writes[1].kind, "string");
}

TEST(Mappings, NoneAtAll) {
  EXPECT_THAT(load(kSource + "mappings:\n").mappings, IsEmpty());
  EXPECT_THAT(load(kSource + "mappings: []\n").mappings, IsEmpty());
}

TEST(Mappings, Mistakes) {
  const std::string known = "known kinds: hash, string or zset";
  const std::string duration = "write a whole number with its unit (ms, s, m, h or d), as in 100ms, 5s or 1h30m";
  const std::string empty =
      "\"write\" must hold a kind of write with its parameters, as in hash: {key: \"...\"}; " + known;
  struct Row {
    std::string text;  // begins in line 2
    std::vector<std::string> mistakes;
  };
  for (const Row& row : {
           Row{"mappings: {table: t}",
               {"2:11: \"mappings\" must be a list, each item a map with \"table\" or \"tables\", and \"write\", not a "
                "map"}},
           Row{"mappings: [t]",
               {"2:12: a mapping must be a map with \"table\" or \"tables\", and \"write\", not a text"}},
           Row{"mappings:\n  - table: t\n",
               {"3:5: this mapping has no \"write\"; say what is written, as in write: {hash: {key: \"...\"}}"}},
           Row{"mappings:\n  - write: {hash: {key: k}}\n",
               {"3:5: this mapping has neither \"table\" nor \"tables\"; name the table whose rows it writes"}},
           Row{"mappings:\n  - {table: t, tables: t, write: {hash: {key: k}}}\n",
               {"3:5: this mapping has both \"table\" and \"tables\"; keep one of them"}},
           Row{"mappings:\n  - {tabel: t, write: {hash: {key: k}}}\n",
               {"3:5: this mapping has neither \"table\" nor \"tables\"; name the table whose rows it writes",
                "3:6: unknown key \"tabel\" in a mapping; did you mean \"table\"?"}},
           Row{"mappings:\n  - {table: '', write: {hash: {key: k}}}\n", {"3:13: \"table\" must not be empty"}},
           Row{"mappings:\n  - {table: [t], write: {hash: {key: k}}}\n",
               {"3:13: \"table\" must be a single value, not a list"}},
           Row{"mappings:\n  - {table: t, hash: {key: k}}\n",
               {"3:5: this mapping has no \"write\"; say what is written, as in write: {hash: {key: \"...\"}}",
                "3:16: unknown key \"hash\" in a mapping; it is a kind of write and belongs under \"write\""}},
           Row{"mappings:\n  - {table: t, write: hash}\n", {"3:23: " + empty}},
           Row{"mappings:\n  - {table: t, write: []}\n", {"3:23: " + empty}},
           Row{"mappings:\n  - {table: t, write: {}}\n", {"3:23: " + empty}},
           Row{"mappings:\n  - table: t\n    write:\n      - hash\n", {"5:9: " + empty}},
           Row{"mappings:\n  - table: t\n    write:\n", {"4:5: " + empty}},
           Row{"mappings:\n  - {table: t, write: {hsah: {key: k}}}\n",
               {"3:24: unknown kind of write \"hsah\"; did you mean \"hash\"?; " + known}},
           Row{"mappings:\n  - {table: t, write: {bitmap: {key: k}}}\n",
               {"3:24: unknown kind of write \"bitmap\"; " + known}},
           Row{"mappings:\n  - table: t\n    write:\n      - hash:\n        key: k\n",
               {"5:9: \"hash\" needs the parameter \"key\"",
                "6:9: \"key\" is a parameter of \"hash\"; indent it below \"hash:\""}},
           Row{"mappings:\n  - {table: t, write: {hash: k}}\n",
               {"3:30: \"hash\" must be a map of parameters, not a text"}},
           Row{"mappings:\n  - {table: t, write: {hash: {}}}\n", {"3:24: \"hash\" needs the parameter \"key\""}},
           Row{"mappings:\n  - {table: t, write: {hash: {kye: k}}}\n",
               {"3:24: \"hash\" needs the parameter \"key\"",
                "3:31: \"hash\" has no parameter \"kye\"; did you mean \"key\"?"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: {id}}}}\n",
               {"3:36: \"hash.key\" must be a single value, not a map; put a text that begins with \"{\" in quotes"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: ''}}}\n", {"3:36: hash.key: must not be empty"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: }}}\n",
               {"3:36: \"hash.key\" has no value; give one, or remove the key"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, ttl: 60}}}\n",
               {"3:44: hash.ttl: \"60\" has no unit; " + duration}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, ttl: soon}}}\n",
               {"3:44: hash.ttl: \"soon\" is no duration; " + duration}},
           Row{"mappings:\n  - {table: t, write: {string: {key: k, format: jsn, bare: 2}}}\n",
               {"3:49: string.format: \"jsn\" is not allowed; write raw or json",
                "3:60: string.bare: \"2\" is neither true nor false"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, columns: id}}}\n",
               {"3:48: hash.columns: must be a list of columns, or a map with \"include\" or \"exclude\", and "
                "\"rename\", not a text"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, columns: {include: [a], exclude: [b]}}}}\n",
               {"3:49: hash.columns: \"include\" and \"exclude\" exclude each other; keep one of them"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, columns: {includ: [a]}}}}\n",
               {"3:49: hash.columns: unknown key \"includ\"; did you mean \"include\"?"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, columns: {include: a, rename: [b]}}}}\n",
               {"3:58: hash.columns: must be a list of columns, not a text",
                "3:69: hash.columns: \"rename\" must be a map of column: field, not a list"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, columns: [a, [b], a, '']}}}\n",
               {"3:52: \"hash.columns\" must be a single value, not a list",
                "3:57: hash.columns: this column stands twice in the list",
                "3:60: hash.columns: a column's name is empty"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, columns: []}}}\n",
               {"3:48: hash.columns: the list of columns is empty; remove it"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, columns: {rename: {a: x, b: x, c: ''}}}}}\n",
               {"3:67: hash.columns: two columns are renamed to the same field",
                "3:73: hash.columns: a field's name is empty"}},
           Row{"mappings:\n  - {table: t, write: {hash: {key: k, columns: {exclude: [a], rename: {a: x}}}}}\n",
               {"3:72: hash.columns: a column that is excluded cannot be renamed"}},
       }) {
    std::vector<std::string> expected;
    for (const std::string& mistake : row.mistakes) expected.push_back("w.yaml:" + mistake);
    EXPECT_EQ(mistakes(kSource + row.text), expected) << row.text;
  }
}

TEST(Mappings, RenameMayStandBeforeExclude) {
  EXPECT_THAT(mistakes(kSource +
                       "mappings:\n  - {table: t, write: {hash: {key: k, columns: {rename: {a: x}, exclude: [a]}}}}\n"),
              ElementsAre("w.yaml:3:58: hash.columns: a column that is excluded cannot be renamed"));
}

TEST(Mappings, NamesAreUnique) {
  const auto two = [](const std::string& first, const std::string& second) {
    return mistakes(kSource + "mappings:\n  - {" + first + ", write: {hash: {key: k}}}\n  - {" + second +
                    ", write: {hash: {key: k}}}\n");
  };
  const std::string same_table =
      "the mapping in line 3 is named after the same table; put both writes into one mapping, or give one of them a "
      "\"name\"";
  const std::string same_name = "the mapping in line 3 has the same name; names must differ";
  EXPECT_THAT(two("table: t", "table: t"), ElementsAre("w.yaml:4:13: " + same_table));
  EXPECT_THAT(two("table: t", "table: public.t"), ElementsAre("w.yaml:4:13: " + same_table));
  EXPECT_THAT(two("tables: t.*", "tables: t.*"), ElementsAre("w.yaml:4:14: " + same_table));
  EXPECT_THAT(two("table: t, name: n", "table: u, name: n"), ElementsAre("w.yaml:4:22: " + same_name));
  EXPECT_THAT(two("table: n", "table: u, name: n"), ElementsAre("w.yaml:4:22: " + same_name));
  EXPECT_THAT(two("table: t", "table: s.t"), IsEmpty());
  EXPECT_THAT(two("table: t", "table: t, name: again"), IsEmpty());
  EXPECT_THAT(two("table: t", "tables: u"), IsEmpty());
}

}  // namespace
}  // namespace walrelay::config
