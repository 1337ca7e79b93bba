// Rows that are keys of their own: hash, string and json with the parameters of the language. PostgreSQL says in SQL
// what each key must hold and how long it must live; a seeded workload of every operation, kills included, ends equal,
// and verify finds nothing.
#include <random>

#include "tests/system_kinds/redis_json_fixture.h"
#include "tests/system_kinds/row_kinds_fixture.h"

namespace walrelay::support {
namespace {

// The statements of one seed.
class RowWork {
 public:
  explicit RowWork(std::uint64_t seed) : random_(seed) {}

  std::uint64_t draw(std::uint64_t most) { return random_() % most; }
  std::string transaction() {
    std::string text = "BEGIN";
    for (std::size_t i = 0, count = 1 + draw(5); i < count; ++i) {
      const std::string one = statement();
      text += draw(12) == 0 ? "; SAVEPOINT s; " + one + "; ROLLBACK TO s" : "; " + one;
    }
    return text + (draw(10) == 0 ? "; ROLLBACK" : "; COMMIT");
  }

 private:
  std::string number(std::uint64_t most) { return std::to_string(draw(most)); }
  static std::string upsert(const std::string& table, const std::string& rows) {
    const std::string columns = "g, name, flag, raw, amount, n, due, attrs, big";
    return "INSERT INTO " + table + " SELECT m.* FROM " + rows + " ON CONFLICT (id) DO UPDATE SET (" + columns +
           ") = (SELECT " + columns + " FROM made(EXCLUDED.id, EXCLUDED.id + " + "7))";
  }
  std::string statement() {
    const std::string table = std::vector<std::string>{"plain", "whole", "tracked"}[draw(3)];
    const std::string id = number(24), s = number(100000);
    const std::string update = "UPDATE " + table + " SET ", remove = "DELETE FROM " + table + " WHERE id ";
    switch (draw(16)) {
      case 0:
      case 1:
        return "INSERT INTO " + table + " SELECT * FROM made(" + id + ", " + s + ") ON CONFLICT DO NOTHING";
      case 2:
        return upsert(table, "made(" + id + ", " + s + ") m");
      case 3:
        return "INSERT INTO " + table + " SELECT m.* FROM generate_series(" + id + ", 27) i, made(i, i * 7919 + " + s +
               ") m ON CONFLICT DO NOTHING";
      case 4:
        return remove + "= " + id;
      case 5:
        return remove + "% 5 = " + number(5);
      case 6:  // what is stored apart stays as it was
        return update + "n = " + s + " % 90 - 20, amount = NULL, flag = NOT flag WHERE id % 4 = " + number(4);
      case 7:
        return update + "(g, name, due, attrs) = (SELECT g, name, due, attrs FROM made(0, " + s +
               ")) WHERE id % 4 = " + number(4);
      case 8:
        return update + "(raw, big) = (SELECT raw, big FROM made(0, " + s + ")) WHERE id % 6 = " + number(6);
      case 9:
        return update + "id = id + 1000 WHERE id = " + id + " AND NOT EXISTS (SELECT FROM " + table +
               " x WHERE x.id = " + id + " + 1000)";
      case 10:
        return update + "id = id - 1000 WHERE id > 900 AND NOT EXISTS (SELECT FROM " + table +
               " x WHERE x.id = " + table + ".id - 1000)";
      case 11: {  // two rows change places
        const std::string other = number(24);
        return update + "id = -1 WHERE id = " + id + "; " + update + "id = " + id + " WHERE id = " + other + "; " +
               update + "id = " + other + " WHERE id = -1";
      }
      case 12:
        return update + "name = NULL, flag = NULL, raw = NULL, n = NULL, due = NULL, attrs = NULL WHERE id = " + id;
      case 13:
        return draw(3) == 0 ? "TRUNCATE " + std::string(draw(2) == 0 ? "plain, whole" : table) : remove + "> 900";
      case 14:  // nothing changes
        return update + "n = n WHERE id % 3 = " + number(3);
      default:
        return remove + "= " + id + "; INSERT INTO " + table + " SELECT * FROM made(" + id + ", " + s +
               ") ON CONFLICT DO NOTHING";
    }
  }

  std::mt19937_64 random_;
};

class RowKinds : public RowKindsFixture {
 protected:
  void launch_with(RowWork& work) {
    const std::string flush = work.draw(2) == 0 ? "{interval: 0" : "{interval: 30ms";
    const std::string parts = work.draw(2) == 0 ? "}" : ", batch_size: 40, max_bytes: 16KiB, max_transaction: 48KiB}";
    start(mappings(), std::string(kClasses) + "on_row_error: halt\nack: {hold: 0}\nflush: " + flush + parts);
  }
  // Begins again, and half of the times it is made to end at one of its own crash points too.
  void kill(RowWork& work) {
    walrelay().kill();
    for (int i = 0; i < 4; ++i) source().run(work.transaction());
    if (work.draw(2) == 0) {
      walrelay().set_environment({{"WALRELAY_CRASH_AT", std::to_string(20 + work.draw(300))}});
      walrelay().start();
      for (int i = 0; i < 10; ++i) source().run(work.transaction());
      EXPECT_TRUE(eventually([&] { return !walrelay().running() || ready(); }));
      if (!walrelay().process().wait(milliseconds(0))) walrelay().kill();  // else it came to its crash point
      walrelay().set_environment({});
    }
    walrelay().start();
    walrelay().wait_ready();
  }

