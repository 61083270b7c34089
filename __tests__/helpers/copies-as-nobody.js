// A program: tries every copy into a directory that it may only read, as a user for whom modes count.

import { open, restore } from '../../lib/index.js';
import { data, input } from './child-side.js';

const { own, closed } = input();
if (process.getuid() === 0) {
  process.setgid(65534);
  process.setuid(65534);
}
const store = await open({ path: `${own}/store.db` });
await store.set('k', 'v');
await store.backup(`${own}/backup.db`);
const attempts = {
  backup: () => store.backup(`${closed}/new.db`),
  overwrite: () => store.backup(`${closed}/there.db`, { overwrite: true }),
  restore: () => restore(`${own}/backup.db`, `${closed}/new.db`),
  'restore over': () => restore(`${own}/backup.db`, `${closed}/there.db`),
  exportBundle: () => store.exportBundle(`${closed}/new.bundle`),
  'exportBundle to a file': () => store.exportBundle(`${closed}/new.bundle`, { form: 'file' }),
  open: () => open({ path: `${closed}/new.db` }),
};
const codes = {};
for (const [name, attempt] of Object.entries(attempts)) codes[name] = await attempt().then(() => 'done', ({ code }) => code);
data({ codes, value: await store.get('k') });
await store.close();
