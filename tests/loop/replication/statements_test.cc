// The texts that are made without a server: statements, parameters, positions, words.
#include "replication/chunk.h"
#include "replication/chunk_position.h"
#include "replication/connect_parameters.h"
#include "replication/publication.h"
#include "replication/server_words.h"
#include "replication/slot.h"

namespace walrelay::replication {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

std::string no_default(const std::string&) { return ""; }

TEST(Quoting, IsWhatTheServerReads) {
  EXPECT_EQ(quote_identifier("plain"), "\"plain\"");
  EXPECT_EQ(quote_identifier("a\"b'c\\"), "\"a\"\"b'c\\\"");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\b'"), " E'a\\\\b'''");
}

TEST(StartReplication, SpeaksEachServersNewestProtocol) {
  struct Case {
    int version;
    bool binary, messages;
    const char* options;
  };
  const std::vector<Case> cases = {
      {120020, true, true, "(proto_version '1', publication_names '\"p\"')"},
      {130000, true, true, "(proto_version '1', publication_names '\"p\"')"},
      {140000, true, false, "(proto_version '2', publication_names '\"p\"', binary 'true')"},
      {150018, true, true, "(proto_version '2', publication_names '\"p\"', binary 'true', messages 'true')"},
      {150018, false, false, "(proto_version '2', publication_names '\"p\"')"},
      {160000, false, true, "(proto_version '4', publication_names '\"p\"', messages 'true')"},
      {170004, false, false, "(proto_version '4', publication_names '\"p\"')"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(start_replication_sql("s", "p", one.version, one.binary, one.messages, Lsn{0x1600000001}),
              std::string("START_REPLICATION SLOT \"s\" LOGICAL 16/1 ") + one.options)
        << one.version;
  }
  EXPECT_EQ(start_replication_sql("s", "o'd\"d\\", 150000, false, false, Lsn::invalid),
            "START_REPLICATION SLOT \"s\" LOGICAL 0/0 (proto_version '2', publication_names '\"o''d\"\"d\\\"')");
}

TEST(Chunk, IsOneCopy) {
  EXPECT_EQ(chunk_sql({.schema = "s", .table = "t", .columns = {"a", "b"}, .where = "a > 1"}),
            "COPY (SELECT \"a\", \"b\" FROM ONLY \"s\".\"t\" WHERE a > 1) TO STDOUT");
  EXPECT_EQ(chunk_sql({.schema = "s", .table = "t", .columns = {"a"}, .where = {}, .binary = true, .only = false}),
            "COPY (SELECT \"a\" FROM \"s\".\"t\") TO STDOUT WITH (FORMAT binary)");
}

TEST(ChunkPosition, StandsBeforeAPagesHeader) {
  constexpr std::uint64_t kBlock = 8192, kSegment = 1 << 20;
  struct Case {
    std::uint64_t position, expected;
  };
  const std::vector<Case> cases = {
      {3 * kBlock + 24, 3 * kBlock},           // nothing on the page yet
      {3 * kBlock, 3 * kBlock},                // a record that filled its page
      {3 * kBlock + 40, 3 * kBlock + 40},      // 16 bytes of a record that began on the page before
      {5 * kSegment + 40, 5 * kSegment},       // a segment's first page has the long header
      {5 * kSegment + 24, 5 * kSegment + 24},  // not a position that exists, but not ours to change
      {3 * kBlock + 4000, 3 * kBlock + 4000},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(value(before_page_header(Lsn{one.position}, kBlock, kSegment)), one.expected) << one.position;
  }
  EXPECT_EQ(before_page_header(Lsn{24}, 0, 0), Lsn{24});
}

TEST(Hosts, AreSplitAsLibpqDoes) {
  EXPECT_THAT(split_hosts("", "", ""), ElementsAre(Address{"", "", ""}));
  EXPECT_THAT(split_hosts("a,b", "", "1,2"), ElementsAre(Address{"a", "", "1"}, Address{"b", "", "2"}));
  EXPECT_THAT(split_hosts("a,/run", "", "5"), ElementsAre(Address{"a", "", "5"}, Address{"/run", "", "5"}));
  EXPECT_THAT(split_hosts("a,b", "10.0.0.1,", ""), ElementsAre(Address{"a", "10.0.0.1", ""}, Address{"b", "", ""}));
  EXPECT_THAT(split_hosts("", "::1,::2", ""), ElementsAre(Address{"", "::1", ""}, Address{"", "::2", ""}));
  EXPECT_THROW(split_hosts("a,b", "::1", ""), std::invalid_argument);
  EXPECT_THROW(split_hosts("a", "", "1,2"), std::invalid_argument);
}

TEST(Parameters, KeepTheUsersOwnAndAddOurs) {
  ConnectionOptions options;
  options.parameters = {{"host", "ignored"},
                        {"user", "u"},
                        {"sslmode", "verify-full"},
                        {"options", "-c work_mem=1"},
                        {"keepalives_idle", "3"},
                        {"client_encoding", "LATIN1"},
                        {"connect_timeout", "7"},
                        {"replication", "true"},
                        {"target_session_attrs", "prefer-standby"}};
  const Address address{"db.example", "10.0.0.1", "6000"};
  const Parameters all = connect_parameters(options, address, "secret", "standby", no_default);
  EXPECT_THAT(all, Contains(Pair("host", "db.example")));
  EXPECT_THAT(all, Contains(Pair("hostaddr", "10.0.0.1")));
  EXPECT_THAT(all, Contains(Pair("port", "6000")));
  EXPECT_THAT(all, Contains(Pair("password", "secret")));
  EXPECT_THAT(all, Contains(Pair("sslmode", "verify-full")));
  EXPECT_THAT(all, Contains(Pair("target_session_attrs", "standby")));
  EXPECT_THAT(all, Contains(Pair("keepalives_idle", "3")));
  EXPECT_THAT(all, Not(Contains(Pair("keepalives_idle", "10"))));
  EXPECT_THAT(all, Contains(Pair("tcp_user_timeout", "30000")));
  EXPECT_THAT(all, Contains(Pair("client_encoding", "SQL_ASCII")));
  EXPECT_THAT(all, Contains(Pair("gssencmode", "disable")));
  EXPECT_THAT(all, Contains(Pair("application_name", "walrelay")));
  EXPECT_THAT(all, Contains(Pair("options", testing::StartsWith("-c work_mem=1 -c TimeZone=UTC "))));
  EXPECT_THAT(all, Not(Contains(Pair("replication", testing::_))));
  EXPECT_THAT(all, Not(Contains(Pair("connect_timeout", testing::_))));
  std::map<std::string, int> given;
  for (const auto& [keyword, value] : all) EXPECT_EQ(++given[keyword], 1) << keyword;

  options.replication = true;
  options.parameters = {{"gssencmode", "prefer"}, {"application_name", "mine"}};
  const Parameters other = connect_parameters(options, {}, "", "", no_default);
  EXPECT_THAT(other, Contains(Pair("replication", "database")));
  EXPECT_THAT(other, Contains(Pair("gssencmode", "prefer")));
  EXPECT_THAT(other, Contains(Pair("application_name", "mine")));
  for (const char* absent : {"host", "hostaddr", "port", "password"}) {
    EXPECT_THAT(other, Not(Contains(Pair(absent, testing::_))));
  }
}

TEST(Peer, IsNamedWithoutSecrets) {
  EXPECT_EQ(peer_name({{"db.example", "", "6000"}}, "app"), "db.example:6000/app");
  EXPECT_EQ(peer_name({{"a", "", ""}, {"", "10.0.0.2", "1"}, {"", "", ""}}, "app"),
            "a:5432,10.0.0.2:1,local socket:5432/app");
}

TEST(ServerWords, AreOneLine) {
  EXPECT_EQ(server_words("53400", "all\n slots are in use", "", "Free one.", false).text,
            "all slots are in use (53400). Free one.");
  const ServerWords two = words_of_connect_failure(
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  28000: no entry for host, SSL encryption\n"
      "LOCATION:  ClientAuthentication, auth.c:543\n"
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  28000: no entry for host, no encryption\n"
      "HINT:  Add one.\n");
  EXPECT_EQ(two.sqlstate, "28000");
  EXPECT_EQ(two.text, "no entry for host, SSL encryption (28000). no entry for host, no encryption (28000). Add one.");
  const ServerWords refused = words_of_connect_failure(
      "connection to server on socket \"/tmp/.s.PGSQL.1\" failed: No such file or directory\n"
      "\tIs the server running locally and accepting connections on that socket?\n");
  EXPECT_EQ(refused.sqlstate, "");
  EXPECT_EQ(refused.text,
            "No such file or directory. Is the server running locally and accepting connections on that socket?");
}

TableInfo table(const std::string& name, std::vector<std::string> leaves = {}) {
  TableInfo info;
  info.schema = "public";
  info.name = name;
  info.partitioned = !leaves.empty();
  info.leaves = std::move(leaves);
  return info;
}

TEST(PublicationSql, DiffersBeforeVersion13) {
  const std::vector<TableInfo> tables = {table("a"), table("root", {"public.leaf", "\"s.\"\"\".\"L\""})};
  EXPECT_THAT(publication_sql("p", std::nullopt, tables, 130000),
              ElementsAre("CREATE PUBLICATION \"p\" FOR TABLE ONLY \"public\".\"a\", \"public\".\"root\" WITH "
                          "(publish_via_partition_root = true)"));
  EXPECT_THAT(publication_sql("p", std::nullopt, tables, 120000),
              ElementsAre("CREATE PUBLICATION \"p\" FOR TABLE ONLY \"public\".\"a\", ONLY public.leaf, ONLY "
                          "\"s.\"\"\".\"L\""));
  PublicationState found{.name = "p", .inserts = true, .updates = true, .deletes = true, .truncates = true};
  found.tables = {"public.a", "public.leaf", "s.\".L"};
  found.members = {{"public.a", "public.a"}, {"public.leaf", "public.leaf"}, {"s.\".L", "\"s.\"\"\".\"L\""}};
  EXPECT_THAT(publication_sql("p", found, tables, 120000), IsEmpty());
  EXPECT_THAT(publication_sql("p", found, tables, 130000),
              ElementsAre("ALTER PUBLICATION \"p\" SET (publish_via_partition_root = true)",
                          "ALTER PUBLICATION \"p\" ADD TABLE \"public\".\"root\"",
                          "ALTER PUBLICATION \"p\" DROP TABLE ONLY public.leaf, ONLY \"s.\"\"\".\"L\""));
}

}  // namespace
}  // namespace walrelay::replication
