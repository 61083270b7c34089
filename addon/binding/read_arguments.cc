#include "read_arguments.h"

#include <string>

namespace hypha::binding {
namespace {

// 'list', namespace, pattern, prefix, after, limit, offset
bool ReadList(const Napi::CallbackInfo& info, Reader& reader, ListSpec* spec) {
  return reader.Text(info[2], &spec->ns) && reader.OptionalText(info[3], &spec->pattern) &&
         reader.OptionalText(info[4], &spec->prefix) && reader.OptionalText(info[5], &spec->after) &&
         reader.OptionalInteger(info[6], &spec->limit) && reader.Integer(info[7], &spec->offset);
}

// 'query', namespace, filter, sort, limit, offset, kernel shape, explain,
// page, after, select
bool ReadQuery(const Napi::CallbackInfo& info, Reader& reader, QuerySpec* spec) {
  bool kernel_shape = false;
  if (!reader.Boolean(info[7], &kernel_shape) || !reader.Boolean(info[8], &spec->explain)) return false;
  spec->shape = kernel_shape ? QueryShape::kKernel : QueryShape::kEntries;
  return reader.Text(info[2], &spec->ns) && reader.Filter(info[3], &spec->filter) &&
         reader.Sort(info[4], &spec->sort) && reader.OptionalInteger(info[5], &spec->limit) &&
         reader.Integer(info[6], &spec->offset) && reader.Boolean(info[9], &spec->page) &&
         reader.OptionalText(info[10], &spec->after) && reader.Wtf8List(info[11], &spec->select);
}

template <class Spec>
Spec& As(ReadRequest* out) {
  return out->emplace<Spec>();
}

}  // namespace

bool CallTargetOf(const Napi::CallbackInfo& info, Reader& reader, CallTarget* out) {
  if (!info[0].IsArray()) return reader.Integer(info[0], &out->transaction);
  const Napi::Object array = info[0].As<Napi::Object>();
  return reader.Integer(array.Get(0U), &out->transaction) && reader.Integer(array.Get(1U), &out->timeout_ms) &&
         reader.Integer(array.Get(2U), &out->token);
}

bool ReadArguments(const Napi::CallbackInfo& info, Reader& reader, ReadRequest* out) {
  std::string kind;
  if (!reader.Text(info[1], &kind)) return false;
  if (kind == "entry") {
    auto& spec = As<GetEntrySpec>(out);
    return reader.Text(info[2], &spec.ns) && reader.Text(info[3], &spec.key);
  }
  if (kind == "many") {
    auto& spec = As<GetManySpec>(out);
    return reader.Text(info[2], &spec.ns) && reader.Texts(info[3], &spec.keys);
  }
  if (kind == "count") {
    auto& spec = As<CountSpec>(out);
    return reader.Text(info[2], &spec.ns) && reader.Filter(info[3], &spec.filter);
  }
  if (kind == "list") return ReadList(info, reader, &As<ListSpec>(out));
  if (kind == "query") return ReadQuery(info, reader, &As<QuerySpec>(out));
  if (kind == "indexes") return reader.Text(info[2], &As<IndexesSpec>(out).ns);
  if (kind == "namespace") return reader.Text(info[2], &As<NamespaceSpec>(out).name);
  if (kind == "meta") return reader.Text(info[2], &As<MetaSpec>(out).name);
  if (kind == "namespaces") {
    As<NamespacesSpec>(out);
  } else if (kind == "status") {
    As<StatusSpec>(out);
  } else if (kind == "diagnose") {
    As<DiagnoseSpec>(out);
  } else if (kind == "storage") {
    return reader.Boolean(info[2], &As<StorageSpec>(out).counts);
  } else if (kind == "integrity") {
    return reader.Boolean(info[2], &As<IntegritySpec>(out).full);
  } else {
    Napi::TypeError::New(info.Env(), "hyphadb: unknown kind of read").ThrowAsJavaScriptException();
    return false;
  }
  return true;
}

}  // namespace hypha::binding
