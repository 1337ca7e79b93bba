// Key templates: parsing refuses or accepts, never crashes; a bound template owns every key that it makes, and reads it
// back.
//
//   input:  template \n value of {a} \n value of {b}
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/glob.h"
#include "sinks/key_inverse.h"
#include "sinks/template.h"

namespace {

using namespace walrelay;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
  return line;
}

replication::Relation relation() {
  replication::Relation relation;
  relation.schema = "public";
  relation.name = "t*[1]";
  relation.columns.resize(2);
  relation.columns[0].name = "a";
  relation.columns[1].name = "b";
  return relation;
}

void require(bool held) {
  if (!held) std::abort();
}

void require_readings(const sinks::BoundTemplate& key, const std::string& made, const replication::Value (&row)[2]) {
  constexpr std::size_t kMost = 100;
  const sinks::KeyInverse inverse(key);
  std::vector<sinks::KeyReading> readings;
  if (!inverse.readings(made, kMost, readings)) return;  // too many
  bool found = false;
  for (const sinks::KeyReading& reading : readings) {
    replication::Value read[2];
    bool same = true;
    for (const auto& [column, text] : reading.columns) {
      read[column] = {replication::ValueState::text, text};
      same = same && row[column].text == text;
    }
    found = found || same;
    std::string again;
    require(!key.render(read, again).has_value() && again == made);
  }
  require(found);
}

void try_template(std::string_view text, const replication::Value (&row)[2]) {
  const sinks::BoundTemplate key =
      sinks::bind_template(sinks::parse_template(text), relation(), {{"capture", "c:{1}"}});
  require(!sinks::key_glob(key).empty() || (key.parts().empty() && key.tail().empty()));
  std::string made;
  require(!key.render(row, made).has_value());
  // PostgreSQL has no text with a zero byte, and the matcher relies on it.
  const bool zero =
      row[0].text.find('\0') != std::string_view::npos || row[1].text.find('\0') != std::string_view::npos;
  if (zero) return;
  require(sinks::KeyMatcher(key)(made));
  require_readings(key, made, row);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view line = take_line(text), a = take_line(text);
  const replication::Value row[] = {{replication::ValueState::text, a}, {replication::ValueState::text, text}};
  try {
    try_template(line, row);
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
