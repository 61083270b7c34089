// A program: makes copies of every kind under each umask, and tells of those that others than their owner may touch.

import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exportBundle, open, restore } from '../../lib/index.js';
import { data, input } from './child-side.js';

const { folder, umasks } = input();
const store = await open({ mode: 'memory' });
await store.set('k', 'v');

let seen = 0;
const wrong = [];
function look(directory, umask) {
  for (const name of readdirSync(directory, { recursive: true })) {
    const info = statSync(join(directory, name));
    const mode = (info.mode & 0o777).toString(8);
    seen++;
    // A database is made by SQLite, which leaves it what the umask leaves.
    const file = name.includes('store.db') ? (0o600 & ~umask).toString(8) : '600';
    if (mode !== (info.isDirectory() ? '700' : file)) wrong.push(`umask ${umask.toString(8)}: ${name.replace(/\d{3,}/g, 'N')} is ${mode}`);
  }
}

for (const umask of umasks) {
  const directory = join(folder, String(umask));
  mkdirSync(directory);
  process.umask(umask);
  const onProgress = () => look(directory, umask); // at the temporaries
  await store.backup(join(directory, 'backup.db'), { onProgress });
  await store.backup(join(directory, 'backup.db'), { onProgress, overwrite: true });
  await restore(join(directory, 'backup.db'), join(directory, 'restored.db'), { onProgress });
  await exportBundle(store, join(directory, 'bundle'));
  await exportBundle(store, join(directory, 'bundle.file'), { form: 'file' });
  const opened = await open({ path: join(directory, 'new', 'inner', 'store.db') });
  await opened.set('k', 'v');
  look(directory, umask);
  await opened.close();
  process.umask(0o022);
  rmSync(directory, { recursive: true });
}
data({ seen, wrong: [...new Set(wrong)] });
await store.close();
