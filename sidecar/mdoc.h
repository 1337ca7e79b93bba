// Text in the language of manual pages, mdoc(7).
#pragma once

#include <string>

namespace walrelay::sidecar::mdoc {

// Text, with the end of its last line. It may be anything but empty.
std::string text_line(const std::string& text);
// The same in Markdown: what stands in backticks is quoted.
std::string markdown_line(const std::string& text);
// One word of a macro, whatever it holds.
std::string quoted(const std::string& text);

}  // namespace walrelay::sidecar::mdoc
