// The option tree and what is made of it.
#include "sidecar/option_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "sidecar/completion.h"
#include "sidecar/manual.h"

namespace walrelay::sidecar {
namespace {

using testing::HasSubstr;

std::string file(const std::string& path) {
  std::ifstream in(std::string(SOURCE_DIRECTORY) + "/" + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(OptionTreeTest, DescribesItself) {
  const CommandHelp program = OptionTree().describe();
  std::set<std::string> commands;
  for (const CommandPath& path : all_commands(program)) commands.insert(joined(path.words, " "));
  for (const char* name : {"", "run", "check", "config show", "completion fish", "healthcheck", "log-level", "reload"})
    EXPECT_EQ(commands.count(name), 1U) << name;
  EXPECT_EQ(commands.count("manual"), 0U) << "hidden";
  EXPECT_EQ(commands.count("completion mappings"), 0U) << "hidden";
}

// Whatever is offered has a sentence, and one that may be printed in a list.
TEST(OptionTreeTest, EverythingIsExplained) {
  const CommandHelp program = OptionTree().describe();
  for (const CommandPath& path : all_commands(program)) {
    EXPECT_FALSE(path.command->help.empty()) << joined(path.words, " ");
    for (const OptionHelp& option : path.command->options) {
      const std::string name = joined(path.words, " ") + " " + joined(option.names, ",");
      EXPECT_FALSE(option.help.empty()) << name;
      EXPECT_EQ(option.help.find('\n'), std::string::npos) << name;
      EXPECT_EQ(option.kind == ValueKind::words, !option.words.empty()) << name;
      EXPECT_EQ(option.kind == ValueKind::none, option.value.empty()) << name;
    }
  }
}

TEST(OptionTreeTest, EveryOptionIsInEveryScript) {
  const CommandHelp program = OptionTree().describe();
  const std::string bash = bash_completion(program), zsh = zsh_completion(program), fish = fish_completion(program);
  const std::string page = manual_page(program), markdown = markdown_reference(program);
  for (const CommandPath& path : all_commands(program)) {
    for (const OptionHelp& option : path.command->options) {
      for (const std::string& name : option.names) {
        if (!name.starts_with("--")) continue;
        EXPECT_THAT(bash, HasSubstr("\n" + name));
        EXPECT_THAT(zsh, HasSubstr(name + (option.kind == ValueKind::none ? "[" : "=[")));
        EXPECT_THAT(fish, HasSubstr(" -l " + name.substr(2) + " "));
        EXPECT_THAT(page, HasSubstr("Fl \\" + name.substr(1)));
        if (name == "--help" || name == "--version") continue;
        EXPECT_THAT(markdown, HasSubstr(name));
      }
    }
  }
}

TEST(OptionTreeTest, TheReferenceInTheDocumentationIsThisOne) {
  const std::string reference = markdown_reference(OptionTree().describe());
  EXPECT_THAT(file("docs/cli.md"), HasSubstr("<!-- begin reference -->\n" + reference + "<!-- end reference -->"))
      << "put what `walrelay manual markdown` prints between the marks";
}

TEST(OptionTreeTest, QuotesForShells) {
  EXPECT_EQ(single_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(joined({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(joined({}, ", "), "");
}

}  // namespace
}  // namespace walrelay::sidecar
