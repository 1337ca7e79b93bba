#include "sidecar/status_command.h"

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>

#include "config/json_text.h"
#include "sidecar/json_yaml.h"
#include "sidecar/status_view.h"
#include "sidecar/terminal.h"

namespace walrelay::sidecar {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{2000};  // of one look, while more follow

bool has_unicode() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0')
      return std::strstr(value, "UTF-8") != nullptr || std::strstr(value, "utf8") != nullptr;
  }
  return false;
}

ViewChoices view_choices() {
  const bool terminal = is_capable_terminal(STDOUT_FILENO);
  return {takes_colours(STDOUT_FILENO), terminal && has_unicode()};
}

JsonElement parsed(simdjson::dom::parser& parser, const HttpResult& result, const Remote& remote) {
  JsonElement json;
  if (result.status == 200 && parser.parse(result.body).get(json) == simdjson::SUCCESS && json.is_object()) return json;
  throw StopError(ExitCode::failure, remote.url() + " says " + error_in(result));
}

// One of many, behind one another: each a line, or a document of its own.
void append(JsonElement json, const std::string& output) {
  if (output == "json") {
    std::cout << simdjson::minify(json) << '\n';
  } else if (output == "yaml") {
    std::cout << "---\n" << yaml_of(json);
  } else {
    std::cout << status_line(json) << '\n';
  }
}

ExitCode append_for_ever(const Remote& remote, const StatusChoices& choices) {
  while (std::cout.flush()) {  // until nobody reads it any more
    try {
      simdjson::dom::parser parser;
      append(parsed(parser, remote.ask("GET", "/api/v1/status", kPatience), remote), choices.output);
    } catch (const std::runtime_error& error) {
      std::cerr << "walrelay: " << error.what() << '\n';
    }
    std::cout.flush();
    ::poll(nullptr, 0, static_cast<int>(choices.watch->count()));
  }
  return ExitCode::ok;
}

ExitCode draw_for_ever(const Remote& remote, milliseconds interval) {
  Screen screen;
  do {
    std::string view;
    try {
      simdjson::dom::parser parser;
      const HttpResult result = remote.ask("GET", "/api/v1/status", kPatience);
      view = status_view(parsed(parser, result, remote), view_choices());
    } catch (const std::runtime_error& error) {
      view = std::string("No answer: ") + error.what() + "\n";
    }
    screen.draw(view + "\n  q ends this\n");
  } while (screen.wait(interval));
  return ExitCode::ok;
}

}  // namespace

ExitCode command_status(const Remote& remote, const StatusChoices& choices) {
  if (choices.watch) {
    const bool screen = choices.output == "text" && is_capable_terminal(STDOUT_FILENO);
    return screen ? draw_for_ever(remote, *choices.watch) : append_for_ever(remote, choices);
  }
  simdjson::dom::parser parser;
  const HttpResult result = remote.ask("GET", "/api/v1/status");
  const JsonElement json = parsed(parser, result, remote);
  std::cout << (choices.output == "json"   ? result.body
                : choices.output == "yaml" ? yaml_of(json)
                                           : status_view(json, view_choices()));
  return ExitCode::ok;
}

}  // namespace walrelay::sidecar
