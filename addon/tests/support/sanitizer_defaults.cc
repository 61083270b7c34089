// What the thread sanitizer need not report.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// SQLite rebuilds the wal-index with plain stores under its recovery lock, while a connection that is about to find
// out looks at the read marks without one; what it read is checked again under a lock.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:walIndexRecover\n"; }
#endif
#endif
