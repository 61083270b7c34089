import { open } from '../../../lib/index.js';
import { data, input, phase } from '../../helpers/child-side.js';

const { path, key } = input();
phase('open');
const store = await open({ path });
phase('write');
await store.set(key, 1);
data(await store.status());
phase('close');
await store.close();
