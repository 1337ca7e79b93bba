#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/url.h"

namespace walrelay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// "host=a port=1", the secrets last.
std::string words(const SourceAddress& address) {
  std::string out;
  for (const auto& [keyword, value] : address.parameters) out += (out.empty() ? "" : " ") + keyword + "=" + value;
  if (address.password) out += " password<" + address.password->reveal() + ">";
  if (address.key_password) out += " sslpassword<" + address.key_password->reveal() + ">";
  return out;
}

TEST(SourceUrl, EveryFormThatUsersWrite) {
  struct Row {
    const char* text;
    const char* words;
  };
  for (const Row& row : {
           // libpq's URIs
           Row{"postgres://u:p@h:5433/d", "host=h port=5433 user=u dbname=d password<p>"},
           Row{"postgresql://h", "host=h"},
           Row{"postgresql://", ""},
           Row{"postgresql:///d", "dbname=d"},
           Row{"postgres://h/", "host=h"},
           Row{"POSTGRES://h/d", "host=h dbname=d"},
           Row{"  postgres://h/d\n", "host=h dbname=d"},
           Row{"postgres://u@h/d", "host=h user=u dbname=d"},
           Row{"postgres://u:@h/d", "host=h user=u dbname=d password<>"},
           Row{"postgres://:p@h/d", "host=h dbname=d password<p>"},
           Row{"postgres://h1:1,h2:2,h3/d", "host=h1,h2,h3 port=1,2, dbname=d"},
           Row{"postgres://h1,h2/d?target_session_attrs=read-write",
               "host=h1,h2 dbname=d target_session_attrs=read-write"},
           Row{"postgres://[::1]:5432/d", "host=::1 port=5432 dbname=d"},
           Row{"postgres://[2001:db8::1],h2:7/d", "host=2001:db8::1,h2 port=,7 dbname=d"},
           Row{"postgres://%2Fvar%2Frun%2Fpostgresql/d", "host=/var/run/postgresql dbname=d"},
           Row{"postgres:///d?host=/tmp&port=6000", "dbname=d host=/tmp port=6000"},
           Row{"postgres://h:1/d?port=2", "host=h dbname=d port=2"},
           Row{"postgres://h/d?sslmode=require&sslmode=verify-full", "host=h dbname=d sslmode=verify-full"},
           Row{"postgres://u%40x:p%3A%2F%25%3F@h/my%20db", "host=h user=u@x dbname=my db password<p:/%?>"},
           Row{"postgres://u:a@b@h/d", "host=h user=u dbname=d password<a@b>"},
           Row{"postgres://u:p:q@h/d", "host=h user=u dbname=d password<p:q>"},
           Row{"postgres://u:p+q@h/d", "host=h user=u dbname=d password<p+q>"},
           Row{"postgres://h/d?user=u@server&password=p%26q", "host=h dbname=d user=u@server password<p&q>"},
           Row{"postgres://h/d?options=-c%20geqo%3Doff&application_name=a%2Bb",
               "host=h dbname=d options=-c geqo=off application_name=a+b"},
           Row{"postgres://h/d?sslkey=k&sslpassword=s", "host=h dbname=d sslkey=k sslpassword<s>"},
           Row{"postgres://h/d?ssl=true", "host=h dbname=d sslmode=require"},
           Row{"postgres://h/d?ssl=false", "host=h dbname=d sslmode=disable"},
           Row{"postgres://h/d?ssl=true&sslmode=verify-ca", "host=h dbname=d sslmode=verify-ca"},
           Row{"postgres://h/d?sslmode=", "host=h dbname=d"},
           Row{"postgres://h/d?", "host=h dbname=d"},
           // other drivers
           Row{"postgresql+psycopg2://u:p@h/d", "host=h user=u dbname=d password<p>"},
           Row{"postgres://h/d?sslmode=no-verify", "host=h dbname=d sslmode=require"},
           Row{"postgres://h/d?sslmode=VERIFY_CA", "host=h dbname=d sslmode=verify-ca"},
           Row{"postgres://h/d?ssl=require", "host=h dbname=d sslmode=require"},
           Row{"postgresql://h/d?schema=public&sslaccept=strict&sslmode=require",
               "host=h dbname=d sslmode=verify-full"},
           // JDBC
           Row{"jdbc:postgresql://h:5433/d", "host=h port=5433 dbname=d"},
           Row{"jdbc:postgresql://h/d?user=u&password=p", "host=h dbname=d user=u password<p>"},
           Row{"jdbc:postgresql://h1:1,h2:2/d?targetServerType=primary",
               "host=h1,h2 port=1,2 dbname=d target_session_attrs=primary"},
           Row{"jdbc:postgresql://h/d?targetServerType=preferSecondary",
               "host=h dbname=d target_session_attrs=prefer-standby"},
           Row{"jdbc:postgresql://h/d?password=a+b%2Bc", "host=h dbname=d password<a b+c>"},
           Row{"jdbc:postgresql://h/d?ssl=true", "host=h dbname=d sslmode=verify-full"},
           Row{"jdbc:postgresql://h/d?ssl", "host=h dbname=d sslmode=verify-full"},
           Row{"jdbc:postgresql://h/d?ssl=false", "host=h dbname=d"},
           Row{"jdbc:postgresql://h/d?ssl=true&sslmode=require", "host=h dbname=d sslmode=require"},
           Row{"jdbc:postgresql://h/d?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory",
               "host=h dbname=d sslmode=require"},
           Row{"jdbc:postgresql://h/d?ApplicationName=app&connectTimeout=10&tcpKeepAlive=true",
               "host=h dbname=d application_name=app connect_timeout=10 keepalives=1"},
           Row{"jdbc:postgresql:d", "dbname=d"},
           Row{"jdbc:postgresql:d?user=u", "dbname=d user=u"},
           Row{"jdbc:postgresql:/", ""},
           Row{"jdbc:postgresql://[::1]:5432/d", "host=::1 port=5432 dbname=d"},
           // key = value
           Row{"host=h dbname=d", "host=h dbname=d"},
           Row{"host = h\n port= 5433 dbname =d", "host=h port=5433 dbname=d"},
           Row{"host=h password='a b'", "host=h password<a b>"},
           Row{R"(host=h password='it\'s \\ x')", R"(host=h password<it's \ x>)"},
           Row{R"(host=h password=a\ b\'c)", "host=h password<a b'c>"},
           Row{"host=h user='' dbname=d", "host=h dbname=d"},
           Row{"host=h user= dbname=d", "host=h user=dbname=d"},
           Row{"host=h pool_max_conns=5", "host=h"},
           Row{"options='-c search_path=\"a b\"' host=h", "options=-c search_path=\"a b\" host=h"},
       }) {
    const SourceAddress address = parse_source(row.text);
    EXPECT_EQ(words(address), row.words) << row.text;
    EXPECT_THAT(address.mistakes, IsEmpty()) << row.text;
  }
}

