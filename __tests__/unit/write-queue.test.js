import { setImmediate as turn } from 'node:timers/promises';
import { KIND } from '../../lib/op-list.js';
import { WriteQueue } from '../../lib/write-queue.js';

/** The addon, which answers each request in the next turn. */
const answerLater = async () => {
  await turn();
  return 1;
};
const addon = { write: answerLater, writeSets: answerLater };

/** Time for one answer a turn. */
class BusyTurn {
  #hasTime = true;

  hasTime() {
    return this.#hasTime;
  }

  touch() {
    this.#hasTime = false;
  }

  async next() {
    await turn();
    this.#hasTime = true;
  }
}

describe('the queue of writes', () => {
  it('answered() waits for the answers that were there, not for those that come meanwhile', async () => {
    const queue = new WriteQueue(addon, new BusyTurn());
    let writes = 0;
    const write = (key) => queue.add({ kind: KIND.set, ns: 'default', key, value: '1' }, writes++ % 2);
    const first = Promise.all([write('a'), write('b'), write('c')]); // three requests: the durability differs
    let known = false;
    first.then(() => (known = true));
    let waited;
    for (let turns = 0; turns < 300; turns++) {
      write('d').catch(() => {});
      write('e').catch(() => {});
      if (turns === 2) queue.answered().then(() => (waited = { writes, known }));
      await turn();
    }
    expect(waited?.known).toBe(true);
    expect(waited.writes).toBeLessThan(100);
  });

  it.each([[64, [64]], [65, [64, 1]], [319, [64, 255]], [320, [64, 256]], [321, [64, 256, 1]], [500, [64, 256, 180]]])('%i writes at once are requests of %j', async (count, sizes) => {
    const sent = [];
    const writeSets = async (target, kind, ns, number) => {
      sent.push(number);
      await turn();
      return [Array.from({ length: number }, () => 1)];
    };
    const queue = new WriteQueue({ writeSets }, new BusyTurn());
    await Promise.all(Array.from({ length: count }, (_, i) => queue.add({ kind: KIND.set, ns: 'default', key: `k${i}`, value: '1' }, 0)));
    expect(sent).toEqual(sizes);
  });
});
