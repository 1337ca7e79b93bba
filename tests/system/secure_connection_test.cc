// Passwords, TLS with a certificate authority of the test's own, unix sockets and database numbers, on both sides.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

// ca.crt signs server.crt (DNS:localhost, not the address) and client.crt; other.crt is an authority that signs
// nothing.
class Certificates {
 public:
  Certificates() : folder_("certificates") {
    authority("ca");
    authority("other");
    signed_by_ca("server", "subjectAltName=DNS:localhost");
    signed_by_ca("client", "extendedKeyUsage=clientAuth");
  }
  [[nodiscard]] std::string path(const std::string& file) const { return folder_.path() + "/" + file; }
  [[nodiscard]] std::string content(const std::string& file) const { return read_file(path(file)); }

 private:
  void openssl(std::vector<std::string> argv) const {
    argv.insert(argv.begin(), "openssl");
    const auto done = run_program(folder_.path(), argv);
    if (done.status != 0) throw std::runtime_error("openssl: " + done.errors);
  }
  void authority(const std::string& name) const {
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
             path(name + ".key"), "-out", path(name + ".crt"), "-subj", "/CN=test " + name, "-days", "2"});
  }
  void signed_by_ca(const std::string& name, const std::string& extension) const {
    write_file(path(name + ".ext"), extension + "\n");
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
             path(name + ".key"), "-out", path(name + ".csr"), "-subj", "/CN=" + name});
    openssl({"x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"),
             "-CAcreateserial", "-out", path(name + ".crt"), "-days", "2", "-extfile", path(name + ".ext")});
  }
  TemporaryFolder folder_;
};

class SecureConnectionTest : public EndToEnd {
 public:
  static void SetUpTestSuite() {
    certificates_ = std::make_unique<Certificates>();
    tls_port_ = free_port();
    open_servers({.settings = {{"password_encryption", "scram-sha-256"}},
                  .hba = {"hostssl all guarded 127.0.0.1/32 scram-sha-256", "host all guarded 127.0.0.1/32 reject"}},
                 {.arguments = {"--tls-port", std::to_string(tls_port_), "--tls-cert-file",
                                certificates_->path("server.crt"), "--tls-key-file", certificates_->path("server.key"),
                                "--tls-ca-cert-file", certificates_->path("ca.crt"), "--tls-auth-clients", "yes"}});
    postgres().place("server.crt", certificates_->content("server.crt"));
    postgres().place("server.key", certificates_->content("server.key"));
    postgres().set("ssl", "on");
  }
  static void TearDownTestSuite() {
    EndToEnd::TearDownTestSuite();
    certificates_.reset();
  }

 protected:
  static const Certificates& certificates() { return *certificates_; }
  static int tls_port() { return tls_port_; }

  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a')");
  }
  void run(const std::string& source, const std::string& target, const std::string& more = "") {
    program_ = std::make_unique<Walrelay>(Walrelay::Options{
        .config = "source: {" + source + ", slot: " + name() + ", publication: " + name() + "}\ntarget: {" + target +
                  "}\n" + more + "\nmappings: [{table: users, write: {hash: {key: \"user:{id}\"}}}]\n"});
    program_->start();
  }
  [[nodiscard]] std::string plain_source() const { return "url: \"" + postgres().conninfo(name()) + "\""; }
  [[nodiscard]] std::string plain_target() const { return "url: \"unix://" + redis().socket_path() + "\""; }
  [[nodiscard]] static std::string tls(const std::string& keys) { return "tls: {" + keys + "}"; }
  [[nodiscard]] static std::string client_certificate() {
    return "certificate: " + certificates().path("client.crt") + ", key: " + certificates().path("client.key");
  }
  Walrelay& program() { return *program_; }
  void TearDown() override {
    if (HasFailure() && program_ != nullptr) std::cerr << program_->log();
    program_.reset();
    EndToEnd::TearDown();
  }

 private:
  static inline std::unique_ptr<Certificates> certificates_;
  static inline int tls_port_ = 0;
  std::unique_ptr<Walrelay> program_;
};

TEST_F(SecureConnectionTest, RedisOverTlsWithClientCertificate) {
  run(plain_source(), "url: \"rediss://localhost:" + std::to_string(tls_port()) + "/0\", " +
                          tls("ca: " + certificates().path("ca.crt") + ", " + client_certificate()));
  program().wait_ready();
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
  sql("INSERT INTO users SELECT i, repeat('x', 1000) FROM generate_series(2, 3000) i");
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
}

