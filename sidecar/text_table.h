// Rows of text under one another, each column as wide as its widest cell.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace walrelay::sidecar {

std::size_t display_width(const std::string& text);  // in characters of UTF-8, colours not counted

class TextTable {
 public:
  // The columns whose cells stand at the right, as numbers do.
  explicit TextTable(std::vector<std::size_t> right = {}) : right_(std::move(right)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] std::string print(const std::string& indent) const;

 private:
  std::vector<std::size_t> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace walrelay::sidecar
