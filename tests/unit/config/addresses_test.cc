// Which of several ways to name a server wins.
#include "config/addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::load;
using testing::mistakes;

// "host=h dbname=d", sorted, the password last.
std::string source(const std::string& text, const testing::Variables& variables = {}, const Overrides& overrides = {}) {
  const Config config = load(text, variables, overrides);
  std::map<std::string, std::string> sorted(config.source.parameters.begin(), config.source.parameters.end());
  EXPECT_EQ(sorted.size(), config.source.parameters.size()) << "a keyword stands twice";
  std::string out;
  for (const auto& [keyword, value] : sorted) out += (out.empty() ? "" : " ") + keyword + "=" + value;
  const SecretSource& password = config.source.password;
  if (password.given()) out += " password<" + password.value.reveal() + password.file + ">";
  return out;
}

TEST(Addresses, SourceFallbacks) {
  const testing::Variables pg = {{"PGHOST", "ph"},     {"PGPORT", "1"},      {"PGUSER", "pu"},
                                 {"PGDATABASE", "pd"}, {"PGPASSWORD", "pp"}, {"PGSSLMODE", "require"}};
  testing::Variables urls = pg;
  urls["PG_URL"] = "postgres://p/u";
  EXPECT_EQ(source("", pg), "dbname=pd host=ph port=1 sslmode=require user=pu password<pp>");
  EXPECT_EQ(source("", urls), "dbname=u host=p");
  urls["DATABASE_URL"] = "jdbc:postgresql://d/u";
  EXPECT_EQ(source("", urls), "dbname=u host=d");
  EXPECT_EQ(source("source: {url: postgres://h}", urls), "host=h");
  EXPECT_EQ(source("source: {host: h}", urls), "host=h");
  EXPECT_EQ(source("source: {url: \"${NONE:-}\"}", urls), "dbname=u host=d") << "an empty url is none";
  EXPECT_EQ(source("source: {service: s}", urls), "service=s");
  EXPECT_EQ(source("source: {user: u, password: p}", urls), "dbname=u host=d user=u password<p>");
  EXPECT_EQ(source("source: {dbname: d}", pg), "dbname=d host=ph port=1 sslmode=require user=pu password<pp>");
  EXPECT_EQ(source("source: {password_file: /f}", pg), "dbname=pd host=ph port=1 sslmode=require user=pu password</f>");
  EXPECT_EQ(source("source: {dbname: d}"), "dbname=d") << "the local socket";
  EXPECT_EQ(load("", {{"DATABASE_URL", "postgres://h/d"}}).origins.at("source.dbname"), "environment DATABASE_URL");
  EXPECT_THAT(
      mistakes("", {{"DATABASE_URL", "mysql://h"}}),
      ElementsAre(
          "DATABASE_URL: source.url: the URL must begin with postgres://, postgresql:// or jdbc:postgresql://"));
  EXPECT_THAT(mistakes("", {{"PGHOST", "h"}, {"PGSSLMODE", "on"}}),
              ElementsAre("PGSSLMODE: source.sslmode: \"on\" is not allowed; write disable, allow, prefer, require, "
                          "verify-ca or verify-full"));
}

TEST(Addresses, SingleKeysOfTheUrlsLevelAndAboveCorrectIt) {
  const std::string url = "source: {url: 'postgres://u:p@h:1/d?sslmode=require'";
  EXPECT_EQ(source(url + "}"), "dbname=d host=h port=1 sslmode=require user=u password<p>");
  EXPECT_EQ(source(url + ", user: x, dbname: y}"), "dbname=y host=h port=1 sslmode=require user=x password<p>");
  EXPECT_EQ(source(url + ", password: q}"), "dbname=d host=h port=1 sslmode=require user=u password<q>");
  EXPECT_EQ(source(url + ", password_file: /q}"), "dbname=d host=h port=1 sslmode=require user=u password</q>");
  EXPECT_EQ(source(url + "}", {{"WALRELAY_SOURCE_HOST", "e"}}),
            "dbname=d host=e port=1 sslmode=require user=u password<p>");
  EXPECT_EQ(source(url + "}", {{"WALRELAY_SOURCE_HOST", "e"}}, {{{"source.host", "f"}}}),
            "dbname=d host=f port=1 sslmode=require user=u password<p>");
}

TEST(Addresses, AUrlBeatsSingleKeysOfLowerLevels) {
  const std::string keys = "source: {host: h, port: 1, user: u, password: p, sslmode: require}";
  EXPECT_EQ(source(keys, {{"WALRELAY_SOURCE_URL", "postgres://e/d"}}),
            "dbname=d host=e sslmode=require user=u password<p>");
  EXPECT_EQ(source(keys, {{"WALRELAY_SOURCE_URL", "postgres://x:y@e/d"}}),
            "dbname=d host=e sslmode=require user=x password<y>");
  EXPECT_EQ(source("source: {url: postgres://f/d}", {{"WALRELAY_SOURCE_URL", "postgres://e/d"}}), "dbname=d host=e");
  EXPECT_EQ(source("source: {url: 'postgres://u:p@f/d'}", {{"WALRELAY_SOURCE_PASSWORD_FILE", "/e"}}),
            "dbname=d host=f user=u password</e>");
  EXPECT_EQ(source("source: {host: h, password_file: /f}", {{"WALRELAY_SOURCE_PASSWORD", "e"}}), "host=h password<e>");
}

