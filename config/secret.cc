#include "config/secret.h"

#include <stdexcept>

#include "config/file_text.h"

namespace walrelay::config {

Secret SecretSource::read() const {
  if (file.empty()) return value;
  std::string text;
  try {
    text = read_file_text(file);
  } catch (const std::runtime_error& e) {
    throw std::runtime_error("the secret file \"" + file + "\" cannot be read: " + e.what());
  }
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return Secret(std::move(text));
}

}  // namespace walrelay::config
