// The reference of the command line, made from the option tree: a manual page, and the tables of docs/cli.md. And that
// of the configuration, made from the table of its keys.
#pragma once

#include <string>
#include <vector>

#include "config/load.h"
#include "sidecar/option_tree.h"

namespace walrelay::sidecar {

// walrelay(1) in mdoc.
std::string manual_page(const CommandHelp& program);
// walrelay.yaml(5) in mdoc.
std::string configuration_page(const std::vector<config::KindRule>& kinds);
// Every command with its options, and what the exit codes mean, for docs/cli.md.
std::string markdown_reference(const CommandHelp& program);

}  // namespace walrelay::sidecar
