// Documents of two levels of one-to-many: orders with their lines, and the products of these.
#include "tests/system_kinds/document_fixture.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;

class DocumentTest : public DocumentFixture {};

TEST_F(DocumentTest, EveryOrderIsThereWhenItIsReady) {
  shop("ttl: 10m");
  EXPECT_EQ(found(), expected()) << "ready means that they have been read";
  const long ttl = std::atol(redis().command("PTTL", "order:7").c_str());
  EXPECT_GT(ttl, 500000);
  EXPECT_LE(ttl, 600000);
}

TEST_F(DocumentTest, ChangesOfEveryTableAreFollowed) {
  shop();
  for (const char* change : {
           "UPDATE orders SET customer = 'new' WHERE id = 1",
           "UPDATE order_lines SET quantity = 77 WHERE order_id = 2 AND line = 1",
           "UPDATE products SET name = 'renamed' WHERE id = 3",
           "UPDATE notes SET text = E'a \"note\"\\\\' WHERE id = 4",
           "INSERT INTO orders VALUES (100, 'hundred'); INSERT INTO order_lines VALUES (100, 1, 5, 1)",
           "INSERT INTO order_lines VALUES (6, 9, 1, 1)",
           "INSERT INTO notes VALUES (99, 7, 'more'), (98, NULL, 'of nobody')",
       }) {
    sql(change);
    EXPECT_TRUE(documents_in_step()) << change;
  }
}

TEST_F(DocumentTest, MovesAndDeletes) {
  shop();
  for (
      const char* change : {
          "UPDATE order_lines SET order_id = 2, line = 11 WHERE order_id = 1 AND line = 1",
          "UPDATE notes SET order_id = 5 WHERE id = 4",
          "UPDATE notes SET order_id = NULL WHERE id = 6",
          "DELETE FROM order_lines WHERE order_id = 7",
          "DELETE FROM notes WHERE id = 8",
          "DELETE FROM orders WHERE id = 9",
          "BEGIN; UPDATE orders SET id = 200 WHERE id = 10; UPDATE order_lines SET order_id = 200 WHERE order_id = 10; "
          "COMMIT",
          "BEGIN; UPDATE products SET id = 300 WHERE id = 11; UPDATE order_lines SET product_id = 300 WHERE product_id "
          "= 11; COMMIT",
          "BEGIN; DELETE FROM order_lines WHERE product_id = 12; DELETE FROM products WHERE id = 12; COMMIT",
          "DELETE FROM products WHERE id = 13",
          "INSERT INTO products VALUES (13, 'back', 0)",
          "UPDATE orders SET customer = 'hidden' WHERE id = 14",
          "UPDATE orders SET customer = 'seen' WHERE id = 14",
          "BEGIN; DELETE FROM orders WHERE id = 15; INSERT INTO orders VALUES (15, 'again'); COMMIT",
      }) {
    sql(change);
    EXPECT_TRUE(documents_in_step()) << change;
  }
}

TEST_F(DocumentTest, Truncates) {
  shop();
  sql("TRUNCATE order_lines");
  EXPECT_TRUE(documents_in_step());
  sql("BEGIN; TRUNCATE products; INSERT INTO products VALUES (1, 'one', 0); INSERT INTO order_lines VALUES (1, 1, 1, "
      "1); "
      "COMMIT");
  EXPECT_TRUE(documents_in_step());
  sql("TRUNCATE orders");
  EXPECT_TRUE(documents_in_step());
  sql("BEGIN; INSERT INTO orders VALUES (1, 'a'); TRUNCATE orders; INSERT INTO orders VALUES (2, 'b'); COMMIT");
  EXPECT_TRUE(documents_in_step());
}

TEST_F(DocumentTest, OneProductInManyOrders) {
  sql(std::string(kTables) + kRows +
      "INSERT INTO orders SELECT i, 'many' FROM generate_series(1000, 5999) i; "
      "INSERT INTO order_lines SELECT i, 1, 1, 1 FROM generate_series(1000, 5999) i");
  start(mapping());
  const double before = walrelay().metric("walrelay_documents_read_total").value_or(0);
  sql("UPDATE products SET name = 'everywhere' WHERE id = 1");
  EXPECT_TRUE(documents_in_step(seconds(60)));
  sql("UPDATE products SET name = name || ' again'");
  EXPECT_TRUE(documents_in_step(seconds(60)));
  EXPECT_GE(walrelay().metric("walrelay_documents_read_total").value_or(0) - before, 10000);
}

TEST_F(DocumentTest, AHotProductIsReadFarLessOftenThanItChanges) {
  shop();
  const double before = walrelay().metric("walrelay_documents_read_total").value_or(0);
  sql("DO $$ BEGIN FOR i IN 1..3000 LOOP UPDATE products SET name = 'n' || i WHERE id = 1; COMMIT; END LOOP; END $$");
  EXPECT_TRUE(documents_in_step());
  EXPECT_LT(walrelay().metric("walrelay_documents_read_total").value_or(0) - before, 9 * 3000 / 2);
}

