#include "config/secret.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace walrelay::config {

Secret SecretSource::read() const {
  if (file.empty()) return value;
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  // A directory opens and then fails to read.
  if (!in.is_open() || in.bad()) throw std::runtime_error("the secret file \"" + file + "\" cannot be read");
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return Secret(std::move(text));
}

}  // namespace walrelay::config
