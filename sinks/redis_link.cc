#include "sinks/redis_link.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

namespace walrelay::sinks {
namespace {

constexpr std::size_t kWriteBudget = 1024 * 1024;  // per turn: reading must not wait for longer
constexpr std::size_t kReadSize = 16 * 1024;       // what redisBufferRead() asks for
constexpr long long kMaxElements = 64 * 1024 * 1024;
constexpr int kKeepAliveSeconds = 15;

std::string system_reason(int code) {
  std::string reason = std::strerror(code);
  if (!reason.empty()) reason[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(reason[0])));
  return reason;
}

// A context that could not be made at all keeps its cause in errstr, often as strerror's text.
std::string context_reason(const redisContext* context) {
  if (context == nullptr) return "out of memory";
  return context->err == REDIS_ERR_IO && errno != 0 ? system_reason(errno) : context->errstr;
}

}  // namespace

RedisLink::RedisLink(event::Loop& loop, const RedisOptions& options, const std::string& address,
                     std::function<void(int)> on_ready)
    : options_(options) {
  redisOptions how{};
  how.options = REDIS_OPT_NONBLOCK | REDIS_OPT_NO_PUSH_AUTOFREE;
  if (address.empty()) {
    REDIS_OPTIONS_SET_UNIX(&how, options.unix_path.c_str());
  } else {
    REDIS_OPTIONS_SET_TCP(&how, address.c_str(), options.port);
    if (address.find(':') != std::string::npos) how.options |= REDIS_OPT_PREFER_IPV6;
  }
  errno = 0;
  context_.reset(redisConnectWithOptions(&how));
  if (context_ == nullptr || context_->err != 0) throw RedisError("CONNECT", context_reason(context_.get()));
  context_->reader->fn = reply_functions();
  context_->reader->maxelements = kMaxElements;
  poll_ = std::make_unique<event::Poll>(loop, context_->fd, std::move(on_ready));
  poll_->watch(event::Poll::writable);
}

void RedisLink::finish_connect() {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) throw RedisError("CONNECT", system_reason(error));
  if (options_.unix_path.empty()) tune_socket();
}

// A peer that vanished without a word is noticed by the kernel as soon as by the reply timeout.
void RedisLink::tune_socket() {
  redisEnableKeepAliveWithInterval(context_.get(), kKeepAliveSeconds);
  redisSetTcpUserTimeout(context_.get(), static_cast<unsigned int>(options_.reply_timeout.count()));
}

void RedisLink::start_tls() {
  SslPtr ssl = make_ssl(options_);
  if (redisInitiateSSL(context_.get(), ssl.get()) != REDIS_OK) throw RedisError("TLS", tls_failure(ssl.get()));
  ssl_ = ssl.release();
}

bool RedisLink::handshake() {
  ERR_clear_error();
  const int outcome = SSL_do_handshake(ssl_);
  if (outcome == 1) return true;
  switch (SSL_get_error(ssl_, outcome)) {
    case SSL_ERROR_WANT_READ:
      poll_->watch(event::Poll::readable);
      return false;
    case SSL_ERROR_WANT_WRITE:
      poll_->watch(event::Poll::writable);
      return false;
    default:
      throw RedisError("TLS", tls_failure(ssl_));
  }
}

bool RedisLink::write(RedisOutbox& outbox) {
  std::size_t budget = kWriteBudget;
  bool wants_read = false;
  if (ssl_ != nullptr) ERR_clear_error();
  while (outbox.size() > 0) {
    outbox.feed(context_.get());
    const std::size_t before = sdslen(context_->obuf);
    errno = 0;
    if (redisBufferWrite(context_.get(), nullptr) != REDIS_OK) return false;
    const std::size_t taken = before - sdslen(context_->obuf);
    outbox.took(taken);
    if (taken < before) {
      // TLS may have to read before it can write: watching for writable would then spin.
      wants_read = taken == 0 && ssl_ != nullptr && SSL_want_read(ssl_) != 0;
      if (taken == 0) break;
    }
    if (budget <= taken) break;
    budget -= taken;
  }
  const bool wants_write = outbox.size() > 0 && !wants_read;
  poll_->watch(event::Poll::readable | (wants_write ? event::Poll::writable : event::Poll::none));
  return true;
}

RedisLink::Read RedisLink::read() {
  const redisReader* reader = context_->reader;
  const std::size_t unread = reader->len - reader->pos;
  if (ssl_ != nullptr) ERR_clear_error();
  errno = 0;
  if (redisBufferRead(context_.get()) != REDIS_OK) return Read::broken;
  const std::size_t got = reader->len - reader->pos - unread;
  if (ssl_ != nullptr) return got > 0 ? Read::more : Read::some;  // OpenSSL may have more records decoded
  return got == kReadSize ? Read::more : Read::some;
}

RedisLink::Match RedisLink::take(std::string_view reply) {
  redisReader* reader = context_->reader;
  // Where hiredis has begun to parse the next reply it must go on; before its first byte it has not.
  const bool between = reader->ridx < 0 || (reader->ridx == 0 && reader->task[0]->type < 0);
  if (reader->err != 0 || !between) return Match::no;
  const std::string_view read = std::string_view(reader->buf, reader->len).substr(reader->pos);
  // Of a long reply, which comes in thousands of pieces, only the new one is compared.
  const std::size_t known = std::exchange(matched_, 0);
  const std::size_t both = std::min(read.size(), reply.size());
  if (known > both || reply.substr(known, both - known) != read.substr(known, both - known)) return Match::no;
  if (read.size() < reply.size()) {
    matched_ = both;
    drop_taken();
    return Match::so_far;
  }
  reader->pos += reply.size();
  return Match::yes;
}

// hiredis does so itself, but only when it parses.
void RedisLink::drop_taken() {
  redisReader* reader = context_->reader;
  if (reader->pos == 0) return;
  if (sdsrange(reader->buf, static_cast<ssize_t>(reader->pos), -1) != 0) return;
  reader->pos = 0;
  reader->len = sdslen(reader->buf);
}

ReplyPtr RedisLink::next_reply() {
  void* reply = nullptr;
  if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) {
    throw RedisError("LOST", std::string("its bytes are no Redis protocol: ") + context_->errstr);
  }
  return ReplyPtr(static_cast<redisReply*>(reply));
}

std::string RedisLink::failure() const {
  if (ssl_ != nullptr && ERR_peek_last_error() != 0) return tls_failure(ssl_);  // hiredis takes an alert for an end
  if (context_->err == REDIS_ERR_EOF) return "the server closed it";
  return context_reason(context_.get());
}

}  // namespace walrelay::sinks
