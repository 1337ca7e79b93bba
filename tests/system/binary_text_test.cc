// Our text of binary values against the server's own: the same rows are copied out in both formats, thousands of values
// of every type that binary_is_exact() names, and arrays of them.
//
//   generate (seeded) ──> COPY IN ──> table ──┬─> COPY OUT text   ──> CopyTextRow   ─┐
//                                             └─> COPY OUT binary ──> CopyBinaryRow ─┴─> equal
#include "replication/binary_text.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include "replication/copy_row.h"
#include "replication/relation.h"
#include "tests/support/postgres_server.h"
#include "tests/system/generated_values.h"

namespace walrelay::replication {
namespace {

constexpr std::uint64_t kSeed = 20260101;
constexpr int kValues = 4000;

class Session {
 public:
  explicit Session(const std::string& target) : connection_(PQconnectdb(target.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_));
    run("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';"
        "SET extra_float_digits = 3; SET client_min_messages = warning");
  }
  ~Session() { PQfinish(connection_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void run(const std::string& sql) { expect(PQexec(connection_, sql.c_str()), PGRES_COMMAND_OK, sql); }

  Oid type_oid(const std::string& type) {
    PGresult* result = PQexec(connection_, ("SELECT '" + type + "'::regtype::oid").c_str());
    const Oid oid = static_cast<Oid>(std::stoul(PQgetvalue(result, 0, 0)));
    PQclear(result);
    return oid;
  }

  void copy_in(const std::string& table, const std::vector<std::string>& values) {
    const auto sql = "COPY " + table + "(v) FROM STDIN";
    expect(PQexec(connection_, sql.c_str()), PGRES_COPY_IN, sql);
    std::string lines;
    for (const auto& value : values) lines += escaped(value) + "\n";
    if (PQputCopyData(connection_, lines.data(), static_cast<int>(lines.size())) != 1 ||
        PQputCopyEnd(connection_, nullptr) != 1) {
      throw std::runtime_error(PQerrorMessage(connection_));
    }
    expect(PQgetResult(connection_), PGRES_COMMAND_OK, sql);
    while (PGresult* result = PQgetResult(connection_)) PQclear(result);
  }

  std::vector<std::string> copy_out(const std::string& query, bool binary) {
    const auto sql = "COPY (" + query + ") TO STDOUT" + (binary ? " (FORMAT binary)" : "");
    expect(PQexec(connection_, sql.c_str()), PGRES_COPY_OUT, sql);
    std::vector<std::string> rows;
    char* data = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection_, &data, 0)) > 0; PQfreemem(data)) {
      rows.emplace_back(data, static_cast<std::size_t>(size));
    }
    expect(PQgetResult(connection_), PGRES_COMMAND_OK, sql);
    while (PGresult* result = PQgetResult(connection_)) PQclear(result);
    return rows;
  }

 private:
  void expect(PGresult* result, ExecStatusType status, const std::string& sql) {
    const bool fits = PQresultStatus(result) == status;
    PQclear(result);
    if (!fits) throw std::runtime_error(sql + ": " + PQerrorMessage(connection_));
  }

  static std::string escaped(const std::string& value) {
    std::string out;
    for (const char c : value) {
      if (c == '\\' || c == '\t' || c == '\n' || c == '\r') out.push_back('\\');
      out.push_back(c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
    }
    return out;
  }

  PGconn* connection_;
};

// The value in a row of COPY binary with one column; nothing for NULL, the trailer, and the header that precedes.
std::optional<std::string> value_of(std::string_view copy_data) {
  Reader in(copy_data, "COPY row");
  if (copy_data.starts_with("PGCOPY")) in.bytes(19);
  if (in.i16() != 1) return std::nullopt;
  const auto length = in.i32();
  if (length < 0) return std::nullopt;
  return std::string(in.bytes(static_cast<std::size_t>(length)));
}

class BinaryText : public testing::Test {
 protected:
  void SetUp() override {
    session_.run("CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', '{\"}', 'null', 'é')");
    ColumnType mood;
    mood.kind = TypeKind::enumeration;
    add_with_array("mood", mood);
  }

  // A type of the database itself, which the catalogue does not know from the start.
  void add_with_array(const std::string& name, ColumnType type) {
    type.oid = session_.type_oid(name);
    if (type.name.empty()) type.name = "public." + name;
    ColumnType array;
    array.oid = session_.type_oid(name + "[]");
    array.kind = TypeKind::array;
    array.name = type.name + "[]";
    array.element = catalog_.add(std::move(type));
    catalog_.add(std::move(array));
  }

  const ColumnType* find(const std::string& type) { return catalog_.find(session_.type_oid(type)); }

