#include "sinks/redis_inquiry.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

#include "sinks/redis_reply.h"

namespace walrelay::sinks {
namespace {

constexpr std::size_t kPacket = 32 * 1024;
constexpr std::string_view kNeverExpires = ":-1\r\n", kNoKey = ":-2\r\n";

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

// Of an array of bulk strings, as append_answer() makes it: borrowed.
Pairs pairs_in(std::string_view answer) {
  const auto number = [&answer] {  // of "*12\r\n" or "$3\r\n"
    const std::size_t end = answer.find('\r');
    std::size_t value = 0;
    std::from_chars(answer.data() + 1, answer.data() + end, value);
    answer.remove_prefix(end + 2);
    return value;
  };
  const auto bulk = [&answer, &number] {
    const std::size_t size = number();
    const std::string_view text = answer.substr(0, size);
    answer.remove_prefix(size + 2);
    return text;
  };
  Pairs pairs(number() / 2);
  for (auto& [name, value] : pairs) {
    name = bulk();
    value = bulk();
  }
  return pairs;
}

// Redis gives the fields of a hash that is large, or has a long value, in an order of its own.
bool same_fields(std::string_view answer, const redisReply& reply) {
  if (!answer.starts_with('*') || reply.type != REDIS_REPLY_ARRAY) return false;
  Pairs expected = pairs_in(answer), observed;
  if (reply.elements != 2 * expected.size()) return false;
  for (std::size_t i = 0; i + 1 < reply.elements; i += 2) {
    observed.emplace_back(text_of(*reply.element[i]), text_of(*reply.element[i + 1]));
  }
  std::sort(expected.begin(), expected.end());
  std::sort(observed.begin(), observed.end());
  return expected == observed;
}

bool is_empty(const redisReply& reply) {
  return reply.type == REDIS_REPLY_NIL || (reply.type == REDIS_REPLY_ARRAY && reply.elements == 0);
}

}  // namespace

RedisInquiry::RedisInquiry(RedisConnection& connection, bool by_bytes) : connection_(connection), by_bytes_(by_bytes) {
  connection_.on_lost = [this](const std::exception_ptr& why) {
    lost_ = why;
    if (on_lost) on_lost();
  };
}

void RedisInquiry::rethrow_if_lost() const {
  if (lost_) std::rethrow_exception(lost_);
}

// What was sent is still borrowed by the connection, and its replies would find nobody.
RedisInquiry::~RedisInquiry() {
  connection_.on_lost = nullptr;
  if (!open_.empty() || !sent_.empty()) connection_.close();
}

void RedisInquiry::ask(const Expectation& expected) {
  if (ExpectedEnd(expected).must_be_absent(now_ms())) {
    Expectation gone;
    gone.key = expected.key;
    gone.write = expected.write;
    return ask(gone);
  }
  const std::size_t commands = append_question(expected, packet_);
  in_packet_ += commands;
  Question& question = open_.emplace_back();
  question.alone = commands == 1;
  append_answer(expected, question.answer);
  question.end = ExpectedEnd(expected);
  if (expected.type == Expectation::Type::none) {
    question.pttl = kNoKey;
  } else if (question.end.never() && !question.end.cached) {
    question.pttl = kNeverExpires;
  }
  // A document is seldom the same by its bytes.
  if (!by_bytes_ || expected.type == Expectation::Type::document)
    question.expected = std::make_unique<Expectation>(expected);
  if (packet_.size() >= kPacket) flush();
}

void RedisInquiry::flush() {
  if (in_packet_ == 0) return;
  if (!connection_.is_open() && !lost_) {
    lost_ = std::make_exception_ptr(RedisError("LOST", "not connected to " + connection_.name()));
    if (on_lost) on_lost();
  }
  if (lost_) return;
  sent_.push_back(std::make_unique<std::string>(std::exchange(packet_, {})));
  RedisConnection::Bulk bulk;
  bulk.bytes = *sent_.back();
  bulk.replies = std::exchange(in_packet_, 0);
  bulk.on_written = [this] { sent_.pop_front(); };
  bulk.on_reply = [this](const redisReply& reply) { on_reply(reply); };
  bulk.usual = [this] { return usual(); };
  bulk.on_usual = [this] { on_usual(); };
  connection_.send(std::move(bulk));
}

std::string_view RedisInquiry::usual() const {
  const Question& question = open_.front();
  return question.value_seen ? question.pttl : std::string_view(question.answer);
}

void RedisInquiry::on_usual() {
  Question& question = open_.front();
  if (question.value_seen) {
    question.observed.pttl = question.pttl == kNoKey ? -2 : -1;
    return answered();
  }
  question.value_seen = true;
  if (question.alone) return answered();
  if (question.expected == nullptr) return;
  question.observed.exists = question.expected->type != Expectation::Type::none;
  question.observed.fields = question.expected->fields;
  question.observed.value = question.expected->value;
}

void RedisInquiry::on_reply(const redisReply& reply) {
  Question& question = open_.front();
  if (!std::exchange(question.value_seen, true)) {
    question.absent = !question.alone && is_empty(reply);
    question.same = (question.absent && question.end.may_be_absent(now_ms())) || same_fields(question.answer, reply);
    note_value(question, reply);
    if (question.alone) answered();
    return;
  }
  note_pttl(question, reply);
  answered();
}

void RedisInquiry::note_value(Question& question, const redisReply& reply) const {
  if (question.expected == nullptr) return;
  Observed& observed = question.observed;
  switch (reply.type) {
    case REDIS_REPLY_ERROR:
      observed.exists = observed.wrong_type = true;
      break;
    case REDIS_REPLY_ARRAY:
      for (std::size_t i = 0; i + 1 < reply.elements; i += 2) {
        observed.fields.emplace_back(text_of(*reply.element[i]), text_of(*reply.element[i + 1]));
      }
      observed.exists = reply.elements > 0;
      break;
    case REDIS_REPLY_STRING:
      observed.exists = true;
      observed.value = text_of(reply);
      break;
    default:  // nil; 0 or 1
      observed.exists = reply.type == REDIS_REPLY_INTEGER && reply.integer > 0;
  }
}

void RedisInquiry::note_pttl(Question& question, const redisReply& reply) const {
  Observed& observed = question.observed;
  observed.pttl = reply.type == REDIS_REPLY_INTEGER ? reply.integer : -2;
  observed.now = now_ms();
  const bool fits = question.absent ? observed.pttl == -2 : question.end.fits(observed.pttl, observed.now);
  question.same = question.same && fits;
}

void RedisInquiry::answered() {
  const Question question = std::move(open_.front());
  open_.pop_front();
  Difference difference;
  const bool unsure = question.expected != nullptr && question.pttl.empty() && !question.alone;
  if (!question.same || unsure) {
    difference.kind = Difference::Kind::stale;
    if (question.expected != nullptr) difference = judge(*question.expected, question.observed);
  }
  if (on_answer) on_answer(difference);
}

}  // namespace walrelay::sinks
