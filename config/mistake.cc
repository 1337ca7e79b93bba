#include "config/mistake.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace walrelay::config {

namespace {

std::string all_texts(const std::vector<Mistake>& mistakes) {
  std::string out;
  for (const Mistake& mistake : mistakes) {
    if (!out.empty()) out += '\n';
    out += mistake.text();
  }
  return out;
}

}  // namespace

std::string Place::text() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Mistake::text() const { return Place{file, line, column}.text() + ": " + message; }

ConfigError::ConfigError(std::vector<Mistake> mistakes)
    : std::runtime_error(all_texts(mistakes)), mistakes_(std::move(mistakes)) {}

void Mistakes::add(const Place& place, std::string message) {
  mistakes_.push_back({place.file, place.line, place.column, std::move(message)});
}

void Mistakes::throw_if_any() {
  if (mistakes_.empty()) return;
  // A multimap keeps equals in their order. (clang 19 warns of std::stable_sort in GCC 12's library.)
  std::multimap<std::tuple<bool, int, int>, Mistake> sorted;
  for (Mistake& mistake : mistakes_) {
    sorted.emplace(std::tuple(mistake.line == 0, mistake.line, mistake.column), std::move(mistake));
  }
  mistakes_.clear();
  for (auto& [place, mistake] : sorted) mistakes_.push_back(std::move(mistake));
  // An anchor used at several places repeats its mistakes.
  const auto same = [](const Mistake& a, const Mistake& b) { return a.text() == b.text(); };
  mistakes_.erase(std::unique(mistakes_.begin(), mistakes_.end(), same), mistakes_.end());
  throw ConfigError(std::move(mistakes_));
}

}  // namespace walrelay::config
