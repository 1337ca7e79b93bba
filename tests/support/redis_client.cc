#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/support/redis_server.h"

namespace walrelay::support {

std::string RedisReply::print() const {
  if (null) return "(nil)";
  if (type != '*') return text;
  std::string lines;
  for (const auto& element : elements) lines += (lines.empty() ? "" : "\n") + element.print();
  return lines;
}

RedisReply RedisClient::call(const std::vector<std::string>& words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  try {
    if (socket_ < 0) connect();
    send(request);
    RedisReply answer = reply();
    received_.erase(0, consumed_);
    consumed_ = 0;
    return answer;
  } catch (const std::exception&) {
    disconnect();  // half an answer may be on its way
    throw;
  }
}

std::string RedisClient::command_words(const std::vector<std::string>& words) {
  const RedisReply answer = call(words);
  if (answer.type == '-') throw RedisError(answer.text);
  return answer.print();
}

std::map<std::string, std::string> RedisClient::hgetall(const std::string& key) {
  const RedisReply answer = call({"HGETALL", key});
  if (answer.type == '-') throw RedisError(answer.text + " (HGETALL " + key + ")");
  std::map<std::string, std::string> fields;
  for (std::size_t i = 0; i + 1 < answer.elements.size(); i += 2) {
    fields[answer.elements[i].text] = answer.elements[i + 1].text;
  }
  return fields;
}

std::vector<std::string> RedisClient::keys(const std::string& pattern) {
  std::vector<std::string> found;
  std::string cursor = "0";
  do {
    const RedisReply answer = call({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
    if (answer.type == '-') throw RedisError(answer.text);
    cursor = answer.elements.at(0).text;
    for (const auto& key : answer.elements.at(1).elements) found.push_back(key.text);
  } while (cursor != "0");
  // SCAN may give a key twice.
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::map<std::string, std::map<std::string, std::string>> RedisClient::hashes(const std::string& pattern) {
  std::map<std::string, std::map<std::string, std::string>> all;
  for (const auto& key : keys(pattern)) {
    if (call({"TYPE", key}).text == "hash") all[key] = hgetall(key);
  }
  return all;
}

void RedisClient::connect() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path_.size() >= sizeof(address.sun_path)) throw std::runtime_error("path too long: " + socket_path_);
  std::copy(socket_path_.begin(), socket_path_.end(), address.sun_path);
  socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 || ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("cannot connect to " + socket_path_ + ": " + std::strerror(errno));
  }
}

void RedisClient::disconnect() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  received_.clear();
  consumed_ = 0;
}

void RedisClient::send(const std::string& request) {
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t wrote = ::send(socket_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) throw std::runtime_error("Redis is away: " + std::string(std::strerror(errno)));
    sent += static_cast<std::size_t>(wrote);
  }
}

void RedisClient::read_more() {
  pollfd wanted{socket_, POLLIN, 0};
  if (::poll(&wanted, 1, 10'000) == 0) throw std::runtime_error("Redis has not answered for ten seconds");
  char buffer[65536];
  const ssize_t count = ::recv(socket_, buffer, sizeof(buffer), 0);
  if (count < 0 && errno == EINTR) return;
  if (count <= 0) throw std::runtime_error("Redis has closed the connection");
  received_.append(buffer, static_cast<std::size_t>(count));
}

std::string RedisClient::line() {
  std::size_t end = received_.find("\r\n", consumed_);
  while (end == std::string::npos) {
    read_more();
    end = received_.find("\r\n", consumed_);
  }
  const std::string text = received_.substr(consumed_, end - consumed_);
  consumed_ = end + 2;
  return text;
}

std::string RedisClient::bytes(std::size_t count) {
  while (received_.size() - consumed_ < count + 2) read_more();
  const std::string text = received_.substr(consumed_, count);
  consumed_ += count + 2;
  return text;
}

RedisReply RedisClient::reply() {
  const std::string head = line();
  RedisReply answer;
  answer.type = head.at(0);
  answer.text = head.substr(1);
  if (answer.type != '$' && answer.type != '*') return answer;
  const int count = std::stoi(answer.text);
  answer.null = count < 0;
  answer.text.clear();
  if (answer.null) return answer;
  if (answer.type == '$') answer.text = bytes(static_cast<std::size_t>(count));
  if (answer.type == '*') {
    for (int i = 0; i < count; ++i) answer.elements.push_back(reply());
  }
  return answer;
}

}  // namespace walrelay::support
