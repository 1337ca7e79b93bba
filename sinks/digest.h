// Digests as lower-case hexadecimal: what Redis calls a script (SHA-1), and names that others build with MD5. No
// protection against anybody.
#pragma once

#include <string>
#include <string_view>

namespace walrelay::sinks {

std::string sha1(std::string_view bytes);
std::string md5(std::string_view bytes);

}  // namespace walrelay::sinks
