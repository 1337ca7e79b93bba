// Kinds that tell of changes, under random work of three sessions while walrelay is killed. What triggers of the source
// have noted says what must have been told (event_kinds_fixture.h):
//
//   stream       every entry, once, in the order of the commits
//   publish      every message in that order; after a crash, and only then, some of them again
//   invalidate   the keys of what changed are gone, and no others
#include "tests/system_kinds/event_kinds_fixture.h"

namespace walrelay::support {
namespace {

class StreamModel : public EventModel {
 protected:
  static constexpr const char* kMappings = R"yaml(
  - table: events
    write:
      - hash: {key: "row:{id}"}
      - stream: {key: "log:events", event: change}
      - stream: {key: "log:even", event: change, columns: [id, v], when: "n % 2 = 0", on: [update, delete]}
      - stream: {key: "log:of:{g}", columns: {include: [v, n, big], rename: {n: number}}, on: [insert, update]}
      - stream: {key: "short", columns: [v], maxlen: 60, on: [insert, update]}
  - table: narrow
    write: {stream: {key: "log:narrow", event: change, columns: {exclude: [g]}}}
)yaml";
  // The stream and the entry, its fields in the order of their names; of `event: change` without place and time.
  static constexpr const char* kExpected = R"sql(
    SELECT 'log:' || t || ' ' || concat_ws(';', 'after=' || (after - dropped)::text, 'before=' || (before - dropped)::text, 'op=' || op,
                                           'xid=' || xid), place, seq
      FROM (SELECT *, CASE t WHEN 'narrow' THEN 'g' ELSE '' END AS dropped FROM told) x
    UNION ALL SELECT 'log:even ' || concat_ws(';', 'after=' || (after - '{g,n,big}'::text[])::text, 'before=' ||
      (before - '{g,n,big}'::text[])::text, 'op=' || op, 'xid=' || xid), place, seq FROM told
      WHERE t = 'events' AND op IN ('update', 'delete') AND (coalesce(after, before)->>'n')::int % 2 = 0
    UNION ALL SELECT 'log:of:' || (after->>'g') || ' ' || concat_ws(';', 'big=' || (after->>'big'), 'number=' || (after->>'n'),
      'v=' || (after->>'v')), place, seq FROM told WHERE t = 'events' AND op IN ('insert', 'update'))sql";

  std::vector<std::string> expected() {
    return lines(std::string("SELECT e FROM (") + kExpected + ") x(e, place, seq) ORDER BY split_part(e, ' ', 1) " +
                 "COLLATE \"C\", place, seq");
  }
  std::vector<std::string> found() {
    std::string array;
    for (const std::string& key : redis().keys("log:*")) {
      for (const auto& entry : redis().client().call({"XRANGE", key, "-", "+"}).elements) {
        array += (array.empty() ? "[" : ",") + ("[" + text(key)) + fields_of(entry.elements.at(1).elements) + "]";
      }
    }
    if (array.empty()) return {};
    return lines(
        R"sql(SELECT (e->>0) || ' ' || (SELECT string_agg((f->>0) || '=' || CASE WHEN f->>0 IN ('before', 'after') THEN
      (f->>1)::jsonb::text ELSE f->>1 END, ';' ORDER BY (f->>0) COLLATE "C") FROM json_array_elements(e) WITH ORDINALITY x(f, i)
      WHERE i > 1) FROM json_array_elements($1) WITH ORDINALITY y(e, i) ORDER BY i)sql",
        {array + "]"});
  }
  static std::string short_stream() {
    std::string all;
    for (const auto& entry : redis().client().call({"XRANGE", "short", "-", "+"}).elements) {
      all += entry.elements.at(1).elements.at(1).text + " ";
    }
    return all;
  }

 private:
  static std::string text(const std::string& value) {  // as JSON; what stands in these fields has no control characters
    std::string quoted = "\"";
    for (const char c : value) quoted += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    return quoted + "\"";
  }
  static std::string fields_of(const std::vector<RedisReply>& words) {
    std::string all;
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
      const std::string& name = words[i].text;
      if (name == "lsn" || name == "time" || name == "table") continue;
      all += ",[" + text(name) + "," + text(words[i + 1].text) + "]";
    }
    return all;
  }
};

