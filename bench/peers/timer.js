// A control: writes that cost nothing and take 5 ms. What delays its event loop is the machine.

import { setTimeout as sleep } from 'node:timers/promises';

const WRITE_MS = 5;

export async function open() {
  return {
    set: () => sleep(WRITE_MS),
    setMany: async () => true,
    close: async () => {},
    read: { setMany: (done) => done },
  };
}
