// 500 operations in flight on one peer in a fresh process, 60 % get and 40 % set, for some seconds: each of 500 clients
// issues its next one when the last was answered. Reports the latencies, the throughput, the delay of the event loop,
// and whether the numbers agree: by Little's law what is in flight is throughput times mean latency.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { chunks, makeDocuments, seededRandom } from './data.js';
import { loadPeer } from './peers/index.js';

const DOCUMENTS = 20_000;
const IN_FLIGHT = 500;
const GETS = 0.6;
const WARM_UP_MS = 1000;
const MARGIN_MS = 5; // the monitor's timer must see the last delay
const NANOSECONDS_A_MS = 1e6;
/** Latencies are counted in steps of 10 µs up to 20 s. */
const STEPS_A_MS = 100;
const MAX_STEPS = 20_000 * STEPS_A_MS;

class Latencies {
  #counts = new Uint32Array(MAX_STEPS + 1);
  count = 0;
  sum = 0;

  add(milliseconds) {
    this.#counts[Math.min(MAX_STEPS, Math.round(milliseconds * STEPS_A_MS))]++;
    this.count++;
    this.sum += milliseconds;
  }

  percentile(percent) {
    let left = (this.count * percent) / 100;
    let step = 0;
    while (step < MAX_STEPS && (left -= this.#counts[step]) > 0) step++;
    return step / STEPS_A_MS;
  }
}

async function measure({ peer: name, directory, seconds }) {
  const peer = await (await loadPeer(name)).open(directory);
  const entries = makeDocuments(DOCUMENTS);
  for (const batch of chunks(entries, 1000)) await peer.setMany(batch);
  const random = seededRandom();
  const latencies = new Latencies();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let failures = 0;
  // By the clock, not by timers: a peer that answers at once never lets one fire.
  const from = performance.now() + WARM_UP_MS;
  const until = from + seconds * 1000;
  let isMeasuring = false;

  function measured(startedAt, now) {
    if (startedAt >= from && startedAt < until) latencies.add(now - startedAt);
    if (isMeasuring || now < from) return;
    isMeasuring = true;
    delay.reset();
  }

  // In one function: each further promise would be a wait that nobody measures.
  async function client() {
    for (let now = performance.now(); now < until; ) {
      const startedAt = now;
      const { key, value } = entries[Math.floor(random() * DOCUMENTS)];
      const isGet = random() < GETS;
      const answer = isGet ? await peer.get(key) : await peer.set(key, value);
      now = performance.now();
      measured(startedAt, now);
      if (!(isGet ? peer.read.get(answer) : peer.read.set(answer))) failures++;
    }
  }

  delay.enable();
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  await sleep(MARGIN_MS);
  delay.disable();
  await peer.close();
  if (failures > 0) throw new Error(`${name}: ${failures} operations failed`);
  return {
    p50: latencies.percentile(50),
    p95: latencies.percentile(95),
    p99: latencies.percentile(99),
    perSecond: latencies.count / seconds,
    loopP99: delay.percentile(99) / NANOSECONDS_A_MS,
    inFlight: latencies.sum / (seconds * 1000),
  };
}

try {
  process.send(await measure(JSON.parse(process.argv[2])));
} catch (error) {
  process.send({ error: inspect(error) });
}
process.disconnect();
