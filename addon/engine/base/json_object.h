// A JSON object, written member by member. Nothing of it allocates when it ends: a tree of values as a library builds
// it may need memory to be taken apart, and where there is none the process would end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace hypha {

// Names are literals of ours, and go in as they are.
class JsonObject {
 public:
  // Bytes that are not UTF-8 are replaced.
  JsonObject& Text(std::string_view name, std::string_view text);
  JsonObject& Number(std::string_view name, std::int64_t number) { return Raw(name, std::to_string(number)); }
  // `number` with its last `places` digits behind the point; not negative.
  JsonObject& Decimal(std::string_view name, std::int64_t number, int places) {
    std::int64_t unit = 1;
    for (int i = 0; i < places; ++i) unit *= 10;
    std::string text = std::to_string(number / unit);
    text.push_back('.');
    while (unit > 1) {
      unit /= 10;
      text.push_back(static_cast<char>('0' + number / unit % 10));
    }
    return Raw(name, text);
  }
  JsonObject& Boolean(std::string_view name, bool value) { return Raw(name, value ? "true" : "false"); }
  // `json` is JSON text.
  JsonObject& Raw(std::string_view name, std::string_view json);

  std::string Take() && {
    text_.push_back('}');
    return std::move(text_);
  }

 private:
  void Name(std::string_view name);

  std::string text_ = "{";
};

class JsonArray {
 public:
  // `json` is JSON text.
  void Add(std::string_view json) {
    if (text_.size() > 1) text_.push_back(',');
    text_.append(json);
  }
  std::string Take() && {
    text_.push_back(']');
    return std::move(text_);
  }

 private:
  std::string text_ = "[";
};

// Any bytes as a JSON string; those that are not UTF-8 become U+FFFD.
std::string JsonText(std::string_view bytes);

}  // namespace hypha
