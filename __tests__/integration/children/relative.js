// Opens and schedules by relative paths, then goes to another folder.

import process from 'node:process';
import { open } from '../../../lib/index.js';
import { data, input } from '../../helpers/child-side.js';

const { here, there } = input();
process.chdir(here);
const store = await open({ path: 'sub/a.db' });
await store.set('k', 1);
const schedule = store.scheduleBackups({ directory: 'copies' });
process.chdir(there);
data((await store.status()).path);
data((await store.diagnose()).problems);
data((await store.optimize({ vacuum: true })).ok);
data((await schedule.run())?.path ?? String(schedule.lastError));
await store.close();
