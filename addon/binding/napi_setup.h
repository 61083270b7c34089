// The one door to Node-API: nothing else includes <napi.h>. The build sets NAPI_VERSION and
// NAPI_DISABLE_CPP_EXCEPTIONS; a C++ exception never crosses a callback of Node's.
#pragma once

#include <napi.h>
