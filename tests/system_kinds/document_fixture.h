// What the tests of documents share: orders, their lines, and the products of those; and what PostgreSQL itself says
// that Redis must hold, by the very query of the configuration.
#pragma once

#include "tests/system/rebuild_fixture.h"

namespace walrelay::support {

class DocumentFixture : public RebuildFixture {
 protected:
  static constexpr const char* kTables = R"(
    CREATE TABLE orders (id bigint PRIMARY KEY, customer text);
    CREATE TABLE order_lines (order_id bigint, line int, product_id int, quantity int, PRIMARY KEY (order_id, line));
    CREATE TABLE products (id int PRIMARY KEY, name text, unused int);
    CREATE TABLE notes (id int PRIMARY KEY, order_id bigint, text text);
    ALTER TABLE notes REPLICA IDENTITY FULL;)";
  static constexpr const char* kRows = R"(
    INSERT INTO products SELECT i, 'product ' || i, 0 FROM generate_series(1, 20) i;
    INSERT INTO orders SELECT i, 'customer ' || i FROM generate_series(1, 50) i;
    INSERT INTO order_lines SELECT o, l, (o * 7 + l) % 20 + 1, l FROM generate_series(1, 50) o, generate_series(1, 3) l;
    INSERT INTO notes SELECT i, i, 'it''s ' || i FROM generate_series(1, 20) i;)";
  static std::string query(const std::string& ids) {
    return "SELECT o.id, jsonb_build_object('id', o.id, 'customer', o.customer,"
           " 'notes', (SELECT jsonb_agg(n.text ORDER BY n.id) FROM public.notes n WHERE n.order_id = o.id),"
           " 'lines', (SELECT jsonb_agg(jsonb_build_object('line', l.line, 'quantity', l.quantity, 'product',"
           " (SELECT to_jsonb(p) - 'unused' FROM public.products p WHERE p.id = l.product_id)) ORDER BY l.line)"
           " FROM public.order_lines l WHERE l.order_id = o.id)) AS value"
           " FROM public.orders o WHERE o.customer <> 'hidden' AND o.id = ANY (" +
           ids + ")";
  }
  // `more` stands behind the parameters of the write.
  static std::string mapping(const std::string& more = "") {
    return "  - name: orders\n    table: orders\n    write:\n      - document:\n          key: \"order:{id}\"\n"
           "          query: \"" +
           query("$1") +
           "\"\n"
           "          tables:\n            order_lines: order_id\n            public.notes: order_id\n"
           "            public.products: \"SELECT order_id FROM public.order_lines WHERE product_id = ANY "
           "($1::int[])\"\n" +
           (more.empty() ? "" : "          " + more + "\n");
  }
  void shop(const std::string& more = "", const std::string& top = "") {
    sql(std::string(kTables) + kRows);
    start(mapping(more), top);
  }

  [[nodiscard]] std::map<std::string, std::string> expected() const {
    return pairs_in(
        sql("SELECT 'order:' || q.id || E'\\t' || q.value FROM (" + query("ARRAY(SELECT id FROM orders)") + ") q"));
  }
  static std::map<std::string, std::string> pairs_in(const std::string& lines_of_text) {
    std::map<std::string, std::string> pairs;
    std::istringstream lines(lines_of_text);
    for (std::string line; std::getline(lines, line);)
      pairs[line.substr(0, line.find('\t'))] = line.substr(line.find('\t') + 1);
    return pairs;
  }
  static std::map<std::string, std::string> found() {
    std::map<std::string, std::string> pairs;
    for (const auto& key : redis().keys("order:*")) pairs[key] = redis().command("GET", key);
    return pairs;
  }
  // Redis becomes what the query says now, and nothing of it is dirty any more.
  [[nodiscard]] testing::AssertionResult documents_in_step(milliseconds timeout = kPatience) const {
    const auto wanted = expected();
    const auto compare = [&] {
      const auto now = found();
      for (const auto& [key, value] : wanted) {
        const auto at = now.find(key);
        if (at == now.end()) return testing::AssertionFailure() << key << " is missing";
        if (at->second != value) return testing::AssertionFailure() << key << " is " << at->second << ", not " << value;
      }
      for (const auto& [key, value] : now) {
        if (!wanted.contains(key)) return testing::AssertionFailure() << key << " has no order";
      }
      return testing::AssertionSuccess();
    };
    const auto same = eventually(compare, timeout);
    if (!same) return same;
    return eventually_equal([this] { return redis().command("EXISTS", notes_key()); }, "0");
  }
  [[nodiscard]] std::string notes_key() const { return "walrelay:{" + name() + "}:dirty:orders"; }

  JobAnswer verify(const std::string& mapping, const std::string& parameters = "") {
    const std::string path = "/api/v1/admin/index/" + mapping + "/verify";
    const JobAnswer begun = post(path + parameters);
    EXPECT_EQ(begun.http(), 202) << begun.body();
    JobAnswer last;
    EXPECT_TRUE(eventually([&] {
      last = get(path + "/status");
      return last.http() == 200 && !last.running();
    })) << last.body();
    EXPECT_EQ(last.text("status"), "COMPLETED") << last.body();
    return last;
  }
};

}  // namespace walrelay::support
