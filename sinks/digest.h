// Digests, as lower-case hexadecimal where no other form is said: what Redis calls a script (SHA-1), and names that
// others build with MD5. No protection against anybody.
#pragma once

#include <string>
#include <string_view>

namespace walrelay::sinks {

std::string sha1(std::string_view bytes);
std::string md5(std::string_view bytes);
std::string sha256_base64(std::string_view bytes);  // what a Content-Security-Policy calls a script

}  // namespace walrelay::sinks