TEST_F(SecureConnectionTest, RedisByAddressWithTheNameGivenOrUnchecked) {
  const std::string url = "url: \"rediss://127.0.0.1:" + std::to_string(tls_port()) + "/0\", ";
  run(plain_source(),
      url + tls("server_name: localhost, ca: " + certificates().path("ca.crt") + ", " + client_certificate()));
  program().wait_ready();
  program().terminate();
  run(plain_source(), url + tls("verify: false, " + client_certificate()));
  program().wait_ready();
  sql("INSERT INTO users VALUES (2, 'b')");
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
}

TEST_F(SecureConnectionTest, RedisThatCannotBeTrustedIsRefused) {
  struct Row {
    std::string target, says;
  };
  const std::string port = std::to_string(tls_port());
  const std::string trusted = "ca: " + certificates().path("ca.crt") + ", ";
  for (const Row& row : std::vector<Row>{
           {"url: \"rediss://127.0.0.1:" + port + "\", " + tls(trusted + client_certificate()), "IP address mismatch"},
           {"url: \"rediss://localhost:" + port + "\", " +
                tls("ca: " + certificates().path("other.crt") + ", " + client_certificate()),
            "certificate is not accepted"},
           {"url: \"rediss://localhost:" + port + "\", " +
                tls("server_name: elsewhere, " + trusted + client_certificate()),
            "ostname mismatch"},
           {"url: \"rediss://localhost:" + port + "\", " + tls("ca: " + certificates().path("ca.crt")),
            "certificate required"},
           {"url: \"rediss://localhost:" + port + "\", " + tls("ca: " + certificates().path("no.crt")), "no.crt"},
           {"url: \"rediss://localhost:" + std::to_string(redis().port()) + "\", " + tls("verify: false"), "TLS"}}) {
    run(plain_source(), row.target);
    EXPECT_NO_THROW(program().wait_log(row.says)) << row.target;
    EXPECT_TRUE(redis().keys("*").empty()) << row.target;
    program().terminate();
  }
}

TEST_F(SecureConnectionTest, RedisUserPasswordAndDatabaseNumber) {
  redis().command("ACL", "SETUSER", "relay", "on", ">first canary", "~*", "&*", "+@all", "-flushall");
  const std::string file = certificates().path("redis-password");
  write_file(file, "first canary\n");
  run(plain_source(), "host: 127.0.0.1, port: " + std::to_string(redis().port()) +
                          ", user: relay, password_file: " + file + ", database: 3");
  program().wait_ready();
  EXPECT_TRUE(redis().keys("*").empty());
  RedisClient third(redis().socket_path());
  third.command("SELECT", "3");
  EXPECT_EQ(third.hgetall("user:1").at("name"), "a");
  // The password rotates: connections that come later use the new one.
  redis().command("ACL", "SETUSER", "relay", "resetpass", ">second canary");
  redis().command("CLIENT", "KILL", "USER", "relay");
  program().wait_log("WRONGPASS");
  write_file(file, "second canary\n");
  sql("INSERT INTO users VALUES (2, 'b')");
  EXPECT_TRUE(eventually([&] { return third.hgetall("user:2").at("name") == "b"; }));
  EXPECT_EQ(program().log().find("canary"), std::string::npos) << program().log();
  redis().command("ACL", "DELUSER", "relay");
}

TEST_F(SecureConnectionTest, PostgresWithVerifyFullAndScram) {
  sql("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded SUPERUSER LOGIN PASSWORD 'first canary'");
  const std::string file = certificates().path("postgres-password");
  write_file(file, "first canary\n");
  const std::string address = "port: " + std::to_string(postgres().port()) + ", user: guarded, database: " + name() +
                              ", sslmode: verify-full, password_file: " + file;
  run("host: localhost, " + address + ", sslrootcert: " + certificates().path("ca.crt"), plain_target());
  program().wait_ready();
  EXPECT_EQ(
      sql("SELECT count(*) > 1 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = 'guarded'"),
      "t");
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
  sql("ALTER ROLE guarded PASSWORD 'second canary'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
      "usename = 'guarded'");
  program().wait_log("password authentication failed");
  write_file(file, "second canary\n");
  sql("INSERT INTO users VALUES (2, 'b')");
  EXPECT_TRUE(in_step("users", "'user:' || id", "user:*"));
  EXPECT_EQ(program().log().find("canary"), std::string::npos) << program().log();
  program().terminate();
  // A server that cannot prove its name, or whose authority is another.
  run("host: 127.0.0.1, " + address + ", sslrootcert: " + certificates().path("ca.crt"), plain_target());
  program().wait_log("does not match host name");
  program().terminate();
  run("host: localhost, " + address + ", sslrootcert: " + certificates().path("other.crt"), plain_target());
  program().wait_log("certificate verify failed");
}

}  // namespace
}  // namespace walrelay::support
