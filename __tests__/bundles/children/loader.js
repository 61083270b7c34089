// Opens or loads, says how many entries there are, and stays until it is told to close or is killed.

import { openOrLoad } from '../../../lib/index.js';
import { data, input, phase } from '../../helpers/child-side.js';

const { path, bundle, busyTimeout = 30_000 } = input();
phase('load');
const store = await openOrLoad(path, bundle, { durability: 'normal', busyTimeout });
data(await store.count());
await store.close();
