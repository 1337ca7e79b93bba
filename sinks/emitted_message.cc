#include "sinks/emitted_message.h"

#include <simdjson.h>

#include <utility>
#include <vector>

#include "sinks/invalidation.h"

namespace walrelay::sinks {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

struct Asked {
  std::vector<std::string_view> globs;
  std::vector<std::pair<std::string_view, std::string_view>> messages;  // channel, message
};

// Calls `take` for the value or, where it is a list, for each of its elements; gives the first mistake.
template <class Take>
std::string each(const element& value, const Take& take) {
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return take(value);
  for (const element& one : list) {
    if (std::string mistake = take(one); !mistake.empty()) return mistake;
  }
  return "";
}

std::string take_glob(const element& value, Asked& asked) {
  std::string_view glob;
  if (value.get(glob) != simdjson::SUCCESS || glob.empty()) {
    return "\"invalidate\" must be a glob, as in \"cache:asset:*\", or a list of them";
  }
  asked.globs.push_back(glob);
  return "";
}

std::string take_message(const element& value, Asked& asked) {
  object fields;
  std::string_view channel, message;
  const bool known = value.get(fields) == simdjson::SUCCESS && fields.size() == 2 &&
                     fields["channel"].get(channel) == simdjson::SUCCESS &&
                     fields["message"].get(message) == simdjson::SUCCESS;
  if (!known) return "\"publish\" must be an object with \"channel\" and \"message\", both texts, or a list of them";
  asked.messages.emplace_back(channel, message);
  return "";
}

std::string take_all(const object& whole, Asked& asked) {
  for (const auto& [name, value] : whole) {
    std::string mistake;
    if (name == "invalidate") {
      mistake = each(value, [&asked](const element& one) { return take_glob(one, asked); });
    } else if (name == "publish") {
      mistake = each(value, [&asked](const element& one) { return take_message(one, asked); });
    } else {
      mistake = "it may ask for \"invalidate\" and \"publish\", and for nothing else";
    }
    if (!mistake.empty()) return mistake;
  }
  return "";
}

}  // namespace

std::string append_emitted(std::string_view content, std::uint32_t write, const std::string& again_key, Batch& batch) {
  if (content.empty()) return "";
  simdjson::dom::parser parser;
  element root;
  object whole;
  if (parser.parse(content.data(), content.size()).get(root) != simdjson::SUCCESS ||
      root.get(whole) != simdjson::SUCCESS) {
    return "it is no JSON object";
  }
  Asked asked;
  if (std::string mistake = take_all(whole, asked); !mistake.empty()) return mistake;
  const Invalidation invalidation(write, again_key, std::chrono::milliseconds(0));
  for (const std::string_view glob : asked.globs) invalidation.pattern(glob, batch);
  for (const auto& [channel, message] : asked.messages) {
    batch.open(write, channel, Effect::ordered);
    batch.command(3);
    for (const std::string_view word : {std::string_view("PUBLISH"), channel, message}) batch.argument(word);
    batch.close();
  }
  return "";
}

}  // namespace walrelay::sinks
