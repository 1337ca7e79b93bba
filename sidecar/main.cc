#include "sidecar/cli.h"

int main(int argc, char** argv) { return walrelay::sidecar::run_command_line(argc, argv); }
