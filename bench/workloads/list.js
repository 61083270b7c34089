// All keys that begin alike: user:1, user:10 ... user:19999, 11,111 of 20,000.

const PREFIX = 'user:1';

export default {
  name: 'list',
  title: 'list by prefix',
  per: 'list of 11,111 keys',
  needs: 'list',
  size: { full: 10, quick: 3 },
  floor: 5,

  prepare({ peer, entries, size }) {
    const expected = entries.filter(({ key }) => key.startsWith(PREFIX)).length;
    async function run() {
      let last;
      for (let done = 0; done < size; done++) last = await peer.list(PREFIX);
      return last;
    }
    return { run, check: (last) => peer.read.list(last) === expected };
  },
};
