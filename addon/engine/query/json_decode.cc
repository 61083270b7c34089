// String literals and the merging of objects: the part of json_scan.h that makes text.
#include <map>
#include <vector>

#include "query/json_scan.h"

namespace hypha::json {
namespace {

void AppendWtf8(unsigned code_point, std::string* out) {
  const auto push = [&](unsigned byte) { out->push_back(static_cast<char>(byte)); };
  const auto push_tail = [&](unsigned shift) { push(0x80 | ((code_point >> shift) & 0x3f)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xc0 | (code_point >> 6));
    push_tail(0);
  } else if (code_point < 0x10000) {
    push(0xe0 | (code_point >> 12));
    push_tail(6);
    push_tail(0);
  } else {
    push(0xf0 | (code_point >> 18));
    push_tail(12);
    push_tail(6);
    push_tail(0);
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The code unit of the escape \uXXXX that `text` starts with; nothing if it starts otherwise.
std::optional<unsigned> UnicodeEscape(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (std::size_t i = 2; i < 6; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return std::nullopt;
    unit = unit << 4 | static_cast<unsigned>(digit);
  }
  return unit;
}

char SimpleEscape(char letter) {
  switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return letter;
  }
}

// Decodes the escape `text` starts with and returns its length.
std::size_t AppendEscape(std::string_view text, std::string* out) {
  const std::optional<unsigned> unit = UnicodeEscape(text);
  if (!unit) {
    if (text.size() < 2) return text.size();
    out->push_back(SimpleEscape(text[1]));
    return 2;
  }
  if (*unit >= 0xd800 && *unit < 0xdc00) {
    const std::optional<unsigned> low = UnicodeEscape(text.substr(6));
    if (low && *low >= 0xdc00 && *low < 0xe000) {
      AppendWtf8(0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00), out);
      return 12;
    }
  }
  AppendWtf8(*unit, out);
  return 6;
}

std::string_view Unquote(std::string_view literal) {
  literal = Trim(literal);
  if (!literal.empty() && literal.front() == '"') literal.remove_prefix(1);
  if (!literal.empty() && literal.back() == '"') literal.remove_suffix(1);
  return literal;
}

class MemberList {
 public:
  void AddAll(std::string_view object) {
    ObjectMembers members(object);
    while (const std::optional<Member> member = members.Next()) {
      const auto entry = places_.try_emplace(DecodeString(member->name), members_.size());
      if (entry.second) {
        members_.push_back(*member);
      } else {
        members_[entry.first->second].value = member->value;
      }
    }
  }

  std::string ToJson() const {
    std::string json = "{";
    for (const Member& member : members_) {
      if (json.size() > 1) json.push_back(',');
      json.append(member.name).push_back(':');
      json.append(member.value);
    }
    json.push_back('}');
    return json;
  }

 private:
  std::vector<Member> members_;
  std::map<std::string, std::size_t> places_;  // ordered: no choice of names makes it slow
};

}  // namespace

std::string_view DecodeString(std::string_view literal, std::string* scratch) {
  std::string_view raw = Unquote(literal);
  std::size_t escape = raw.find('\\');
  if (escape == std::string_view::npos) return raw;
  scratch->clear();
  while (escape != std::string_view::npos) {
    scratch->append(raw.substr(0, escape));
    raw.remove_prefix(escape);
    raw.remove_prefix(AppendEscape(raw, scratch));
    escape = raw.find('\\');
  }
  scratch->append(raw);
  return *scratch;
}

std::string DecodeString(std::string_view literal) {
  std::string scratch;
  return std::string(DecodeString(literal, &scratch));
}

std::string MergeObjects(std::string_view base, std::string_view patch) {
  MemberList members;
  members.AddAll(base);
  members.AddAll(patch);
  return members.ToJson();
}

}  // namespace hypha::json
