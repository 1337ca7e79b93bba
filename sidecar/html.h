// Pieces of HTML. Every text that a user, a table or a server has made goes through escaped(). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace walrelay::sidecar {

std::string escaped(std::string_view text);  // for text and for attributes in either quotes

// Puts a value where the template says {{name}}. Throws std::logic_error for a name that has none.
std::string filled(std::string_view text, const std::map<std::string, std::string>& values);

// A line with its area over 180 steps, the newest at the right, under its caption.
struct Chart {
  std::string name;                              // "Lag"
  std::string look;                              // its class: "lag"
  double least = 1;                              // the scale reaches at least so high
  std::string (*words)(double value) = nullptr;  // "0.4 s"
  std::vector<double> values;                    // the oldest first
};
std::string chart_html(const Chart& chart);

}  // namespace walrelay::sidecar
