#include "sidecar/cli.h"

#include <csignal>
#include <exception>
#include <iostream>

#include "config/mistake.h"
#include "sidecar/option_tree.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

int run_command_line(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  OptionTree tree;
  if (const auto over = tree.parse(argc, argv)) return *over;
  try {
    return tree.run();
  } catch (const config::ConfigError& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(ExitCode::configuration);
  } catch (const std::exception& error) {
    std::cerr << "walrelay: " << error.what() << '\n';
    return static_cast<int>(judge(error).code);
  }
}

}  // namespace walrelay::sidecar
