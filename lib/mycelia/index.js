// hyphadb/mycelia: the Mycelia kernel's storage contract over HyphaDB.

export { MyceliaStorageBackend } from './backend.js';
export { useHyphaStorage } from './hook.js';