TEST(SourceUrl, WordsOfOtherDriversAreUnderstoodNotPassed) {
  struct Row {
    const char* text;
    std::vector<std::string> dropped;
  };
  for (const Row& row : {
           Row{"postgres://h/"
               "d?pool_max_conns=10&pool_min_conns=2&pool_max_conn_lifetime=1h&pool_max_conn_idle_time=30m&pool_health_"
               "check_period=1m",
               {"pool_max_conns", "pool_min_conns", "pool_max_conn_lifetime", "pool_max_conn_idle_time",
                "pool_health_check_period"}},
           Row{"postgres://h/d?default_query_exec_mode=simple_protocol&statement_cache_capacity=0",
               {"default_query_exec_mode", "statement_cache_capacity"}},
           Row{"postgres://h/d?connection_limit=5&pgbouncer=true&schema=public&pool_timeout=10",
               {"connection_limit", "pgbouncer", "schema", "pool_timeout"}},
           Row{"jdbc:postgresql://h/"
               "d?prepareThreshold=0&reWriteBatchedInserts=true&currentSchema=x&loadBalanceHosts=true",
               {"prepareThreshold", "reWriteBatchedInserts", "currentSchema", "loadBalanceHosts"}},
           Row{"postgres://h/d?replication=database&client_encoding=UTF8&search_path=a,b",
               {"replication", "client_encoding", "search_path"}},
       }) {
    const SourceAddress address = parse_source(row.text);
    EXPECT_EQ(address.dropped, row.dropped) << row.text;
    EXPECT_EQ(words(address), "host=h dbname=d") << row.text;
    EXPECT_THAT(address.mistakes, IsEmpty()) << row.text;
  }
}

const std::string kEncode =
    "; write special characters of user and password percent-encoded (% as %25, @ as %40, / as %2F, ? as %3F, # as "
    "%23, : as %3A)";

