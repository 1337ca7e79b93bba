// MD5 (RFC 1321), for names that others build with it. No protection against anybody.
#pragma once

#include <array>
#include <string_view>

namespace walrelay::sinks {

std::array<char, 32> md5_digits(std::string_view bytes);  // lower-case hexadecimal

}  // namespace walrelay::sinks
