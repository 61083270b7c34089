// require() and import() of the package give the same classes.
const { open, Store, StorageError } = require('hyphadb');
const { MyceliaStorageBackend, useHyphaStorage } = require('hyphadb/mycelia');

const say = (value) => process.stdout.write(`@data ${JSON.stringify(value)}\n`);

(async () => {
  const imported = await import('hyphadb');
  const mycelia = await import('hyphadb/mycelia');
  const store = await open({ mode: 'memory' });
  await store.set('key', { n: 1 });
  const failure = await imported.open({ path: '' }).catch((error) => error);
  say({
    sameStore: imported.Store === Store && store instanceof imported.Store,
    sameError: imported.StorageError === StorageError && failure instanceof StorageError,
    sameBackend: mycelia.MyceliaStorageBackend === MyceliaStorageBackend && mycelia.useHyphaStorage === useHyphaStorage,
    value: await store.get('key'),
  });
  await store.close();
})();
