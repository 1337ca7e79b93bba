// What `walrelay check` says that the mappings' keys will take in Redis, and what they take.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class MemoryEstimate : public EndToEnd {
 protected:
  static constexpr int kRows = 20000;
  void fill(const std::string& table = "items") {
    sql("CREATE TABLE " + table +
        " (id int PRIMARY KEY, name text, n bigint, due timestamptz, doc jsonb, big text); ALTER TABLE " + table +
        " ALTER big SET STORAGE EXTERNAL; INSERT INTO " + table +
        " SELECT i, 'name of number ' || i, i * 7919::bigint, " +
        "'2040-01-01'::timestamptz + i * interval '1 minute', jsonb_build_object('a', i, 'text', repeat('x', i % 90)), "
        "CASE "
        "WHEN i % 10 = 0 THEN repeat(md5(i::text), 80) END FROM generate_series(1, " +
        std::to_string(kRows) + ") i");
  }
  Finished check(const std::string& mappings, const std::string& format) {
    Walrelay asked({.config = config(mappings)});
    return asked.command({"check", "-o", format});
  }
  // "" where it is null.
  std::string said(const std::string& mappings, const std::string& member, const std::string& mapping = "items") {
    const auto checked = check(mappings, "json");
    EXPECT_EQ(checked.status, 0) << checked.output << checked.errors;
    return sql("SELECT e ->> '" + member + "' FROM jsonb_array_elements($json$" + checked.output +
               "$json$::jsonb -> 'memory') e WHERE e ->> 'mapping' = '" + mapping + "'");
  }
  static double used() { return std::stod(redis().info("used_memory")); }
};

class MemoryOfAKind : public MemoryEstimate, public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(MemoryOfAKind, IsGuessedWithinAFactorOfTwo) {
  fill();
  sql("ANALYZE items");
  const std::string mappings =
      "  - table: items\n    let: {part: \"id % 100\", many: \"id / 50\"}\n    write:\n      - " +
      std::string(GetParam().second) + "\n";
  const double guessed = std::stod(said(mappings, "bytes"));
  EXPECT_EQ(said(mappings, "rows"), std::to_string(kRows));
  start(mappings);
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(walrelay().terminate(), 0);  // its connections take memory too
  EXPECT_TRUE(eventually([] { return redis().info("connected_clients") == "1"; }));
  const double with_keys = used();
  redis().command("FLUSHALL", "SYNC");
  const double grown = with_keys - used();  // scripts and buffers, which are no keys, are in both
  EXPECT_GT(guessed, grown / 2) << "guessed " << guessed << ", grown by " << grown;
  EXPECT_LT(guessed, grown * 2) << "guessed " << guessed << ", grown by " << grown;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, MemoryOfAKind,
    testing::Values(std::pair("HashInAListpack", "hash: {key: \"item:{id}\", columns: [name, n, due]}"),
                    std::pair("HashOfLongFields", "hash: {key: \"item:{id}\", columns: [id, name, doc, big]}"),
                    std::pair("SomeHashes", "hash: {key: \"item:{id}\", columns: [name], when: id % 4 = 0, ttl: 1h}"),
                    std::pair("StringOfJson", "string: {key: \"item:{id}\"}"),
                    std::pair("ShortStrings", "string: {key: \"item:{id}\", column: name, ttl: {at: due}}"),
                    std::pair("SetOfTexts", "set: {key: \"part:{part}\", member: \"item:{id}\"}"),
                    std::pair("SmallSetsOfNumbers", "set: {key: \"part:{many}\", member: \"{id}\"}"),
                    std::pair("OneSortedSet", "zset: {key: \"due\", member: \"{id}\", score: epoch_ms(due)}"),
                    std::pair("SmallSortedSets", "zset: {key: \"due:{many}\", member: \"{id}\", score: id}"),
                    std::pair("FieldsOfAHash",
                              "hash_field: {key: \"names:{part}\", field: \"{id}\", value: \"{name}\"}"),
                    std::pair("Bitmap", "bitmap: {key: \"seen:{part}\", bit: id * 100}"),
                    std::pair("Roaring", "roaring: {key: \"in:{part}\", value: id * 100}")),
    [](const auto& instance) { return instance.param.first; });

TEST_F(MemoryEstimate, IsSaidForEveryMappingAndUnknownWithoutAnalyze) {
  fill();
  sql("CREATE TABLE \"Told\" (id int PRIMARY KEY, n int); INSERT INTO \"Told\" VALUES (1, 1); ANALYZE items");
  const std::string mappings =
      "  - {name: rows, table: items, write: {hash: {key: \"item:{id}\"}}}\n"
      "  - {name: told, table: Told, write: {set: {key: \"all\", member: \"{id}\"}}}\n"
      "  - {name: events, table: items, write: {publish: {channel: \"items\"}}}\n";
  const std::string text = check(mappings, "text").output;
  EXPECT_NE(text.find("mapping \"rows\": about "), std::string::npos) << text;
  EXPECT_NE(text.find(" MiB in Redis, of about 20,000 rows"), std::string::npos) << text;
  EXPECT_NE(text.find("mapping \"told\": the memory in Redis is unknown, because the number of rows is; run ANALYZE "
                      "\"public\".\"Told\""),
            std::string::npos)
      << text;
  EXPECT_EQ(sql("SELECT $json$" + check(mappings, "json").output +
                "$json$::jsonb -> 'memory' @> '[{\"mapping\": \"told\", \"rows\": null, \"bytes\": null}]'"),
            "t");
  EXPECT_EQ(text.find("\"events\""), std::string::npos) << "it keeps no keys: " << text;
  sql("ANALYZE; INSERT INTO items SELECT i, 'more' FROM generate_series(20001, 40000) i");
  const double rows = std::stod(said(mappings, "rows", "rows"));
  EXPECT_GT(rows, 22000) << "the table has grown since";
}

TEST_F(MemoryEstimate, OfAPartitionedTable) {
  sql("CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY HASH (id); CREATE TABLE p0 PARTITION OF parts FOR "
      "VALUES "
      "WITH (MODULUS 2, REMAINDER 0); CREATE TABLE p1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1); "
      "INSERT INTO "
      "parts SELECT i, 'v' FROM generate_series(1, 5000) i; ANALYZE parts");
  const std::string mappings = "  - {table: parts, write: {string: {key: \"p:{id}\", column: v}}}\n";
  EXPECT_EQ(said(mappings, "rows", "parts"), "5000");
  EXPECT_GT(std::stod(said(mappings, "bytes", "parts")), 5000 * 50);
}

}  // namespace
}  // namespace walrelay::support
