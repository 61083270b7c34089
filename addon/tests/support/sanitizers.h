// Whether the program was built with a sanitizer that has its own allocator and shadow memory: GCC and Clang tell it in
// different ways.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HYPHA_UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HYPHA_UNDER_SANITIZER 1
#endif
#endif
