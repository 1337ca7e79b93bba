// What the model tests of stream, publish and invalidate share: tables whose triggers note each change in a table of
// its own, in the order of the commits; random work of three sessions upon them; and walrelay killed meanwhile. SQL
// over the notes says what must have been told.
#pragma once

#include <memory>
#include <random>

#include "tests/support/sql_connection.h"
#include "tests/system/end_to_end.h"

namespace walrelay::support {

// `narrow` says of old rows only their ids, so a value that is stored apart and did not change is not known. Who
// commits holds the row of `commits` until it has committed, so its numbers are in the order of the commits.
inline constexpr const char* kEventTables = R"sql(
  CREATE TABLE events (id int PRIMARY KEY, g text NOT NULL, n int, v bigint NOT NULL, big text);
  ALTER TABLE events ALTER big SET STORAGE EXTERNAL;
  CREATE TABLE narrow (LIKE events INCLUDING ALL);
  ALTER TABLE events REPLICA IDENTITY FULL;
  CREATE SEQUENCE version;
  CREATE TABLE commits (n bigint);
  INSERT INTO commits VALUES (0);
  CREATE TABLE told (seq bigserial PRIMARY KEY, place bigint, xid bigint DEFAULT txid_current(), t text, op text,
                     before jsonb, after jsonb);
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE was jsonb; is_now jsonb;
  BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN was = to_jsonb(OLD); END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN is_now = to_jsonb(NEW); END IF;
    IF TG_TABLE_NAME = 'narrow' AND TG_OP = 'UPDATE' AND length(NEW.big) > 3000 AND NEW.big = OLD.big THEN
      is_now = is_now - 'big';
    END IF;
    IF TG_TABLE_NAME = 'narrow' AND (TG_OP = 'DELETE' OR was->'id' <> is_now->'id') THEN
      was = jsonb_build_object('id', was->'id');
    ELSIF TG_TABLE_NAME = 'narrow' THEN was = NULL;
    END IF;
    INSERT INTO told (t, op, before, after) VALUES (TG_TABLE_NAME, lower(TG_OP), was, is_now);
    RETURN NULL;
  END $$;
  CREATE TRIGGER row AFTER INSERT OR UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION note();
  CREATE TRIGGER row AFTER INSERT OR UPDATE OR DELETE ON narrow FOR EACH ROW EXECUTE FUNCTION note();
  CREATE TRIGGER whole AFTER TRUNCATE ON events EXECUTE FUNCTION note();
  CREATE TRIGGER whole AFTER TRUNCATE ON narrow EXECUTE FUNCTION note();)sql";

// One of the sessions: its rows are those whose id leaves its number when divided by three, so nobody waits for it.
class EventWork {
 public:
  EventWork(std::uint64_t seed, int session) : random_(seed * 10 + static_cast<unsigned>(session)), session_(session) {}

  std::string transaction(std::size_t statements) {
    std::string text = "BEGIN", only;
    if (draw(25) ==
        0) {  // who has truncated a table touches no other one: two that wait for each other end in an error
      only = draw(2) == 0 ? "events" : "narrow";
      text += "; TRUNCATE " + only;
    }
    for (std::size_t i = 0, count = 1 + draw(statements); i < count; ++i) {
      const std::string table = !only.empty() ? only : draw(3) == 0 ? "narrow" : "events";
      text += draw(10) == 0 ? "; SAVEPOINT s; " + statement(table) + "; ROLLBACK TO s" : "; " + statement(table);
    }
    if (draw(10) == 0) return text + "; ROLLBACK";
    return text + "; UPDATE commits SET n = n + 1; UPDATE told SET place = (SELECT n FROM commits) WHERE xid = " +
           "txid_current(); COMMIT";
  }

