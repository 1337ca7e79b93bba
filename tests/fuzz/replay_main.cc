// Runs a fuzz target over every file of the folders that are named: the corpus as an ordinary test.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/fuzz/fuzz.h"

int main(int argc, char** argv) {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string input((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      std::cerr << entry.path().filename().string() << std::endl;  // the last line names the file that crashed
      // Copied to its own size, so that AddressSanitizer sees a read beyond the end.
      const std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[input.size()]);
      std::copy(input.begin(), input.end(), bytes.get());
      LLVMFuzzerTestOneInput(bytes.get(), input.size());
      ++files;
    }
  }
  std::cerr << files << " inputs" << std::endl;
  return files > 0 ? 0 : 1;
}
