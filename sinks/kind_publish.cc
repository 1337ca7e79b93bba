// publish: a change is a message in a channel, PUBLISH channel message.
//
// It leaves inside the transaction that the change is a part of, after the changes before it. A subscriber that is told
// reads the new rows. At least once: what comes again after a crash is published again, and who does not listen at that
// moment is never told.
#include "sinks/event_write.h"
#include "sinks/json_row.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

Kind publish_kind();

namespace {

using replication::Change;
using replication::Row;

class PublishWrite : public EventWrite {
 public:
  explicit PublishWrite(const BindContext& context) : EventWrite(context), channel_(context, "channel") {
    check_told_columns(context, told(), "the channel uses", context.reads(channel_.text()));
    check_told_columns(context, told(), "the condition reads", with_condition(context, {}, when()));
  }

 protected:
  bool make(const Change&, Row before, Row now) final {
    const auto side = now.empty() ? Expressions::Side::before : Expressions::Side::now;
    const Row row = now.empty() ? before : now;
    if (!wanted(row)) return false;
    channel_text_.clear();
    channel_.render(row, channel_text_);
    message_text_.clear();
    append_message(row, side, message_text_);
    return true;
  }

  void say(Batch& batch) final {
    static const std::string kPublish = resp::bulk("PUBLISH");
    batch.open(number(), channel_text_, Effect::ordered);
    batch.command(3);
    batch.rendered(kPublish);
    batch.argument(channel_text_);
    batch.argument(message_text_);
    batch.close();
  }

  virtual void append_message(Row row, Expressions::Side side, std::string& out) = 0;

 private:
  const EventText channel_;
  std::string channel_text_, message_text_;
};

class TextMessage final : public PublishWrite {
 public:
  explicit TextMessage(const BindContext& context) : PublishWrite(context), message_(context.bind("message")) {
    check_told_columns(context, told(), "the message uses", context.reads(message_));
  }

 protected:
  void append_message(Row row, Expressions::Side, std::string& out) override { message_.render_known(row, out); }

 private:
  const BoundTemplate message_;
};

class JsonMessage final : public PublishWrite {
 public:
  explicit JsonMessage(const BindContext& context) : PublishWrite(context), json_(context) {}

 protected:
  void append_message(Row row, Expressions::Side side, std::string& out) override {
    json_.append_known(row, side, out);
  }

 private:
  JsonRow json_;
};

std::string mistake(const WriteSpec& write) {
  if (!write.parameters.contains("message") || !write.parameters.contains("columns")) return "";
  return "\"message\" (a template) and \"columns\" (the row as JSON) exclude each other; keep one";
}

std::unique_ptr<Write> bind(const BindContext& context) {
  if (context.find("message") != nullptr) return std::make_unique<TextMessage>(context);
  return std::make_unique<JsonMessage>(context);
}

}  // namespace

Kind publish_kind() {
  using Shape = ParameterShape;
  return {{"publish",
           "Each change is a message in a channel: at least once, to those who listen.",
           {{"channel", Shape::template_, true, {}, "The channel, as in \"orders:{customer_id}\"."},
            {"message", Shape::template_, false, {}, "The message as a template; NULL in it is the empty text."},
            {"columns",
             Shape::columns,
             false,
             {},
             "Without message: the row as JSON, of these columns; all by default. Of a deleted row, those known."},
            {"when", Shape::expression, false, {}, "Only changes of rows for which it is true are told."},
            told_changes_parameter(false)}},
          false,
          mistake,
          bind};
}

}  // namespace walrelay::sinks
