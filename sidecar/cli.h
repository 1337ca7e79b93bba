// The command line: what walrelay is told to do. Exit codes: policy.h.
#pragma once

namespace walrelay::sidecar {

int run_command_line(int argc, char** argv);

}  // namespace walrelay::sidecar