  // Both formats of the query's one column, of type `type`, say the same; and its parts are refused.
  void compare(const std::string& query, const ColumnType* type, Prefixes prefixes) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", " + query);
    ASSERT_TRUE(type != nullptr && binary_is_exact(*type));
    Relation relation;
    relation.name = "t";
    relation.columns.resize(1);
    relation.columns[0].type = type;
    const auto lines = session_.copy_out(query, false);
    const auto binary = session_.copy_out(query, true);
    ASSERT_EQ(binary.size(), lines.size() + 1);  // the trailer
    CopyTextRow text_row;
    CopyBinaryRow binary_row;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto expected = text_row.decode(relation, lines[i], nullptr);
      const auto row = binary_row.decode(relation, binary[i], nullptr);
      ASSERT_TRUE(row.has_value());
      ASSERT_EQ((*row)[0].state, expected[0].state) << lines[i].substr(0, 300);
      ASSERT_EQ((*row)[0].text, expected[0].text);
      ++compared_;
      const auto value = value_of(binary[i]);
      if (i < kWithPrefixes && value && value->size() < 300) expect_prefixes(*type, *value, prefixes);
    }
    EXPECT_FALSE(binary_row.decode(relation, binary.back(), nullptr).has_value());
    EXPECT_TRUE(binary_row.ended());
  }

  static void expect_prefixes(const ColumnType& type, const std::string& value, Prefixes prefixes) {
    std::string scratch;
    for (std::size_t size = 0; size < value.size(); ++size) {
      const std::string part(value, 0, size);  // of its own, so that AddressSanitizer sees a read beyond it
      bool threw = false;
      try {
        binary_to_text(type, part, scratch);
      } catch (const ProtocolError&) {
        threw = true;
      }
      if (prefixes == Prefixes::invalid) {
        ASSERT_TRUE(threw) << size << " of " << value.size() << " bytes of a " << type.name;
      }
    }
    if (prefixes == Prefixes::invalid) {
      ASSERT_THROW(binary_to_text(type, value + '\0', scratch), ProtocolError) << type.name;
    }
  }

  void compare_type(const TypeCase& a_case, std::size_t number) {
    SCOPED_TRACE(a_case.type);
    Random random(kSeed + number);
    auto values = a_case.always;
    for (int i = 0; i < kValues; ++i) values.push_back(a_case.some(random));
    session_.run("DROP TABLE IF EXISTS t, source; CREATE TABLE source (id serial, v text)");
    session_.copy_in("source", values);
    session_.run("CREATE TABLE t AS SELECT id, (" + a_case.expression + ")::" + a_case.type + " AS v FROM source");
    const auto* type = find(a_case.type);
    const auto* array = find(a_case.type + "[]");
    compare("SELECT v FROM t ORDER BY id", type, a_case.prefixes);
    compare("SELECT array_agg(CASE WHEN id % 7 > 0 THEN v END ORDER BY id) FROM t GROUP BY id / 5 ORDER BY min(id)",
            array, Prefixes::invalid);
    compare("SELECT array_agg(ARRAY[v, NULL, v] ORDER BY id) FROM t GROUP BY id / 3 ORDER BY min(id)", array,
            Prefixes::invalid);
    compare("SELECT array_fill(v, ARRAY[2, 1, 2], ARRAY[-1, 0, id]) FROM t WHERE id < 200 ORDER BY id", array,
            Prefixes::invalid);
    compare("SELECT ('{}'::" + a_case.type + "[]) UNION ALL SELECT NULL", array, Prefixes::invalid);
    compare_domain(a_case, *type);
  }

  // A domain has an OID of its own, and the name and kind of its base.
  void compare_domain(const TypeCase& a_case, const ColumnType& base) {
    session_.run("DROP DOMAIN IF EXISTS d; CREATE DOMAIN d AS " + a_case.type);
    add_with_array("d", base);
    compare("SELECT v::d FROM t WHERE id < 50 ORDER BY id", find("d"), a_case.prefixes);
    compare("SELECT ARRAY[v::d] FROM t WHERE id < 50 ORDER BY id", find("d[]"), Prefixes::invalid);
  }

  static constexpr std::size_t kWithPrefixes = 300;
  support::Postgres server_;
  Session session_{server_.conninfo()};
  TypeCatalog catalog_;
  std::size_t compared_ = 0;
};

TEST_F(BinaryText, IsTheServersOwnText) {
  const auto cases = types();
  for (std::size_t i = 0; i < cases.size() && !HasFatalFailure(); ++i) compare_type(cases[i], i);
  EXPECT_GT(compared_, cases.size() * kValues);
}

}  // namespace
}  // namespace walrelay::replication
