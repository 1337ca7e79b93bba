#include "sidecar/http_access.h"

#include <string_view>

namespace walrelay::sidecar {

namespace {

// Takes as long as `sent` is, wherever the two differ. volatile: else the compiler may leave the loop early.
bool equal(std::string_view sent, std::string_view token) {
  volatile unsigned different = sent.size() == token.size() ? 0U : 1U;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto one = static_cast<unsigned char>(sent[i]);
    const auto other = static_cast<unsigned char>(token[i % token.size()]);
    different = different | static_cast<unsigned>(one ^ other);
  }
  return different == 0;
}

}  // namespace

Access may_act(const HttpRequest& request, const std::string& token) {
  if (token.empty()) return request.loopback ? Access::granted : Access::forbidden;
  if (request.token.empty()) return request.loopback ? Access::granted : Access::unauthorized;
  return equal(request.token, token) ? Access::granted : Access::unauthorized;
}

}  // namespace walrelay::sidecar
