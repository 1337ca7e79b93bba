#include "sidecar/http_response.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace walrelay::sidecar {

namespace {

constexpr std::size_t kMostHead = 64 * 1024;
constexpr std::size_t kMostBody = 16 * 1024 * 1024;

std::runtime_error no_http() { return std::runtime_error("does not speak HTTP"); }

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// The whole text is a number, or this is no HTTP.
std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) throw no_http();
  return value;
}

// "HTTP/1.1 200 OK"
unsigned status_of(std::string_view line) {
  constexpr std::size_t kCode = 9, kDigits = 3;
  const bool fits = line.starts_with("HTTP/1.") && line.size() >= kCode + kDigits && line[kCode - 1] == ' ';
  if (!fits) throw no_http();
  return static_cast<unsigned>(number(line.substr(kCode, kDigits), 10));
}

}  // namespace

void HttpResponseReader::feed(std::string_view bytes) {
  buffer_.erase(0, std::exchange(used_, 0));
  buffer_.append(bytes);
  while (step()) {
  }
}

void HttpResponseReader::end() {
  if (at_ == At::body_until_end) at_ = At::over;
  if (at_ != At::over) throw std::runtime_error("closed the connection before its answer was complete");
}

bool HttpResponseReader::step() {
  std::string_view line;
  switch (at_) {
    case At::head:
      return read_head();
    case At::sized_body:
    case At::body_until_end:
    case At::chunk:
      read_body();
      return used_ < buffer_.size();
    case At::chunk_size:
      return read_chunk_size();
    case At::chunk_end:
      if (!take_line(line)) return false;
      if (!line.empty()) throw no_http();
      at_ = At::chunk_size;
      return true;
    case At::trailer:
      if (!take_line(line)) return false;
      if (line.empty()) at_ = At::over;
      return true;
    case At::over:
      return false;
  }
  return false;
}

// Without its line end. What is no HTTP must not be collected for ever in the hope of one.
bool HttpResponseReader::take_line(std::string_view& line) {
  const std::size_t end = buffer_.find('\n', used_);
  if (end == std::string::npos) {
    if (buffer_.size() - used_ > kMostHead) throw no_http();
    return false;
  }
  line = std::string_view(buffer_).substr(used_, end - used_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  used_ = end + 1;
  return true;
}

bool HttpResponseReader::read_head() {
  std::string_view line;
  if (!take_line(line)) return false;
  if (result_.status == 0) {
    result_.status = status_of(line);
    return true;
  }
  if (!line.empty()) return read_header(line), true;
  const unsigned status = result_.status;
  if (status < 200) {  // "100 Continue": the answer itself follows
    result_.status = 0;
    sized_ = chunked_ = false;
  } else if (!has_body_ || status == 204 || status == 304) {
    at_ = At::over;
  } else if (chunked_) {
    at_ = At::chunk_size;
  } else if (sized_) {
    at_ = missing_ == 0 ? At::over : At::sized_body;
  } else {
    at_ = At::body_until_end;
  }
  return true;
}

void HttpResponseReader::read_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) throw no_http();
  const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  if (same_word(name, "Transfer-Encoding")) chunked_ = same_word(value, "chunked");
  if (!same_word(name, "Content-Length")) return;
  missing_ = number(value, 10);
  sized_ = true;
}

bool HttpResponseReader::read_chunk_size() {
  std::string_view line;
  if (!take_line(line)) return false;
  missing_ = number(trimmed(line.substr(0, line.find(';'))), 16);
  at_ = missing_ == 0 ? At::trailer : At::chunk;
  return true;
}

void HttpResponseReader::read_body() {
  const std::size_t there = buffer_.size() - used_;
  const std::size_t size = at_ == At::body_until_end ? there : std::min(there, missing_);
  if (result_.body.size() + size > kMostBody) throw std::runtime_error("answers with more than 16 MiB");
  result_.body.append(buffer_, used_, size);
  used_ += size;
  if (at_ == At::body_until_end) return;
  missing_ -= size;
  if (missing_ == 0) at_ = at_ == At::chunk ? At::chunk_end : At::over;
}

}  // namespace walrelay::sidecar
