// What the thread sanitizer need not report.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// SQLite rebuilds the wal-index and starts a log over with plain stores, under the locks of recovery and of all
// readers' slots, while a connection that is about to find out looks at the read marks without one; what it read is
// checked again under a lock.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:walIndexRecover\nrace:walRestartHdr\n"; }
#endif
#endif
