// A program: opens a store in a directory that it may only read, as a user for whom modes count.

import { open } from '../../lib/index.js';
import { data, input } from './child-side.js';

if (process.getuid() === 0) {
  process.setgid(65534);
  process.setuid(65534);
}
data(await open(input()).then(() => 'opened', ({ code, message }) => [code, message]));
