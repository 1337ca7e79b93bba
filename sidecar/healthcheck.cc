#include "sidecar/healthcheck.h"

#include <iostream>

#include "sidecar/http_client.h"

namespace walrelay::sidecar {

namespace {

std::string in_one_line(std::string body) {
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.pop_back();
  return body;
}

}  // namespace

ExitCode healthcheck(const HealthQuestion& question) {
  const char* path = question.ready ? "/readyz" : "/livez";
  try {
    const HttpResult result = http_request("GET", question.url, path, "", question.timeout);
    const std::string body = in_one_line(result.body);
    if (result.status / 100 == 2) {
      std::cout << body << '\n';
      return ExitCode::ok;
    }
    std::cerr << "walrelay: " << question.url << path << " says " << result.status << (body.empty() ? "" : ": ") << body
              << '\n';
  } catch (const HttpUnreachable& error) {
    std::cerr << "walrelay: " << error.what() << '\n';
  }
  return ExitCode::failure;
}

}  // namespace walrelay::sidecar
