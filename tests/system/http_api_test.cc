// The OpenAPI document and the server say the same: every route that is served stands in it, every route that stands in
// it is served, each answers only as it says there, and every answer is of the form that it gives.
#include <gmock/gmock.h>

#include "sidecar/site.h"
#include "tests/support/json_schema.h"
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

const char* const kMappings =
    "  - {name: users, table: users, reindex: {part: part}, write: {hash: {key: \"user:{part}:{id}\"}}, identity: "
    "full}\n";

class HttpApiTest : public EndToEnd {
 protected:
  void SetUp() override {
    EndToEnd::SetUp();
    sql("CREATE TABLE users (id int PRIMARY KEY, part int, name text); ALTER TABLE users REPLICA IDENTITY FULL; INSERT "
        "INTO users SELECT i, i % 10, 'n' FROM generate_series(1, 1000) i");
  }
  void begin(const std::string& more = "") {
    start(kMappings, more);
    document_ = parser_.parse(walrelay().http("/api/v1/openapi.json").body);
  }
  [[nodiscard]] std::set<std::string> methods_of(element path) const {
    std::set<std::string> methods;
    for (const auto& [name, unused] : object(path)) {
      std::string method(name);
      for (char& c : method) c = static_cast<char>(std::toupper(c));
      methods.insert(method);
    }
    return methods;
  }
  static std::string concrete(std::string path) {
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"{mapping}", "users"}, {"{name}", "Nothing"}}) {
      if (const auto at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
    }
    return path;
  }
  // "" when the answer is one that the operation names, and of its form.
  std::string misfit(element operation, const HttpAnswer& answer) {
    element response, media;
    if (operation["responses"][std::to_string(answer.status)].get(response) != simdjson::SUCCESS) {
      return "status " + std::to_string(answer.status) + " is not in the document: " + answer.body;
    }
    if (response["content"].get(media) != simdjson::SUCCESS) return "";
    for (const auto& [type, content] : object(media)) {
      if (answer.head.find("Content-Type: " + std::string(type)) == std::string::npos)
        return "another type: " + answer.head;
      if (type != "application/json") return answer.body.empty() ? "no body" : "";
      simdjson::dom::parser parser;
      element body;
      if (parser.parse(answer.body).get(body) != simdjson::SUCCESS) return "no JSON: " + answer.body;
      return JsonSchema(document_).mismatch(body, content["schema"]);
    }
    return "no content";
  }
  std::string asked(const std::string& method, const std::string& path, const std::string& query = "",
                    int* status = nullptr) {
    const element operation = document_["paths"].at_key(path).at_key(method == "GET"    ? "get"
                                                                     : method == "POST" ? "post"
                                                                                        : "delete");
    const HttpAnswer answer = walrelay().ask(method, concrete(path) + query);
    if (status != nullptr) *status = answer.status;
    return misfit(operation, answer);
  }

  simdjson::dom::parser parser_;
  element document_;
};

TEST_F(HttpApiTest, EveryRouteStandsInTheDocumentAndNoOther) {
  begin();
  std::map<std::string, std::set<std::string>> documented, served;
  for (const auto& [path, item] : object(document_["paths"])) documented[std::string(path)] = methods_of(item);
  for (const sidecar::ServedRoute& route : sidecar::Site::routes()) {
    std::istringstream words(route.methods);
    for (std::string word; words >> word;) served[route.path].insert(word.substr(0, word.find(',')));
  }
  EXPECT_EQ(documented, served);
}

TEST_F(HttpApiTest, OtherMethodsAndPathsAreRefused) {
  begin();
  for (const auto& [path, item] : object(document_["paths"])) {
    const std::set<std::string> methods = methods_of(item);
    std::string allow;
    for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
      if (methods.contains(method))
        allow += (allow.empty() ? "" : ", ") + std::string(method) + (*method == 'G' ? ", HEAD" : "");
    }
    for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"}) {
      if (methods.contains(method)) continue;
      const HttpAnswer answer = walrelay().ask(method, concrete(std::string(path)));
      EXPECT_EQ(answer.status, 405) << method << " " << path;
      EXPECT_THAT(answer.head, HasSubstr("Allow: " + allow + "\r\n")) << method << " " << path;
    }
  }
  for (const char* path :
       {"/nothing", "/livez/", "/LIVEZ", "/health/other", "/api/v1/", "/api/v1/nothing", "/api/v2/status",
        "/api/v1/admin/index/users", "/api/v1/admin/index//reindex", "/../etc/passwd", "//"}) {
    EXPECT_EQ(walrelay().http(path).status, 404) << path;
  }
}

