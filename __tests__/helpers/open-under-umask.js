// A program: opens a store under a umask and tells the modes of what it made.

import { readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { open } from '../../lib/index.js';
import { data, input } from './child-side.js';

const { path, umask } = input();
process.umask(umask);
const store = await open({ path });
await store.set('k', 1);
const folder = dirname(path);
const mode = (name) => (statSync(name).mode & 0o777).toString(8);
data({
  files: Object.fromEntries(readdirSync(folder).map((name) => [name, mode(`${folder}/${name}`)])),
  folders: [mode(folder), mode(dirname(folder))],
});
await store.close();
