// Exports one bundle over the other until it is killed, or exits while it exports.

import process from 'node:process';
import { setImmediate } from 'node:timers';
import { open } from '../../../lib/index.js';
import { input, phase } from '../../helpers/child-side.js';

const { bundle, scene } = input();
phase('open');
const store = await open({ mode: 'memory' });
const count = scene === 'exits' ? 50_000 : 300;
await store.setMany(Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: { i, text: 'x'.repeat(40) } })));

if (scene === 'exits') {
  store.exportBundle(bundle);
  setImmediate(() => process.exit(6));
} else {
  await store.exportBundle(bundle, { overwrite: true, partRows: 50 });
  phase('again');
  for (;;) await store.exportBundle(bundle, { overwrite: true, partRows: 50 });
}