TEST_F(HttpApiTest, WhatIsReadIsOfTheFormThatIsDocumented) {
  begin();
  int status = 0;
  for (const auto& [path, item] : object(document_["paths"])) {
    if (!methods_of(item).contains("GET")) continue;
    EXPECT_EQ(asked("GET", std::string(path), "", &status), "") << path;
    EXPECT_LT(status, 500) << path;
  }
  for (const char* path : {"/livez", "/healthz", "/startupz", "/readyz", "/health"}) {
    EXPECT_EQ(asked("GET", path, "?verbose=1", &status), "") << path;
    EXPECT_EQ(status, 200) << path;
    EXPECT_EQ(asked("GET", path, "?verbose=perhaps", &status), "") << path;
    EXPECT_EQ(status, 400) << path;
  }
  EXPECT_EQ(asked("GET", "/api/v1/wait", "?caught_up=true", &status), "");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(asked("GET", "/api/v1/wait", "?lsn=FFFFFFFF/0&timeout=1ms", &status), "");
  EXPECT_EQ(status, 504);
}

TEST_F(HttpApiTest, OrdersAnswerAsDocumented) {
  begin();
  const std::string index = "/api/v1/admin/index/{mapping}";
  int status = 0;
  EXPECT_EQ(asked("DELETE", index + "/reindex", "", &status), "");
  EXPECT_EQ(status, 404);
  EXPECT_EQ(asked("POST", index + "/reindex", "?wait=30s", &status), "");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(asked("POST", index + "/reindex/partition", "?part=3", &status), "");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(asked("POST", index + "/reindex/partition", "?other=3", &status), "");
  EXPECT_EQ(status, 400);
  redis().command("HSET", "user:1:999999", "planted", "1");
  EXPECT_EQ(asked("POST", index + "/verify", "?wait=30s", &status), "");
  EXPECT_EQ(status, 200);
  for (const char* rest : {"/reindex/status", "/verify/status"}) EXPECT_EQ(asked("GET", index + rest, "", &status), "");
  EXPECT_EQ(asked("POST", "/api/v1/admin/reload", "", &status), "");
  EXPECT_EQ(status, 200);
  EXPECT_EQ(asked("POST", "/api/v1/admin/dlq/replay", "?id=1", &status), "");
  EXPECT_EQ(status, 400);
  // Now there are jobs, errors and changes in it.
  sql("UPDATE users SET name = 'm' WHERE id < 10; DELETE FROM users WHERE id = 10");
  EXPECT_TRUE(caught_up());
  EXPECT_EQ(asked("GET", "/api/v1/status", "", &status), "");
  EXPECT_THAT(walrelay().http("/api/v1/status").body, HasSubstr("\"reason\": \"differences\""));
}

TEST_F(HttpApiTest, AWrongTokenAndAWrongPage) {
  const std::string http = "http: {listen: \"127.0.0.1:" + std::to_string(free_port()) + "\", token: right}";
  launch(kMappings, http);
  const int port = std::stoi(http.substr(http.find(".1:") + 3));
  ASSERT_TRUE(eventually([&] { return http_get(port, "/readyz").status == 200; }));
  const std::string reload = "/api/v1/admin/reload";
  EXPECT_EQ(http_ask(port, "POST", reload, "wrong").status, 401);
  EXPECT_THAT(http_ask(port, "POST", reload, "wrong").head, HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_EQ(http_ask(port, "POST", reload, "right").status, 200);
  const auto order = [&](const std::string& headers) {
    return http_send(port,
                     "POST " + reload + " HTTP/1.1\r\n" + headers + "Connection: close\r\nContent-Length: 0\r\n\r\n")
        .status;
  };
  EXPECT_EQ(order("Host: localhost\r\n"), 200);
  EXPECT_EQ(order("Host: localhost\r\nOrigin: http://localhost\r\n"), 200);
  EXPECT_EQ(order("Host: localhost\r\nOrigin: http://evil.example\r\n"), 403);
  EXPECT_EQ(order("Host: localhost\r\nOrigin: null\r\n"), 403);
  EXPECT_EQ(order("Host: evil.example\r\nOrigin: http://evil.example\r\n"), 421);
  EXPECT_EQ(http_send(port, "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").status,
            421);
}

// Neither password nor token, wherever they are asked for.
TEST_F(HttpApiTest, NoSecretIsShown) {
  const std::string port = std::to_string(free_port());
  const std::string config = source() + ", password: sesame-password}\ntarget: {url: \"unix://" +
                             redis().socket_path() + "\"}\nhttp: {listen: \"127.0.0.1:" + port +
                             "\", token: sesame-token}\nmappings:\n" + kMappings;
  launch_as({.config = config});
  ASSERT_TRUE(eventually([&] { return http_get(std::stoi(port), "/readyz").status == 200; }));
  EXPECT_EQ(http_ask(std::stoi(port), "POST", "/api/v1/admin/reload", "sesame-toke").status, 401);
  for (const sidecar::ServedRoute& route : sidecar::Site::routes()) {
    if (!route.methods.starts_with("GET")) continue;
    EXPECT_THAT(http_get(std::stoi(port), concrete(route.path)).body, Not(HasSubstr("sesame"))) << route.path;
  }
  EXPECT_THAT(http_get(std::stoi(port), "/api/v1/config").body, HasSubstr("token: \"***\""));
  EXPECT_THAT(walrelay().log(), Not(HasSubstr("sesame")));
}

}  // namespace
}  // namespace walrelay::support
