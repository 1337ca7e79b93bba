#include "sidecar/http_request.h"

#include <strings.h>

#include <string_view>

#include "sidecar/http_address.h"

namespace walrelay::sidecar {

namespace {

// Out of memory ends the program here: nothing may be thrown through libmicrohttpd.
MHD_Result keep(void* query, MHD_ValueKind, const char* name, std::size_t name_size, const char* value,
                std::size_t value_size) noexcept {
  if (name == nullptr || name_size == 0) return MHD_YES;  // as in "?&a=b" or "?=b"
  auto& into = *static_cast<std::map<std::string, std::string>*>(query);
  into.insert_or_assign(std::string(name, name_size),
                        value == nullptr ? std::string() : std::string(value, value_size));
  return MHD_YES;
}

std::string header(MHD_Connection* connection, const char* name) {
  const char* text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return text == nullptr ? "" : text;
}

std::string bearer_token(MHD_Connection* connection) {
  const char* header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (header == nullptr || strncasecmp(header, kScheme.data(), kScheme.size()) != 0) return "";
  std::string_view token = std::string_view(header).substr(kScheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  while (token.ends_with(' ')) token.remove_suffix(1);
  return std::string(token);
}

}  // namespace

HttpRequest read_request(MHD_Connection* connection, const char* method, const char* url) {
  HttpRequest request{
      method, url, {}, bearer_token(connection), false, header(connection, "Host"), header(connection, "Origin")};
  MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, keep, &request.query);
  const auto* peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  request.loopback = peer != nullptr && peer->client_addr != nullptr && is_loopback(*peer->client_addr);
  return request;
}

}  // namespace walrelay::sidecar
