// A control: writes and queries that cost nothing and take a while. What delays its event loop is the machine.

import { setTimeout as sleep } from 'node:timers/promises';

const WRITE_MS = 5;
const QUERY_MS = 50;

export async function open() {
  return {
    set: () => sleep(WRITE_MS),
    query: () => sleep(QUERY_MS),
    setMany: async () => true,
    close: async () => {},
    read: { setMany: (done) => done },
  };
}