// More than may be remembered: everything is read again, and memory stays bounded.
TEST_F(DocumentTest, TooManyAtOnce) {
  sql(std::string(kTables) + kRows +
      "INSERT INTO orders SELECT i, 'many' FROM generate_series(1000, 3999) i; "
      "INSERT INTO order_lines SELECT i, 1, 1, 1 FROM generate_series(1000, 3999) i");
  start(mapping("max_dirty: 500"));
  EXPECT_EQ(found().size(), 3050U);
  sql("UPDATE products SET name = 'everywhere' WHERE id = 1");
  EXPECT_TRUE(documents_in_step(seconds(60)));
  sql("UPDATE orders SET customer = 'all of them'");
  EXPECT_TRUE(documents_in_step(seconds(60)));
  EXPECT_GE(walrelay().metric("walrelay_document_overflows_total").value_or(0), 1);
}

// The marks stand in Redis with the very transaction: another process finds what the killed one still had to read.
TEST_F(DocumentTest, KilledBetweenTheMarkAndTheReading) {
  shop();
  PsqlSession change(postgres(), name());
  change.sql(
      "BEGIN; UPDATE orders SET customer = 'marked' WHERE id <= 30; UPDATE products SET name = 'p' WHERE id = 2");
  Beside lock(postgres(), name(), "BEGIN; LOCK TABLE notes IN ACCESS EXCLUSIVE MODE;");
  EXPECT_TRUE(eventually(
      [this] { return sql("SELECT count(*) FROM pg_locks WHERE relation = 'notes'::regclass AND granted") == "1"; }));
  change.sql("COMMIT");
  EXPECT_TRUE(eventually_equal([&] { return redis().command("SCARD", notes_key()); }, "31"));
  walrelay().kill();
  lock.sql("COMMIT");
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_TRUE(documents_in_step());
}

// The stream says nothing of it, and a snapshot from before it would see an empty table.
TEST_F(DocumentTest, AChildIsRewritten) {
  shop();
  sql("ALTER TABLE order_lines ALTER quantity TYPE int USING quantity * 2 + 1");
  EXPECT_TRUE(documents_in_step());
}

TEST_F(DocumentTest, RebuildMendsAndSweeps) {
  shop();
  redis().command("SET", "order:3", "{}");
  redis().command("DEL", "order:4");
  redis().command("SET", "order:90001", "ghost");
  redis().command("SET", "order:none", "not ours");
  const JobAnswer done = rebuild("orders");
  EXPECT_EQ(done.text("status"), "COMPLETED") << done.body();
  EXPECT_EQ(done.text("removedKeys"), "1") << done.body();
  EXPECT_EQ(redis().command("GET", "order:none"), "not ours");
  redis().command("DEL", "order:none");
  EXPECT_EQ(found(), expected()) << "completed means that they stand in Redis";
}

TEST_F(DocumentTest, VerifyFindsAndRepairs) {
  shop();
  EXPECT_EQ(verify("orders").text("differing"), "0");
  redis().command("SET", "order:3", "{}");
  redis().command("DEL", "order:4");
  redis().command("EXPIRE", "order:5", "1000");
  redis().command("SET", "order:90001", "ghost");
  const JobAnswer report = verify("orders");
  EXPECT_EQ(report.text("differing"), "4") << report.body();
  EXPECT_EQ(report.text("processedRecords"), "50") << report.body();
  EXPECT_THAT(report.body(), HasSubstr("order:3"));
  EXPECT_EQ(redis().command("GET", "order:3"), "{}") << "it was only asked to look";
  EXPECT_EQ(verify("orders", "?repair=true").text("repaired"), "4");
  EXPECT_EQ(found(), expected());
  EXPECT_EQ(verify("orders").text("differing"), "0");
}

TEST_F(DocumentTest, VerifyTakesNothingThatMovesForADifference) {
  shop();
  Beside writer(postgres(), name(),
                "DO $$ BEGIN FOR i IN 1..1500 LOOP UPDATE order_lines SET quantity = i WHERE order_id = i % 50 + 1; "
                "IF i % 10 = 0 THEN UPDATE products SET name = 'n' || i WHERE id = i % 20 + 1; END IF; COMMIT; "
                "PERFORM pg_sleep(0.002); END LOOP; END $$");
  int rounds = 0;
  while (!writer.done()) {
    EXPECT_EQ(verify("orders").text("differing"), "0");
    ++rounds;
  }
  EXPECT_EQ(writer.join(), "");
  EXPECT_GT(rounds, 1);
  EXPECT_TRUE(documents_in_step());
}