 private:
  std::uint64_t draw(std::uint64_t most) { return random_() % most; }
  std::string number(std::uint64_t most) { return std::to_string(draw(most)); }
  std::string own() { return std::to_string(session_ + 3 * static_cast<int>(draw(10))); }
  std::string inserted(const std::string& table, const std::string& id) {
    const std::string n = draw(5) == 0 ? "NULL" : number(50);
    const std::string big = draw(2) == 0 ? "repeat(md5(nextval('version')::text), 100)" : "'small'";
    return "INSERT INTO " + table + " VALUES (" + id + ", 'g" + number(3) + "', " + n + ", nextval('version'), " + big +
           ") ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n, v = EXCLUDED.v";
  }
  std::string statement(const std::string& table) {
    const std::string mine = "id % 3 = " + std::to_string(session_);
    const std::string update = "UPDATE " + table + " SET v = nextval('version'), ", id = own();
    switch (draw(10)) {
      case 0:
      case 1:
      case 2:
        return inserted(table, id);
      case 3:
        return update + "n = " + number(50) + " WHERE " + mine + " AND id % 2 = " + number(2);
      case 4:
        return update + "g = 'g" + number(3) + "' WHERE id = " + id;
      case 5:
        return update + "big = repeat(md5(nextval('version')::text), 100) WHERE id = " + id;
      case 6:
        return update + "id = id + 300 WHERE id = " + id + " AND NOT EXISTS (SELECT FROM " + table +
               " x WHERE x.id = " + id + " + 300)";
      case 7:
        return "DELETE FROM " + table + " WHERE " + mine + " AND id > " + number(400);
      case 8:
        return "DELETE FROM " + table + " WHERE id = " + id;
      default:
        return "DELETE FROM " + table + " WHERE id = " + id + "; " + inserted(table, id);
    }
  }

  std::mt19937_64 random_;
  const int session_;
};

class EventModel : public EndToEnd, public testing::WithParamInterface<std::uint64_t> {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    seed_ = GetParam() != 0 ? GetParam() : std::random_device{}();
    random_.seed(seed_);
    sql(kEventTables);
    source_ = std::make_unique<SqlConnection>(postgres().conninfo(name()));
  }
  void start_with(const std::string& mappings) {
    const std::string parts = draw(2) == 0 ? "" : ", batch_size: 20, max_bytes: 8KiB, max_transaction: 24KiB";
    start(mappings, "on_row_error: halt\nack: {hold: 0}\nflush: {interval: " +
                        std::string(draw(2) == 0 ? "0" : "20ms") + parts + "}");
  }
  // Three sessions work while walrelay is killed, somewhere or at one of its own crash points.
  void work_through_a_kill(std::size_t transactions, std::size_t statements) {
    walrelay().kill();
    walrelay().set_environment({{"WALRELAY_CRASH_AT", std::to_string(10 + draw(400))}});
    walrelay().start();
    work(transactions, statements);
    EXPECT_TRUE(eventually([&] { return !walrelay().running() || walrelay().http("/readyz").status == 200; }));
    if (!walrelay().process().wait(milliseconds(0))) walrelay().kill();  // else it came to its crash point
    ++kills_;
    work(2, statements);
    walrelay().set_environment({});
    walrelay().start();
    walrelay().wait_ready();
  }
  void work(std::size_t transactions, std::size_t statements) {
    std::vector<std::thread> sessions;
    std::vector<std::string> mistakes(3);
    const std::uint64_t seed = random_();
    for (int session = 0; session < 3; ++session) {
      sessions.emplace_back([&, session] {
        try {
          SqlConnection connection(postgres().conninfo(name()));
          EventWork work(seed, session);
          for (std::size_t i = 0; i < transactions; ++i) connection.run(work.transaction(statements));
        } catch (const std::exception& error) {
          mistakes[static_cast<std::size_t>(session)] = error.what();
        }
      });
    }
    for (auto& session : sessions) session.join();
    EXPECT_EQ(mistakes, std::vector<std::string>(3));
  }
  // The lines of a query, one column each; $1 is given where it is asked for.
  std::vector<std::string> lines(const std::string& query, const std::vector<std::string>& parameters = {}) {
    std::vector<std::string> all;
    for (const auto& row : source_->run(query, parameters).rows) all.push_back(row[0].value());
    return all;
  }
  std::uint64_t draw(std::uint64_t most) { return random_() % most; }
  [[nodiscard]] std::string seed() const { return "seed " + std::to_string(seed_); }
  [[nodiscard]] std::size_t kills() const { return kills_; }

 private:
  std::uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::unique_ptr<SqlConnection> source_;
  std::size_t kills_ = 0;
};

}  // namespace walrelay::support
