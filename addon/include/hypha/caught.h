// Where exceptions of the C++ library become a Status. Every thread of the engine and every way into it passes here.
#pragma once

#include <new>
#include <system_error>

#include "hypha/status.h"

namespace hypha {

// What `work` returns (a Status or a Result), or why it could not end.
template <class Work>
auto Caught(Work&& work) noexcept -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Status(Code::kNoMem);
  } catch (const std::system_error&) {
    return Status(Code::kNoMem, "a thread could not be started");
  } catch (...) {
    return Status(Code::kInternal);
  }
}

}  // namespace hypha
