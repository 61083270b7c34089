// JavaScript values to engine structs and back. Nothing here runs user code: JavaScript has already flattened and
// checked its arguments. A value of the wrong type is a defect of lib/ and throws a TypeError. In an environment that
// is being terminated every call that could run JavaScript fails: a Reader then answers false, the rest an empty value.
// (Methods of an empty Napi::Value end the process, so that results are never chained.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypha/types.h"
#include "napi_setup.h"

namespace hypha::binding {

// Reads arguments one after the other; after the first wrong one it throws and answers false ever after.
class Reader {
 public:
  explicit Reader(Napi::Env env) : env_(env) {}

  bool ok() const { return ok_; }
  bool Text(napi_value value, std::string* out);       // a well-formed string, as UTF-8
  bool Namespace(napi_value value, std::string* out);  // a string, or any number for 'default'
  bool Wtf8(napi_value value, std::string* out);       // any string
  bool Number(napi_value value, double* out);
  bool Integer(napi_value value, std::int64_t* out);
  bool Boolean(napi_value value, bool* out);
  napi_value Property(napi_value object, const char* name);
  bool OptionalText(napi_value value, std::optional<std::string>* out);
  bool OptionalInteger(napi_value value, std::optional<std::int64_t>* out);
  bool Wtf8List(napi_value array, std::vector<std::string>* out);
  bool Texts(napi_value array, std::vector<std::string>* out);
  bool Ops(napi_value flat, std::vector<WriteOp>* out);  // kOpStride elements each, see convert.cc
  // `count` sets of one namespace; more than one key or value come joined by NUL characters.
  bool Sets(unsigned kind_and_flags, std::uint32_t count, napi_value keys, napi_value values,
            std::vector<WriteOp>* out);
  bool Filter(napi_value node, FilterNode* out);
  bool Sort(napi_value array, std::vector<SortKey>* out);

 private:
  bool Fail(const char* expected);
  napi_value At(napi_value array, std::uint32_t index);
  std::uint32_t Length(napi_value array);
  bool IsMissing(napi_value value);
  bool Op(napi_value flat, std::uint32_t at, const WriteOp* previous, WriteOp* op);
  bool TermOf(napi_value node, Term* out);
  bool OperandOf(napi_value value, Operand* out);

  Napi::Env env_;
  bool ok_ = true;
};

// A JavaScript string of valid UTF-8; the common case, plain ASCII, is a copy without decoding.
napi_value ToJs(napi_env env, std::string_view utf8);

// {code, message, sqliteCode, attempts}: lib/errors.js makes the StorageError.
Napi::Value ErrorRecord(Napi::Env env, const Status& status);

// [Float64Array of versions or counts, undefined | [index, record, index, record, ...]]
Napi::Value OutcomesToJs(Napi::Env env, const std::vector<WriteOutcome>& outcomes);
// The number that one outcome answers with: a version, or how many rows went.
double NumberOf(const WriteOutcome& outcome);

Napi::Value EntryToJs(Napi::Env env, const Entry& entry);
// Replies are taken apart. Long lists of chunks end with a number: TakeChunk() gives the rest, one a call, so that no
// turn of the event loop makes all of their strings.
Napi::Value ManyToJs(Napi::Env env, ManyReply reply);
Napi::Value ReplyToJs(Napi::Env env, ReadReply reply);

}  // namespace hypha::binding