 private:
  bool ready() { return walrelay().http("/readyz").status == 200; }
};

class RowModel : public RowKinds, public testing::WithParamInterface<std::uint64_t> {
 protected:
  void ends_equal_whatever_happens();
};

void RowModel::ends_equal_whatever_happens() {
  const std::uint64_t seed = GetParam() != 0 ? GetParam() : std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RowWork work(seed);
  tables();
  for (int i = 0; i < 10; ++i) source().run(work.transaction());
  launch_with(work);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 25; ++i) source().run(work.transaction());
    if (round == 1) {
      EXPECT_TRUE(ends_equal());
    }
    if (round != 2) kill(work);
  }
  EXPECT_TRUE(ends_equal());
  EXPECT_TRUE(verifies());
}

TEST_P(RowModel, EndsEqualWhateverHappens) { ends_equal_whatever_happens(); }

INSTANTIATE_TEST_SUITE_P(Seeds, RowModel, testing::Values(1U, 2U, 3U, 4U, 0U));

class RowModelOfDocuments : public OnRedisJson<RowModel> {};

TEST_P(RowModelOfDocuments, EndsEqualWhateverHappens) {
  ends_equal_whatever_happens();
  EXPECT_GT(calls_of("json.set"), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RowModelOfDocuments, testing::Values(1U, 2U, 0U));

TEST_F(RowKinds, AWriteThatChangesNothingRefreshesWhereItIsToldTo) {
  tables();
  for (const std::string table : {"plain", "whole", "tracked"}) {
    source().run("INSERT INTO " + table + " SELECT m.* FROM generate_series(1, 30) i, made(i, i * 37) m");
  }
  start(mappings(), kClasses);
  EXPECT_TRUE(ends_equal());
  const auto lives = [](const std::string& pattern, auto&& are) {
    const auto keys = redis().keys(pattern);
    return keys.size() > 20 &&
           std::all_of(keys.begin(), keys.end(), [&](const auto& key) { return are(left_of(key)); });
  };
  for (const char* pattern : {"?:hour:*", "?:class:*", "?:js-node:*", "?:js-hex:*"}) {
    for (const std::string& key : redis().keys(pattern)) redis().command("PEXPIRE", key, "1000000");
  }
  source().run("UPDATE plain SET n = n; UPDATE whole SET n = n; UPDATE tracked SET n = n");
  for (const char* pattern : {"?:hour:*", "?:js-hex:*"}) {
    EXPECT_TRUE(eventually([&] { return lives(pattern, [](long left) { return left > 3'000'000; }); })) << pattern;
  }
  EXPECT_TRUE(caught_up());
  for (const char* pattern : {"?:class:*", "?:js-node:*"}) {
    EXPECT_TRUE(lives(pattern, [](long left) { return left > 0 && left <= 1'000'000; })) << pattern;
  }
  for (const std::string table : {"plain", "whole", "tracked"}) {
    source().run("UPDATE " + table + " SET (name, big) = ('h', 'h' || id)");
  }
  EXPECT_TRUE(ends_equal()) << "what changes lives anew";
}

// The model and verify see every kind of difference: or the tests above said nothing.
TEST_F(RowKinds, WhatSomebodyElseChangesIsFound) {
  tables();
  source().run("INSERT INTO plain SELECT * FROM made(1, 22); INSERT INTO whole SELECT * FROM made(1, 22)");
  start(mappings(), kClasses);
  ASSERT_TRUE(ends_equal());
  const Structures wanted = expected();
  const std::string g = source().run("SELECT g FROM whole").rows[0][0].value();
  const std::vector<std::vector<std::string>> wrongs = {{"HSET", "p:all:1", "name", "wrong"},
                                                        {"HSET", "w:some:" + g + ":1", "more", ""},
                                                        {"HDEL", "p:class:1", "big"},
                                                        {"SET", "p:value:1", "wrong"},
                                                        {"SET", "p:js:1", "{\"id\":1}"},
                                                        {"PEXPIREAT", "p:due:1", "2222222222222"},
                                                        {"PERSIST", "p:hour:1"},
                                                        {"SET", "t:text:g1:1", "of no row"}};
  for (const auto& wrong : wrongs) {
    ASSERT_NE(redis().client().command_words(wrong), "nothing");
    EXPECT_NE(difference(found(), wanted), "") << testing::PrintToString(wrong);
    EXPECT_EQ(walrelay().command({"verify"}).status, 3) << testing::PrintToString(wrong);
    EXPECT_EQ(walrelay().command({"verify", "--repair"}).status, 0);
    EXPECT_TRUE(ends_equal()) << testing::PrintToString(wrong);
  }
  EXPECT_TRUE(verifies());
}

}  // namespace
}  // namespace walrelay::support
