#include "config/addresses.h"

#include <stdexcept>

#include "config/file_text.h"

namespace walrelay::config {

SecretGiven secret_given(const Settings& settings, const std::string& name, Mistakes& mistakes) {
  const Given* direct = settings.find(name);
  const Given* file = settings.find(name + "_file");
  if (direct != nullptr && file != nullptr && direct->level == file->level) {
    const bool file_later =
        std::pair(file->place.line, file->place.column) > std::pair(direct->place.line, direct->place.column);
    mistakes.add((file_later ? file : direct)->place,
                 "both " + name + " and " + name + "_file are given; keep one of them");
  }
  const bool from_file = file != nullptr && (direct == nullptr || file->level > direct->level);
  return {from_file ? file : direct, from_file};
}

std::optional<UrlGiven> url_given(const Settings& settings, const std::string& name, Mistakes& mistakes) {
  const SecretGiven found = secret_given(settings, name, mistakes);
  if (found.given == nullptr) return {};
  if (!found.from_file) return UrlGiven{found.given->text, *found.given};
  try {
    return UrlGiven{read_file_text(found.given->text), *found.given};
  } catch (const std::runtime_error& e) {
    const std::string file = found.given->shown.empty() ? "\"" + found.given->text + "\"" : found.given->shown;
    mistakes.add(found.given->place, name + "_file: " + file + " cannot be read: " + e.what());
    return {};
  }
}

}  // namespace walrelay::config