TEST_P(StreamModel, EveryChangeIsAnEntryOnceInTheOrderOfTheCommits) {
  SCOPED_TRACE(seed());
  start_with(kMappings);
  for (int kill = 0; kill < 5; ++kill) work_through_a_kill(12, 5);
  EXPECT_TRUE(caught_up());
  const auto wanted = expected(), there = found();
  ASSERT_GT(wanted.size(), 200U);
  for (std::size_t i = 0; i < std::min(wanted.size(), there.size()); ++i) {
    ASSERT_EQ(there[i].substr(0, 300), wanted[i].substr(0, 300)) << "entry " << i;
    ASSERT_EQ(there[i], wanted[i]) << "entry " << i;
  }
  EXPECT_EQ(there.size(), wanted.size());
  // About the newest 60: Redis keeps whole nodes.
  const std::string newest = short_stream();
  const auto count = static_cast<std::size_t>(std::count(newest.begin(), newest.end(), ' '));
  EXPECT_GE(count, 60U);
  EXPECT_LE(count, 260U);
  EXPECT_EQ(newest,
            lines("SELECT string_agg(v || ' ', '' ORDER BY place, seq) FROM (SELECT after->>'v' AS v, place, seq "
                  "FROM told WHERE t = 'events' AND op IN ('insert', 'update') ORDER BY place DESC, seq DESC "
                  "LIMIT " +
                  std::to_string(count) + ") x")[0]);
  EXPECT_TRUE(verifies());
}

INSTANTIATE_TEST_SUITE_P(Seeds, StreamModel, testing::Values(1U, 2U, 3U, 4U, 0U));

class PublishModel : public EventModel {
 protected:
  [[nodiscard]] std::string mappings() const {
    return "  - table: events\n    write:\n      - hash: {key: \"row:{id}\"}\n      - publish: {channel: \"" + name() +
           ":of:{g}\", message: \"{v}/{n}\", on: [insert, update]}\n      - publish: {channel: \"" + name() +
           ":rows\", columns: [id, v], on: [insert, update], when: n > 10}\n      - publish: {channel: \"" + name() +
           ":gone\", message: \"{v}\", on: delete}\n";
  }
  // "channel message", each of them once: every change has a version of its own.
  std::vector<std::string> expected() {
    return lines(
        "SELECT $1 || m FROM (SELECT ':of:' || (after->>'g') || ' ' || (after->>'v') || '/' || coalesce(after->>'n', "
        "'') AS m, place, seq, 1 AS i FROM told WHERE t = 'events' AND op IN ('insert', 'update') UNION ALL SELECT "
        "format(':rows {\"id\":%s,\"v\":%s}', after->'id', after->'v'), place, seq, 2 FROM told WHERE t = 'events' "
        "AND op IN ('insert', 'update') AND (after->>'n')::int > 10 UNION ALL SELECT ':gone ' || (before->>'v'), "
        "place, seq, 3 FROM told WHERE t = 'events' AND op = 'delete') x ORDER BY place, seq, i",
        {name()});
  }
};

TEST_P(PublishModel, EveryChangeIsHeardInOrderAndWhatIsRepeatedIsSoAfterACrash) {
  SCOPED_TRACE(seed());
  RedisClient listener(redis().socket_path());
  listener.call({"PSUBSCRIBE", name() + ":*"});
  start_with(mappings());
  for (int kill = 0; kill < 5; ++kill) work_through_a_kill(12, 5);
  EXPECT_TRUE(caught_up());
  const auto wanted = expected();
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < wanted.size(); ++i) places[wanted[i]] = i;
  ASSERT_EQ(places.size(), wanted.size());
  std::size_t next = 0, furthest = 0, times_back = 0;
  for (RedisReply reply = listener.call({"PING"}); reply.elements.size() == 4; reply = listener.call({"PING"})) {
    const std::string heard = reply.elements[2].text + " " + reply.elements[3].text;
    ASSERT_TRUE(places.contains(heard)) << heard << " is of no change";
    const std::size_t place = places[heard];
    ASSERT_LE(place, next) << wanted[next] << " was left out before " << heard;
    times_back += place < next ? 1 : 0;
    next = place + 1;
    furthest = std::max(furthest, next);
  }
  EXPECT_EQ(furthest, wanted.size());
  EXPECT_EQ(next, wanted.size());
  EXPECT_LE(times_back, 2 * kills()) << "only what a crash has interrupted is told again";
  EXPECT_TRUE(verifies());
}

