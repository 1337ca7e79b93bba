// Random changes of every table of a document while walrelay is killed again and again: at last Redis holds what the
// query says, and no document was ever older than before.
#include <random>

#include "tests/system_kinds/document_fixture.h"

namespace walrelay::support {
namespace {

class DocumentRandomTest : public DocumentFixture, public testing::WithParamInterface<unsigned> {
 protected:
  static std::string change(std::mt19937& random) {
    const auto some = [&random](int most) { return std::to_string(random() % static_cast<unsigned>(most) + 1); };
    switch (random() % 14) {
      case 0:
        return "UPDATE orders SET customer = 'c" + some(1000) + "' WHERE id = " + some(60);
      case 1:
        return "INSERT INTO orders VALUES (" + some(60) + ", 'new') ON CONFLICT DO NOTHING";
      case 2:
        return "DELETE FROM orders WHERE id = " + some(60);
      case 3:
        return "UPDATE orders SET id = id + 100 WHERE id = " + some(60) +
               " AND NOT EXISTS (SELECT FROM orders o WHERE o.id = orders.id + 100)";
      case 4:
      case 5:
        return "INSERT INTO order_lines VALUES (" + some(60) + ", " + some(5) + ", " + some(20) +
               ", 1) ON CONFLICT DO NOTHING";
      case 6:
        return "UPDATE order_lines SET product_id = " + some(20) + " WHERE order_id = " + some(60);
      case 7:
        return "UPDATE order_lines SET order_id = order_id % 60 + 1, line = line + 1000 + " + some(1000000) +
               " WHERE line > 1 AND order_id = " + some(60);
      case 8:
        return "DELETE FROM order_lines WHERE order_id = " + some(60) + " AND line > " + some(6);
      case 9:
      case 10:
        return "UPDATE products SET name = 'n" + some(1000) + "' WHERE id = " + some(20);
      case 11:
        return "UPDATE notes SET order_id = " + some(60) + " WHERE id = " + some(20);
      case 12:
        return "BEGIN; DELETE FROM products WHERE id = " + some(20) + "; UPDATE order_lines SET quantity = " + some(9) +
               " WHERE order_id = " + some(60) + "; " + (random() % 3 == 0 ? "ROLLBACK" : "COMMIT");
      default:
        if (random() % 40 == 0)
          return "TRUNCATE notes; INSERT INTO notes SELECT i, i, 'n' FROM generate_series(1, 20) i";
        return "INSERT INTO products VALUES (" + some(20) + ", 'back', 0) ON CONFLICT DO NOTHING";
    }
  }
};

TEST_P(DocumentRandomTest, EndsAsTheQuerySays) {
  const unsigned seed = GetParam() != 0 ? GetParam() : std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  shop(random() % 2 == 0 ? "max_dirty: 20" : "", random() % 2 == 0 ? "flush: {interval: 10ms}" : "");
  for (int round = 0; round < 6; ++round) {
    std::string work = "DO $w$ BEGIN PERFORM 1; END $w$;";
    for (int i = 0; i < 250; ++i) work += change(random) + "; SELECT pg_sleep(0.001);\n";
    Beside writer(postgres(), name(), work);
    if (round < 5) {
      // At any moment of the work: a place is as good as another one.
      const auto kill_at = 20 + random() % 200;
      EXPECT_TRUE(eventually([&] {
        return writer.done() ||
               walrelay().metric("walrelay_transactions_total").value_or(0) >= static_cast<double>(kill_at);
      }));
      walrelay().kill();
      walrelay().start();
    }
    EXPECT_EQ(writer.join().find("failed"), std::string::npos);
    walrelay().wait_ready();
  }
  EXPECT_TRUE(documents_in_step(seconds(60)));
  EXPECT_EQ(verify("orders").text("differing"), "0");
}

INSTANTIATE_TEST_SUITE_P(Seeds, DocumentRandomTest, testing::Values(1U, 2U, 3U, 0U));

// What a document says of itself never goes back, however many connections read it and whoever is killed.
TEST_F(DocumentRandomTest, NeverGoesBack) {
  sql("CREATE TABLE counters (id int PRIMARY KEY, n int); CREATE TABLE parts (id int PRIMARY KEY, counter_id int, n "
      "int); "
      "ALTER TABLE parts REPLICA IDENTITY FULL; INSERT INTO counters VALUES (1, 0); INSERT INTO parts VALUES (1, 1, "
      "0)");
  start(
      "  - name: counters\n    table: counters\n    write: {document: {key: \"order:{id}\", query: \"SELECT c.id, c.n "
      "+ (SELECT "
      "p.n FROM public.parts p WHERE p.counter_id = c.id) AS value FROM public.counters c WHERE c.id = ANY ($1)\", "
      "tables: "
      "{parts: counter_id}}}\n");
  Beside writer(
      postgres(), name(),
      "DO $$ BEGIN FOR i IN 1..1500 LOOP IF i % 2 = 0 THEN UPDATE counters SET n = n + 1; ELSE UPDATE parts SET "
      "n = n + 1; END IF; COMMIT; PERFORM pg_sleep(0.002); END LOOP; END $$");
  int before = 0, versions = 0, kills = 0;
  while (!writer.done()) {
    const int now = std::stoi("0" + redis().command("GET", "order:1"));
    EXPECT_GE(now, before);
    versions += now > before ? 1 : 0;
    before = now;
    if (now > (kills + 1) * 400) {
      ++kills;
      walrelay().kill();
      walrelay().start();
    }
  }
  EXPECT_EQ(writer.join(), "");
  EXPECT_GT(versions, 10);
  EXPECT_TRUE(eventually_equal([] { return redis().command("GET", "order:1"); }, "1500"));
}

}  // namespace
}  // namespace walrelay::support