TEST_F(DocumentTest, KeysOfTwoColumns) {
  sql("CREATE TABLE sites (tenant text, id int, name text, PRIMARY KEY (tenant, id)); "
      "CREATE TABLE pages (id int PRIMARY KEY, tenant text, site int, title text); "
      "ALTER TABLE pages REPLICA IDENTITY FULL; "
      "INSERT INTO sites VALUES ('a', 1, 'x'), ('it''s', 2, 'y'), ('a', 2, 'z'); "
      "INSERT INTO pages VALUES (1, 'a', 1, 't'), (2, 'it''s', 2, 'u')");
  start(R"(  - name: sites
    table: sites
    write:
      - document:
          key: "order:{tenant}:{id}"
          query: >
            SELECT s.tenant, s.id, (SELECT json_agg(p.title ORDER BY p.id) FROM public.pages p
              WHERE p.tenant = s.tenant AND p.site = s.id) AS value
            FROM public.sites s JOIN unnest($1::text[], $2::int[]) AS wanted(tenant, id) USING (tenant, id)
          tables: {pages: "tenant, site"}
)");
  const auto wanted = [](const char* a1, const char* its2) {
    std::map<std::string, std::string> all;
    if (*a1 != 0) all["order:a:1"] = a1;
    if (*its2 != 0) all["order:it's:2"] = its2;
    return all;
  };
  EXPECT_EQ(found(), wanted("[\"t\"]", "[\"u\"]"));
  EXPECT_EQ(verify("sites").text("differing"), "0");
  sql("UPDATE pages SET tenant = 'a', site = 1 WHERE id = 2");
  EXPECT_TRUE(eventually_equal(found, wanted("[\"t\", \"u\"]", "")));
}

TEST_F(DocumentTest, MistakesOfTheSqlAreToldAtTheStart) {
  sql(kTables);
  struct Case {
    const char *query, *tables, *message;
  };
  for (const Case& each : {
           Case{"SELECT id, nothing AS value FROM orders WHERE id = ANY ($1)", "{}",
                "column \"nothing\" does not exist"},
           Case{"SELECT id, customer FROM public.orders WHERE id = ANY ($1)", "{}", "column q.value does not exist"},
           Case{"SELECT id::text, customer AS value FROM public.orders WHERE id = ANY ($1)", "{}",
                "its column \"id\" has another type"},
           Case{"SELECT id, customer AS value FROM public.orders WHERE id = ANY ($1)",
                "{products: 'SELECT order_id, line FROM public.order_lines WHERE product_id = ANY ($1)'}",
                "gives 2 columns, and the key has 1"},
           Case{"SELECT id, customer AS value FROM public.orders WHERE id = ANY ($1)",
                "{products: 'SELECT order_id FROM public.order_lines WHERE product = ANY ($1)'}",
                "column \"product\" does not exist"},
           Case{"SELECT id, customer AS value FROM public.orders WHERE id = ANY ($1)", "{no_table: order_id}",
                "table \"public.no_table\" does not exist"},
       }) {
    const std::string tables = std::string(each.tables) == "{}" ? "" : std::string(", tables: ") + each.tables;
    launch(std::string("  - name: docs\n    table: orders\n    write: {document: {key: \"order:{id}\", query: ") +
           "\"" +
           [&] {
             std::string text = each.query;
             for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, "\\");
             return text;
           }() +
           "\"" + tables + "}}\n");
    EXPECT_EQ(walrelay().wait(), 78) << each.message;
    EXPECT_THAT(walrelay().log(), HasSubstr("mapping docs, document at"));
    std::string message = each.message;
    for (std::size_t at = 0; (at = message.find('"', at)) != std::string::npos; at += 2) message.insert(at, "\\");
    EXPECT_THAT(walrelay().log(), HasSubstr(message));
  }
}

// A row for which the query fails is noted, and the others are read.
TEST_F(DocumentTest, ARowThatBreaksTheQuery) {
  sql("CREATE TABLE ratios (id int PRIMARY KEY, a int, b int); INSERT INTO ratios SELECT i, 100, i FROM "
      "generate_series(1, "
      "40) i; INSERT INTO ratios VALUES (0, 1, 0)");
  start(
      "  - name: ratios\n    table: ratios\n    on_poison: dead_letter\n    write: {document: {key: \"order:{id}\", "
      "query: "
      "\"SELECT id, a / b AS value FROM public.ratios WHERE id = ANY ($1)\"}}\n",
      "on_row_error: dead_letter");
  EXPECT_EQ(found().size(), 40U);
  EXPECT_EQ(redis().command("GET", "order:7"), "14");
  EXPECT_TRUE(eventually_equal([this] { return redis().command("XLEN", "walrelay:{" + name() + "}:dead"); }, "1"));
  sql("UPDATE ratios SET b = 1 WHERE id = 0");
  EXPECT_TRUE(eventually_equal([] { return redis().command("GET", "order:0"); }, "1"));
}

}  // namespace
}  // namespace walrelay::support
