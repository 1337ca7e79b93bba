#include "tests/support/workload.h"

#include "tests/support/random_statements.h"

namespace walrelay::support {
namespace {

constexpr double kDefinitions = 0.012;  // of session 0's transactions

const char* const kSchema = R"(
CREATE SEQUENCE versions;
CREATE TABLE items (id int PRIMARY KEY, version bigint NOT NULL, name text, note text, body text, raw bytea, bulk text);
ALTER TABLE items ALTER bulk SET STORAGE EXTERNAL;
CREATE TABLE pairs (a text, b text, version bigint NOT NULL, body text, PRIMARY KEY (a, b));
CREATE TABLE docs (id serial PRIMARY KEY, version bigint NOT NULL, title text, ok boolean, amount numeric, payload jsonb,
                   tags text[], body text);
CREATE TABLE events (part int, id int, version bigint NOT NULL, body text, PRIMARY KEY (part, id)) PARTITION BY LIST (part);
CREATE TABLE events_0 PARTITION OF events FOR VALUES IN (0);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE ledger (id int NOT NULL UNIQUE, version bigint NOT NULL, note text, body text);
ALTER TABLE ledger REPLICA IDENTITY FULL;
CREATE TABLE parents (id int PRIMARY KEY, version bigint NOT NULL, name text);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE, version bigint NOT NULL, body text);
CREATE TABLE churn_1 (id int PRIMARY KEY, version bigint NOT NULL, body text);
CREATE TABLE churn_2 (id int PRIMARY KEY, version bigint NOT NULL, body text);
CREATE TABLE twins (id int PRIMARY KEY, version bigint NOT NULL, filler text);
CREATE TABLE marker (id int PRIMARY KEY, version bigint NOT NULL);
INSERT INTO twins SELECT id, 0, '' FROM generate_series(0, 15) id;
INSERT INTO items (id, version, name, body)
  SELECT id, nextval('versions'), 'old', (SELECT string_agg(md5(id::text || n), '') FROM generate_series(1, 55) n)
  FROM generate_series(1000, 2000) id;
INSERT INTO items (id, version, bulk) SELECT id, nextval('versions'), repeat('x', 5000) FROM generate_series(1, 20) id;
INSERT INTO pairs SELECT 'old ' || i, 'b', nextval('versions'), repeat('p', i) FROM generate_series(1, 300) i;
INSERT INTO docs (version, title, amount) SELECT nextval('versions'), 'old', 1.50 FROM generate_series(1, 15) i;
INSERT INTO events SELECT i % 5, i, nextval('versions'), repeat('e', 9000) FROM generate_series(1, 20) i;
INSERT INTO ledger SELECT i, nextval('versions'), NULL, repeat(md5(i::text), 200) FROM generate_series(1, 20) i;
)";

}  // namespace

std::string workload_mappings() {
  return R"(mappings:
  - {table: public.items, write: [{hash: {key: "item:{id}"}}]}
  - {table: public.pairs, write: [{hash: {key: "pair:{a|enc}:{b|enc}"}}]}
  - {table: public.docs, write: [{string: {key: "doc:{id}"}}]}
  - {table: public.events, write: [{hash: {key: "event:{part}:{id}"}}]}
  - {table: public.ledger, write: [{hash: {key: "entry:{id}"}}]}
  - {table: public.parents, write: [{hash: {key: "parent:{id}"}}]}
  - {table: public.children, write: [{hash: {key: "child:{id}"}}]}
  - {table: public.twins, write: [{hash: {key: "twin:{id}"}}]}
  - {table: public.marker, write: [{hash: {key: "marker:{id}"}}]}
  - {tables: '^public\.churn_(?<n>[0-9]+)$', write: [{hash: {key: "churn:{n}:{id}"}}]}
)";
}

Workload::Workload(const std::string& conninfo, const WorkloadOptions& options)
    : conninfo_(conninfo), options_(options) {
  SqlConnection(conninfo_).run(kSchema);
}

void Workload::start() {
  for (int session = 0; session < options_.sessions; ++session) {
    threads_.emplace_back([this, session] { work(session); });
  }
}

void Workload::stop() {
  stopping_ = true;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

// Dead-locks and lost connections belong to the work. A row that is there already, or a table that is not, too: the
// sessions do not ask each other.
void Workload::note(const std::string& error) {
  ++failed_;
  for (const char* expected : {"deadlock", "does not exist", "connection", "shutting down", "duplicate key",
                               "terminating", "timeout", "starting up", "already exists", "cannot be cast",
                               "recovery mode", "foreign key constraint", "not yet accepting"}) {
    if (error.find(expected) != std::string::npos) return;
  }
  const std::lock_guard lock(guard_);
  if (mistakes_.size() < 4000) mistakes_ += error + "\n";
}

void Workload::work(int session) {
  RandomStatements statements(options_.seed * 1000 + static_cast<std::uint64_t>(session), session, options_.sessions);
  std::unique_ptr<SqlConnection> connection;
  const auto stopping = [this] { return stopping_.load(); };
  while (!wait_until(stopping, options_.pause)) {
    try {
      if (connection == nullptr) {
        connection = std::make_unique<SqlConnection>(conninfo_);
        connection->run("SET lock_timeout = '5s'; SET deadlock_timeout = '50ms'");
      }
      std::vector<std::string> steps = {statements.transaction()};
      if (session == 0 && statements.random().chance(kDefinitions)) {
        steps = statements.definition(*connection, options_.inexact_types);
      }
      for (const auto& step : steps) {
        connection->run(step);
        ++committed_;
      }
    } catch (const SqlError& error) {
      note(error.what());
      if (connection != nullptr && !connection->roll_back()) connection.reset();
    }
  }
}

}  // namespace walrelay::support
