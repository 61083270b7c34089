int placeholder();
int placeholder() { return 0; }
