// How a connection to a real server is made: the pinned session, several hosts, passwords, encodings, TLS.
#include <stdlib.h>

#include "tests/system/connection_fixture.h"

namespace walrelay::replication {
namespace {

struct Setting {
  const char* name;
  const char* value;
};
constexpr Setting kPinned[] = {{"TimeZone", "UTC"},
                               {"DateStyle", "ISO, MDY"},
                               {"IntervalStyle", "postgres"},
                               {"bytea_output", "hex"},
                               {"extra_float_digits", "3"},
                               {"lc_monetary", "C"},
                               {"search_path", ""},
                               {"row_security", "off"},
                               {"statement_timeout", "0"},
                               {"lock_timeout", "0"},
                               {"idle_in_transaction_session_timeout", "0"},
                               {"idle_session_timeout", "0"},
                               {"client_encoding", "SQL_ASCII"},
                               {"application_name", "walrelay"}};

TEST_F(ConnectionTest, PinsTheSessionAgainstTheRolesOwnSettings) {
  postgres_->sql(
      "CREATE ROLE stubborn SUPERUSER LOGIN;"
      "ALTER ROLE stubborn SET TimeZone = 'Asia/Tokyo'; ALTER ROLE stubborn SET DateStyle = 'German, DMY';"
      "ALTER ROLE stubborn SET IntervalStyle = 'iso_8601'; ALTER ROLE stubborn SET bytea_output = 'escape';"
      "ALTER ROLE stubborn SET extra_float_digits = 0; ALTER ROLE stubborn SET search_path = public;"
      "ALTER ROLE stubborn SET statement_timeout = '1min'; ALTER ROLE stubborn SET lock_timeout = '1min';"
      "ALTER ROLE stubborn SET idle_in_transaction_session_timeout = '1min';"
      "ALTER ROLE stubborn SET idle_session_timeout = '1min'; ALTER ROLE stubborn SET row_security = on;"
      "ALTER ROLE stubborn SET client_encoding = 'LATIN1'");
  ASSERT_EQ(setenv("PGOPTIONS", "-c work_mem=5MB -c TimeZone=Asia/Tokyo", 1), 0);
  ASSERT_EQ(setenv("PGCLIENTENCODING", "LATIN9", 1), 0);
  for (const bool replication : {false, true}) {
    ConnectionOptions options = by_socket(*postgres_);
    options.parameters.emplace_back("user", "stubborn");
    options.replication = replication;
    Connection connection(loop_, options);
    run_task(loop_, connection.open());
    for (const Setting& setting : kPinned) {
      EXPECT_EQ(ask(loop_, connection, "SHOW " + std::string(setting.name)), setting.value)
          << setting.name << (replication ? " for replication" : "");
    }
    EXPECT_EQ(ask(loop_, connection, "SHOW work_mem"), "5MB");  // the user's other options are kept
    EXPECT_EQ(connection.parameter("server_encoding"), "UTF8");
  }
  unsetenv("PGOPTIONS");
  unsetenv("PGCLIENTENCODING");
}

TEST_F(ConnectionTest, TriesEveryHostAndSaysWhatEachOneAnswered) {
  const std::string port = std::to_string(postgres_->port());
  ConnectionOptions options = by_tcp(*postgres_);
  options.parameters[0] = {"host", "127.0.0.1,localhost," + postgres_->socket_dir()};
  options.parameters[1] = {"port", "1," + port + "," + port};
  Connection connection(loop_, options);
  run_task(loop_, connection.open());
  EXPECT_EQ(ask(loop_, connection, "SELECT inet_server_addr() IS NOT NULL"), "t");

  options.parameters[0] = {"host", "127.0.0.1,no.such.host.invalid,localhost"};
  options.parameters[1] = {"port", "1," + port + "," + port};
  options.parameters.emplace_back("dbname", "nowhere");
  Connection nowhere(loop_, options);
  const PostgresError error = error_of(loop_, nowhere.open());
  EXPECT_EQ(error.sqlstate(), "3D000");
  EXPECT_TRUE(error.lost());
  const std::string message = error.what();
  EXPECT_THAT(message, testing::StartsWith("connect to 127.0.0.1:1,no.such.host.invalid:" + port +
                                           ",localhost:" + port + "/nowhere: "));
  EXPECT_THAT(message, testing::HasSubstr("resolve \"no.such.host.invalid\": "));
  EXPECT_THAT(message, testing::HasSubstr("127.0.0.1 (127.0.0.1): Connection refused"));
  EXPECT_THAT(message, testing::HasSubstr("database \"nowhere\" does not exist (3D000)"));
  EXPECT_THAT(message, testing::Not(testing::HasSubstr("\n")));
}

TEST_F(ConnectionTest, HonoursTargetSessionAttributes) {
  for (const char* wanted : {"read-write", "primary", "prefer-standby", "any"}) {
    Connection connection(loop_, by_tcp(*postgres_, {{"target_session_attrs", wanted}}));
    run_task(loop_, connection.open());
    EXPECT_TRUE(connection.is_open()) << wanted;
  }
  Connection connection(loop_, by_tcp(*postgres_, {{"target_session_attrs", "standby"}}));
  EXPECT_THAT(error_of(loop_, connection.open()).what(), testing::HasSubstr("server is not in hot standby mode"));
}

TEST_F(ConnectionTest, RefusesListsThatDoNotFit) {
  ConnectionOptions options = by_tcp(*postgres_);
  options.parameters[0] = {"host", "a,b,c"};
  options.parameters[1] = {"port", "1,2"};
  Connection connection(loop_, options);
  const PostgresError error = error_of(loop_, connection.open());
  EXPECT_STREQ(error.what(),
               "connect to PostgreSQL: there are 2 ports for 3 hosts; give one port, or one for each host");
  EXPECT_FALSE(error.lost());
}

TEST_F(ConnectionTest, AsksForThePasswordEachTimeAndNeverShowsIt) {
  postgres_->sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE careful LOGIN PASSWORD 'right-horse'");
  postgres_->set_hba({"host all careful all scram-sha-256"});
  // By one address: where localhost is ::1 too, each is tried, and asked for.
  ConnectionOptions options = by_tcp(*postgres_, {{"user", "careful"}, {"hostaddr", "127.0.0.1"}});
  std::string password = "wrong-battery";
  int asked = 0;
  options.password = [&] {
    ++asked;
    return password;
  };
  Connection connection(loop_, options);
  const PostgresError wrong = error_of(loop_, connection.open());
  EXPECT_EQ(wrong.sqlstate(), "28P01");
  EXPECT_EQ(std::string(wrong.what()), "connect to localhost:" + std::to_string(postgres_->port()) + "/postgres: " +
                                           "password authentication failed for user \"careful\" (28P01)");
  password = "right-horse";
  const int before = asked;
  run_task(loop_, connection.open());
  EXPECT_EQ(asked, before + 1);
  options.password = []() -> std::string { throw std::runtime_error("cannot read /run/secrets/pg"); };
  Connection unreadable(loop_, options);
  const PostgresError error = error_of(loop_, unreadable.open());
  EXPECT_THAT(error.what(), testing::EndsWith("/postgres: cannot read /run/secrets/pg"));
  EXPECT_TRUE(error.lost());
}

TEST(ConnectionToALatin1Database, SpeaksUtf8) {
  const Postgres postgres({.initdb = {"--encoding=LATIN1", "--locale=C"}});
  for (const bool replication : {false, true}) {
    event::Loop loop;
    ConnectionOptions options = by_socket(postgres);
    options.replication = replication;
    Connection connection(loop, options);
    run_task(loop, connection.open());
    EXPECT_EQ(connection.parameter("server_encoding"), "LATIN1");
    EXPECT_EQ(ask(loop, connection, "SELECT chr(233)"), "é");
    EXPECT_EQ(ask(loop, connection, "SELECT ascii('é')"), "233");
  }
}

// A server certificate for `localhost`, signed by itself.
void make_certificate(Postgres& postgres, const std::string& folder) {
  const auto made = support::run_program(
      folder, {"openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost", "-addext",
               "subjectAltName=DNS:localhost", "-keyout", "server.key", "-out", "server.crt"});
  ASSERT_EQ(made.status, 0) << made.errors;
  for (const char* name : {"server.key", "server.crt"}) postgres.place(name, support::read_file(folder + "/" + name));
  postgres.set("ssl", "on");
}

TEST(ConnectionOverTls, ChecksTheNameAndLosesNothingThatOpenSslHolds) {
  Postgres postgres;
  const support::TemporaryFolder folder("connection_tls");
  make_certificate(postgres, folder.path());
  postgres.set_hba({"hostssl all all all trust", "host all all all reject"});
  event::Loop loop;
  const std::string root = folder.path() + "/server.crt";
  Connection verified(loop, by_tcp(postgres, {{"sslmode", "verify-full"}, {"sslrootcert", root}}));
  run_task(loop, verified.open());
  EXPECT_EQ(ask(loop, verified, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t");
  EXPECT_EQ(ask(loop, verified, "SELECT repeat('x', 3000000)").size(), 3000000U);
  std::size_t bytes = 0;
  const auto count = [&](std::string_view row) {
    bytes += row.size();
    return true;
  };
  run_task(loop,
           verified.copy("COPY (SELECT repeat('x', 3000) FROM generate_series(1, 5000)) TO STDOUT", count, "copy"));
  EXPECT_EQ(bytes, 5000U * 3001U);

  ConnectionOptions wrong_name = by_tcp(postgres, {{"sslmode", "verify-full"}, {"sslrootcert", root}});
  wrong_name.parameters[0] = {"host", "127.0.0.1"};
  Connection suspicious(loop, wrong_name);
  EXPECT_THAT(error_of(loop, suspicious.open()).what(), testing::HasSubstr("does not match host name \"127.0.0.1\""));
  Connection plain(loop, by_tcp(postgres, {{"sslmode", "disable"}}));
  const PostgresError rejected = error_of(loop, plain.open());
  EXPECT_EQ(rejected.sqlstate(), "28000");
  EXPECT_THAT(rejected.what(), testing::HasSubstr("no encryption"));
}

}  // namespace
}  // namespace walrelay::replication
