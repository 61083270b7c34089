import { open } from '../../lib/index.js';
import { useFolder } from '../helpers/folders.js';
import { entryCases } from './store-cases/entries.js';
import { indexCases, readingCases } from './store-cases/indexes.js';
import { copyCases, lifecycleCases, namespaceCases, transactionCases } from './store-cases/namespaces.js';

const groups = { entries: entryCases, namespaces: namespaceCases, transactions: transactionCases, indexes: indexCases, reading: readingCases, copying: copyCases, lifecycle: lifecycleCases };
const folder = useFolder();
const modes = {
  'Store over a file': () => ({ path: folder.next() }),
  'Store in memory': () => ({ mode: 'memory' }),
};

for (const [name, options] of Object.entries(modes)) {
  describe(name, () => {
    for (const [group, cases] of Object.entries(groups)) {
      describe(group, () => {
        for (const title of Object.keys(cases)) {
          test(title, async () => {
            const given = options();
            const store = await open(given);
            try {
              await cases[title](store, given);
            } finally {
              await store.close();
            }
          });
        }
      });
    }
  });
}