TEST(SourceUrl, Mistakes) {
  struct Row {
    const char* text;
    std::vector<std::string> mistakes;
  };
  for (const Row& row : {
           Row{"mysql://h/d", {"the URL must begin with postgres://, postgresql:// or jdbc:postgresql://"}},
           Row{"jdbc:mysql://h/d", {"this is no jdbc:postgresql:// URL"}},
           Row{"h",
               {"this is neither a URL, as in postgres://user:password@host:5432/database, nor of the form host=... "
                "dbname=..."}},
           Row{"postgres://h:x/d", {"the port is no number from 1 to 65535" + kEncode}},
           Row{"postgres://h:70000/d", {"the port is no number from 1 to 65535" + kEncode}},
           Row{"postgres://h:-1/d", {"the port is no number from 1 to 65535" + kEncode}},
           Row{"postgres://::1/d",
               {"a host has more than one \":\"; write an IPv6 address in brackets, as in [::1]:5432" + kEncode}},
           Row{"postgres://[::1/d", {"an IPv6 address is not closed by \"]\""}},
           Row{"postgres://[::1]5/d", {"after the \"]\" of an IPv6 address only a port may follow"}},
           Row{"postgres://[]/d", {"an IPv6 address is empty"}},
           Row{"postgres://u:%zz@h/d", {"a \"%\" is not followed by two hexadecimal digits" + kEncode}},
           Row{"postgres://u:a%@h/d", {"a \"%\" is not followed by two hexadecimal digits" + kEncode}},
           Row{"postgres://u:%00@h/d", {"a \"%\" is not followed by two hexadecimal digits" + kEncode}},
           Row{"postgres://h/%4", {"a \"%\" in the database's name is not followed by two hexadecimal digits"}},
           Row{"postgres://h/d?user=%", {"a \"%\" is not followed by two hexadecimal digits" + kEncode}},
           Row{"postgres://u:1/2@h/d", {"an \"@\" stands behind the first \"/\"" + kEncode}},
           Row{"postgres://h/d?sslmod=require&pool_max_con=3",
               {"neither libpq nor any known driver has a parameter \"sslmod\"; did you mean \"sslmode\"?",
                "neither libpq nor any known driver has a parameter \"pool_max_con\"; did you mean "
                "\"pool_max_conns\"?"}},
           Row{"postgres://h/d?sslmode=on&connect_timeout=5s&port=0",
               {"\"sslmode\" must be disable, allow, prefer, require, verify-ca or verify-full",
                "\"connect_timeout\" must be a whole number",
                "\"port\" must be a port from 1 to 65535, or one for each host"}},
           Row{"postgres://h/d?ssl=maybe", {"\"ssl\" must be true or false"}},
           Row{"postgres://h/d?scram_client_key=x", {"walrelay does not support \"scram_client_key\"; remove it"}},
           Row{"host=h dbname", {"a word has no \"=\" behind it; quote values with spaces, as in password='a b'"}},
           Row{"host=h password='x", {"a quoted value is not closed by \"'\""}},
           Row{"hots=h", {"neither libpq nor any known driver has a parameter \"hots\"; did you mean \"host\"?"}},
       }) {
    EXPECT_EQ(parse_source(row.text).mistakes, row.mistakes) << row.text;
  }
}

// Whatever special character a password holds unencoded, and wherever: no piece of it comes out in a mistake, and
// where there is no mistake none but the password holds it.
TEST(SourceUrl, NoPieceOfAPasswordSpills) {
  const std::string special = "%/?#:@[]&=+ ,'\\\"";
  int malformed = 0;
  for (const char a : special) {
    for (const char b : special) {
      const std::string secret = std::string("CANARY") + a + "CANARY" + b + "CANARY";
      for (const std::string& text :
           {"postgres://u:" + secret + "@h:5432/d", "postgres://u:" + secret + "@h/d?sslmode=require",
            "postgres://" + secret + "@h/d", "jdbc:postgresql://u:" + secret + "@h/d",
            "postgres://u:1" + secret + "@h/d", "postgres://u:1?" + secret + "@h/d",
            "host=h password=" + secret + " dbname=d", "host=h password=x " + secret + " dbname=d",
            "host=h password='" + secret + "' dbname=d", "postgres:/u:" + secret + "@h/d", "u:" + secret + "@h/d"}) {
        SourceAddress address = parse_source(text);
        malformed += address.mistakes.empty() ? 0 : 1;
        for (const std::string& mistake : address.mistakes) EXPECT_THAT(mistake, Not(HasSubstr("CANARY"))) << text;
        if (!address.mistakes.empty() || text.find("u:") == std::string::npos) continue;
        address.password.reset();
        EXPECT_THAT(words(address), Not(HasSubstr("CANARY"))) << text;
      }
    }
  }
  EXPECT_GT(malformed, 100);
}

}  // namespace
}  // namespace walrelay::config