INSTANTIATE_TEST_SUITE_P(Seeds, PublishModel, testing::Values(1U, 2U, 3U, 4U, 0U));

// What others have cached, under names that hold a row's columns, some of rows that do not exist.
class InvalidateModel : public EventModel {
 protected:
  static constexpr const char* kMappings = R"yaml(
  - table: events
    write:
      - hash: {key: "row:{id}"}
      - invalidate: {key: "page:{g}:{id}"}
      - invalidate: {pattern: "list:{g}:{id}:*"}
      - invalidate: {key: "even:{id}", when: "n % 2 = 0", on: [update, delete]}
  - table: narrow
    write: {invalidate: {key: "narrow:{id}"}}
)yaml";
  static constexpr const char* kCached = R"sql(
    SELECT format(name, g, id) AS key FROM generate_series(0, 2) g, (SELECT i FROM generate_series(0, 45) i UNION ALL SELECT i
      FROM generate_series(300, 330) i) ids(id), (VALUES ('page:g%s:%s'), ('list:g%s:%s:a'), ('list:g%s:%s:b'), ('kept:%s:%s'))
      names(name)
    UNION ALL SELECT name || id FROM generate_series(0, 330) id, (VALUES ('even:'), ('narrow:')) names(name))sql";
  // Both rows of each change since $1; of a TRUNCATE every name that a row can have made.
  static constexpr const char* kChanged = R"sql(
    WITH changes AS (SELECT * FROM told WHERE place > $1::bigint),
      sides AS (SELECT t, op, before AS side FROM changes UNION ALL SELECT t, op, after FROM changes)
    SELECT key FROM cached WHERE NOT EXISTS (SELECT FROM changes WHERE op = 'truncate' AND CASE t WHEN 'events'
        THEN key ~ '^(page|list):' ELSE key LIKE 'narrow:%' END)
      AND key NOT IN (SELECT format('page:%s:%s', side->>'g', side->>'id') FROM sides WHERE t = 'events' AND side IS NOT NULL
        UNION ALL SELECT format('list:%s:%s:%s', side->>'g', side->>'id', rest) FROM sides, (VALUES ('a'), ('b')) r(rest)
          WHERE t = 'events' AND side IS NOT NULL
        UNION ALL SELECT 'even:' || (side->>'id') FROM sides WHERE t = 'events' AND op IN ('update', 'delete')
          AND (side->>'n')::int % 2 = 0
        UNION ALL SELECT 'narrow:' || (side->>'id') FROM sides WHERE t = 'narrow' AND side IS NOT NULL)
      ORDER BY key COLLATE "C")sql";

  void cache() {
    std::vector<std::string> words = {"MSET"};
    for (const std::string& key : lines("SELECT key FROM cached")) words.insert(words.end(), {key, "cached"});
    redis().client().command_words(words);
  }
  static std::vector<std::string> left() {
    std::vector<std::string> all;
    for (const std::string& key : redis().keys()) {
      if (!key.starts_with("walrelay:") && !key.starts_with("row:")) all.push_back(key);
    }
    return all;
  }
};

TEST_P(InvalidateModel, WhatChangedIsGoneAndNothingElse) {
  SCOPED_TRACE(seed());
  sql(std::string("CREATE VIEW cached AS ") + kCached);
  start_with(kMappings);
  std::size_t removed = 0;
  for (int round = 0; round < 5; ++round) {
    EXPECT_TRUE(caught_up());  // nothing that comes again after a crash is older than what is cached now
    cache();
    const std::size_t all = left().size();
    const std::string before = lines("SELECT n FROM commits")[0];
    if (round % 3 == 2) {
      work(2, 2);
    } else {
      work_through_a_kill(2, 2);
    }
    EXPECT_TRUE(caught_up());
    const auto wanted = lines(kChanged, {before});
    ASSERT_EQ(left(), wanted) << "round " << round;
    removed += all - wanted.size();
  }
  EXPECT_GT(removed, 20U);
  EXPECT_TRUE(verifies());
}

INSTANTIATE_TEST_SUITE_P(Seeds, InvalidateModel, testing::Values(1U, 2U, 3U, 4U, 0U));

}  // namespace
}  // namespace walrelay::support
