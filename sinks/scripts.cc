#include "sinks/scripts.h"

#include "sinks/digest.h"
#include "sinks/resp.h"

namespace walrelay::sinks {
namespace {

std::vector<const Script*>& registered() {
  static std::vector<const Script*> all;
  return all;
}

}  // namespace

Script::Script(std::string body)
    : body_(std::move(body)), sha_(sha1(body_)), begin_(resp::bulk("EVALSHA")), sha_bulk_(resp::bulk(sha_)) {
  registered().push_back(this);
}

void Script::begin(Batch& batch) const {
  static const std::string kOne = resp::bulk("1");
  batch.rendered(begin_);
  batch.rendered(sha_bulk_);
  batch.rendered(kOne);
}

void Script::append_call(std::string& out, std::string_view key, const std::vector<std::string_view>& arguments) const {
  resp::append_header(out, 4 + arguments.size());
  for (const std::string_view fixed :
       {std::string_view("EVALSHA"), std::string_view(sha_), std::string_view("1"), key}) {
    resp::append_bulk(out, fixed);
  }
  for (const std::string_view argument : arguments) resp::append_bulk(out, argument);
}

const std::vector<const Script*>& all_scripts() { return registered(); }

}  // namespace walrelay::sinks
