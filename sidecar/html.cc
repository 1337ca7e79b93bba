#include "sidecar/html.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "sidecar/history.h"

namespace walrelay::sidecar {

namespace {

constexpr int kStep = 4, kHeight = 92, kTop = 4;
constexpr int kWidth = kStep * static_cast<int>(History::kPoints - 1);

// "M0 91.5L4 80.2 ..."
std::string line_of(const Chart& chart, double scale) {
  std::string path;
  const std::size_t missing = History::kPoints - std::min(History::kPoints, chart.values.size());
  for (std::size_t i = 0; i < chart.values.size(); ++i) {
    const double height = std::min(1.0, chart.values[i] / scale) * (kHeight - kTop);
    char point[48];
    std::snprintf(point, sizeof point, "%s%d %.1f", i == 0 ? "M" : "L", kStep * static_cast<int>(missing + i),
                  kHeight - height);
    path += point;
  }
  return path;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string filled(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string out;
  for (std::size_t open = text.find("{{"); open != std::string_view::npos; open = text.find("{{")) {
    const std::size_t close = text.find("}}", open);
    const auto value = values.find(std::string(text.substr(open + 2, close - open - 2)));
    if (close == std::string_view::npos || value == values.end()) {
      throw std::logic_error("a place of the template has no value");
    }
    out.append(text.substr(0, open)).append(value->second);
    text.remove_prefix(close + 2);
  }
  return out.append(text);
}

std::string chart_html(const Chart& chart) {
  const double highest = chart.values.empty() ? 0 : *std::max_element(chart.values.begin(), chart.values.end());
  const std::string top = chart.words(highest);
  const std::string now = chart.values.empty() ? "nothing yet" : chart.words(chart.values.back());
  const std::string path = line_of(chart, std::max(chart.least, highest));
  const std::string size = "0 0 " + std::to_string(kWidth) + " " + std::to_string(kHeight);
  std::string out = "<figure class=\"" + chart.look + "\"><figcaption><b>" + escaped(chart.name) +
                    "</b><span>highest " + escaped(top) + "</span></figcaption>";
  out += "<svg viewBox=\"" + size + "\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"" + escaped(chart.name) +
         " over the last 15 minutes: now " + escaped(now) + ", highest " + escaped(top) + "\">";
  out += "<path class=\"base\" d=\"M0 " + std::to_string(kHeight) + "H" + std::to_string(kWidth) + "\"/>";
  if (!path.empty()) {
    const std::size_t first = History::kPoints - std::min(History::kPoints, chart.values.size());
    const std::string begin = std::to_string(kStep * static_cast<int>(first)), bottom = std::to_string(kHeight);
    out += "<path class=\"area\" d=\"" + path + "V" + bottom + "H" + begin + "Z\"/>";
    out += "<path class=\"line\" d=\"" + path + "\"/>";
  }
  return out + "</svg><p class=\"axis\"><span>15 min ago</span><span>now</span></p></figure>";
}

}  // namespace walrelay::sidecar
