// The addresses of the HTTP side: what `http.listen` means to the server and to those who ask it.
#pragma once

#include <sys/socket.h>

#include <string>

namespace walrelay::sidecar {

// A bound, listening socket; the caller closes it. `listen`: "127.0.0.1:9847", "[::]:9847", ":9847"; with port 0 the
// system chooses one. Throws std::runtime_error naming the address: libmicrohttpd cannot say why one was refused.
int listening_socket(const std::string& listen);

int port_of(int socket);  // that it is bound to

// 127.0.0.0/8, ::1, and 127.0.0.0/8 as a socket of both families shows it.
bool is_loopback(const sockaddr& address);

// Where a program on this machine finds the server: "http://127.0.0.1:9847". A server of all addresses is asked on
// loopback, where no token is needed. Throws std::runtime_error when `listen` is empty or has no port.
std::string base_url(const std::string& listen);

}  // namespace walrelay::sidecar