TEST(Addresses, ASecretAndItsFileOnOneLevelAreAMistake) {
  EXPECT_THAT(
      mistakes("source:\n  host: h\n  password_file: /f\n  password: p\n  sslpassword: a\n  sslpassword_file: b\n"
               "target: {password: p, password_file: /f}\n"),
      ElementsAre("w.yaml:4:13: both source.password and source.password_file are given; keep one of them",
                  "w.yaml:6:21: both source.sslpassword and source.sslpassword_file are given; keep one of them",
                  "w.yaml:7:38: both target.password and target.password_file are given; keep one of them"));
  EXPECT_THAT(mistakes("source: {url: postgres://h/d, url_file: /f}\n"),
              ElementsAre("w.yaml:1:41: both source.url and source.url_file are given; keep one of them"));
  EXPECT_THAT(
      mistakes("source: {host: h}", {{"WALRELAY_SOURCE_PASSWORD", "p"}, {"WALRELAY_SOURCE_PASSWORD_FILE", "/f"}}),
      ElementsAre(
          "WALRELAY_SOURCE_PASSWORD: both source.password and source.password_file are given; keep one of them"));
}

TEST(Addresses, UrlMistakesStandAtTheUrl) {
  EXPECT_THAT(
      mistakes("source:\n  url: postgres://h/d?sslmod=x&prot=1\ntarget:\n  url: redis+sentinel://h/m\n"),
      ElementsAre(
          "w.yaml:2:8: source.url: neither libpq nor any known driver has a parameter \"sslmod\"; did you mean "
          "\"sslmode\"?",
          "w.yaml:2:8: source.url: neither libpq nor any known driver has a parameter \"prot\"; did you mean \"port\"?",
          "w.yaml:4:8: target.url: this version of walrelay speaks to a standalone Redis only, not to Sentinel or "
          "Cluster; give the "
          "address of the primary as redis://host:port"));
}

const std::string kSource = "source: {url: postgres://h/d}\n";

std::string target(const std::string& text, const testing::Variables& variables = {}) {
  const Config config = load(kSource + text, variables);
  const Target& t = config.target;
  const std::string at = t.unix_path.empty() ? t.host + ":" + std::to_string(t.port) : t.unix_path;
  const std::string password =
      t.password.given() ? " password<" + t.password.value.reveal() + t.password.file + ">" : "";
  return at + "/" + std::to_string(t.database) + (t.user.empty() ? "" : " user=" + t.user) + password +
         (t.tls ? " tls" : "");
}

TEST(Addresses, Target) {
  const testing::Variables redis = {{"REDIS_URL", "redis://:p@r:1/2"}};
  EXPECT_EQ(target(""), "127.0.0.1:6379/0");
  EXPECT_EQ(target("", redis), "r:1/2 password<p>");
  EXPECT_EQ(target("target: {url: redis://x}", redis), "x:6379/0");
  EXPECT_EQ(target("target: {host: x}", redis), "x:6379/0");
  EXPECT_EQ(target("target: {unix: /s}", redis), "/s/0");
  EXPECT_EQ(target("target: {database: 5, password: q}", redis), "r:1/5 password<q>");
  EXPECT_EQ(target("target: {url: redis://x:7/3, port: 8, database: 4}"), "x:8/4");
  EXPECT_EQ(target("target: {host: x, port: 7, database: 4}", {{"WALRELAY_TARGET_URL", "redis://e"}}), "e:6379/4");
  EXPECT_EQ(target("target: {unix: /s}", {{"WALRELAY_TARGET_URL", "redis://e"}}), "e:6379/0");
  EXPECT_EQ(target("target: {unix: /s}", {{"WALRELAY_TARGET_HOST", "e"}}), "e:6379/0");
  EXPECT_EQ(target("target: {host: x}", {{"WALRELAY_TARGET_UNIX", "/s"}}), "/s/0");
  EXPECT_EQ(target("target: {url: 'unix:///s'}", {{"WALRELAY_TARGET_HOST", "e"}}), "e:6379/0");
  EXPECT_EQ(target("target: {url: 'unix:///s?db=1'}"), "/s/1");
  EXPECT_EQ(target("target: {url: rediss://x}"), "x:6379/0 tls");
  EXPECT_EQ(target("target: {url: redis://x, tls: {ca: /ca}}"), "x:6379/0 tls");
  EXPECT_EQ(target("target: {url: redis://u@x, password_file: /f}"), "x:6379/0 user=u password</f>");
}

TEST(Addresses, TargetMistakes) {
  struct Row {
    const char* text;
    const char* mistake;
  };
  for (const Row& row : {
           Row{"target: {unix: /s, host: h}", "2:16: both target.unix and target.host are given; keep one of them"},
           Row{"target: {unix: s}", "2:16: target.unix: must be an absolute path"},
           Row{"target: {unix: /s, tls: true}",
               "2:16: target: TLS does not go over a unix socket; remove one of the two"},
           Row{"target: {url: rediss://h, tls: false}",
               "2:32: target.tls is off, but target.url begins with rediss://; keep one of the two"},
           Row{"target: {tls: {certificate: /c}}",
               "2:29: target.tls: a client certificate needs both \"certificate\" and \"key\""},
           Row{"target: {tls: {key: /c}}",
               "2:21: target.tls: a client certificate needs both \"certificate\" and \"key\""},
           Row{"target: {user: u}", "2:16: target.user is given without target.password or target.password_file"},
           Row{"target: {url: redis://s3cret@h}",
               "2:15: target.url: a user is given without a password; write redis://:password@host for a password "
               "alone, redis://user:password@host for both"},
           Row{"target: {host: redis://h}", "2:16: target.host: must be a host, not a URL; give the URL as target.url"},
           Row{"target: {host: ''}", "2:16: target.host: must not be empty"},
       }) {
    EXPECT_THAT(mistakes(kSource + row.text), ElementsAre("w.yaml:" + std::string(row.mistake))) << row.text;
  }
}

}  // namespace
}  // namespace walrelay::config
