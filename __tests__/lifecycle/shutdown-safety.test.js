import { existsSync } from 'node:fs';
import { open, ShutdownSafety } from '../../lib/index.js';
import { runChild, tempFolder } from '../helpers/child-run.js';

const program = new URL('./children/shutdown.js', import.meta.url);
const now = () => performance.now();

describe('ShutdownSafety, in a process of its own', () => {
  let folder;
  let paths;
  beforeEach(() => {
    folder = tempFolder();
    paths = [folder.file('a.db'), folder.file('b.db')];
  });
  afterEach(() => folder.remove());

  /** Runs the scene and sends the signals once it is ready; `later` sends the second one after the first was seen. */
  async function signalled(scene, signals, options = {}) {
    let sentAt = 0;
    const child = await runChild(program, { paths, scene, options }, {
      cwd: folder.path,
      onPhase: (phase, process) => {
        if (phase !== 'ready') return;
        sentAt = now();
        signals.forEach((signal, i) => setTimeout(() => process.kill(signal), i * 200));
      },
    });
    return { ...child, took: now() - sentAt };
  }

  async function contents() {
    const all = [];
    for (const path of paths) {
      expect([`${path}-wal`, `${path}-shm`].filter(existsSync)).toEqual([]);
      const store = await open({ path });
      all.push(await store.list());
      await store.close();
    }
    return all;
  }
  const BOTH = ['buffered', 'queued'];

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('by %s closes all stores, buffers included, and the process ends by that signal', async (signal) => {
    const child = await signalled('plain', [signal]);
    expect(child).toMatchObject({ code: null, signal, stderr: '' });
    expect(child.acks.sort()).toEqual(['buffered', 'buffered', 'queued', 'queued']);
    expect(await contents()).toEqual([BOTH, BOTH]);
  });

  it.each(['SIGQUIT', 'SIGUSR2'])('by %s does so when it is among the signals', async (signal) => {
    expect(await signalled('plain', [signal], { signals: [signal] })).toMatchObject({ code: null, signal });
    expect(await contents()).toEqual([BOTH, BOTH]);
  });

  it('leaves a signal that is not among its own alone', async () => {
    const child = await signalled('plain', ['SIGTERM'], { signals: ['SIGINT'] });
    expect(child).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(child.acks).not.toContain('buffered');
  });

  it('closes, and leaves the end and its exit code to another listener', async () => {
    const child = await signalled('other listener', ['SIGTERM']);
    expect(child).toMatchObject({ code: 23, signal: null, stderr: '' });
    expect(child.phases.filter((phase) => phase === 'other')).toHaveLength(1);
    expect(await contents()).toEqual([BOTH, BOTH]);
  });

  it('keeps the exit code of a listener that exits at once, and the writes that were queued', async () => {
    const child = await signalled('other listener that exits at once', ['SIGTERM']);
    expect(child).toMatchObject({ code: 24, signal: null, stderr: '' });
    for (const keys of await contents()) expect(keys).toContain('queued');
  });

  it('counts a listener that runs only once, and lets the process end by itself', async () => {
    expect(await signalled('other listener, once', ['SIGTERM'])).toMatchObject({ code: 25, signal: null, stderr: '' });
    expect(await contents()).toEqual([BOTH, BOTH]);
  });

  it('is not held up by a transaction that nobody ends', async () => {
    const child = await signalled('stuck transaction', ['SIGTERM'], { timeout: 15_000 });
    expect(child).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(child.took).toBeLessThan(10_000);
    const [first, second] = await contents();
    expect(second).toEqual(BOTH);
    expect(first).toEqual(['behind it', ...BOTH].filter((key) => child.acks.includes(key)));
    expect(first).toContain('buffered');
  });

  it('ends the process after its timeout when a store does not close', async () => {
    const child = await signalled('a close that takes too long', ['SIGTERM'], { timeout: 700 });
    expect(child).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(child.took).toBeGreaterThan(600);
    expect(child.took).toBeLessThan(8000);
  });

  it('ends the process at once by a second signal', async () => {
    const child = await signalled('a close that takes too long', ['SIGTERM', 'SIGINT'], { timeout: 60_000 });
    expect(child).toMatchObject({ code: null, signal: 'SIGINT' });
  });

  it('begins anew with the next signal where the program went on, for the stores that are open by then', async () => {
    const signals = ['SIGHUP', 'SIGHUP', 'SIGTERM'];
    const child = await runChild(program, { paths, scene: 'goes on after SIGHUP', options: {} }, {
      cwd: folder.path,
      onPhase: (phase, process) => phase.startsWith('ready') && process.kill(signals.shift()),
    });
    expect(child).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
    expect(child.phases.filter((phase) => phase === 'ready again')).toHaveLength(2);
    const all = ['again 1', 'again 2', ...BOTH];
    expect(await contents()).toEqual([all, all]);
  });

  it('does nothing any more once uninstalled', async () => {
    const child = await signalled('uninstalled', ['SIGTERM']);
    expect(child).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(child.acks).not.toContain('buffered');
  });

  it('installed twice acts once', async () => {
    expect(await signalled('installed twice', ['SIGTERM'])).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
    expect(await contents()).toEqual([BOTH, BOTH]);
  });
});

describe('ShutdownSafety.install()', () => {
  afterEach(() => ShutdownSafety.install({ signals: ['SIGUSR2'] }).uninstall());
  const refusal = (options) => {
    try {
      ShutdownSafety.install(options).uninstall();
    } catch (error) {
      return error.code;
    }
    return undefined;
  };

  test.each([
    [{ signals: [] }], [{ signals: 'SIGTERM' }], [{ signals: ['SIGKILL'] }], [{ signals: ['SIGSTOP'] }], [{ signals: ['toString'] }],
    [{ timeout: 0 }], [{ timeout: 600_001 }], [{ timeout: 1.5 }], [5],
  ])('refuses %j', (options) => expect(refusal(options)).toBe('HYPHA_INVALID_ARGUMENT'));

  test('takes every timeout within its bounds', () => {
    for (const timeout of [1, 2, 599_999, 600_000]) expect(refusal({ timeout, signals: ['SIGUSR2'] })).toBeUndefined();
  });

  test('names the option that was meant', () => expect(refusal({ signal: [] })).toBe('HYPHA_UNKNOWN_OPTION'));

  test('refuses other options while it is installed', () => {
    const first = ShutdownSafety.install({ signals: ['SIGUSR2'] });
    expect(() => ShutdownSafety.install({ signals: ['SIGUSR2'], timeout: 9 })).toThrow(expect.objectContaining({ code: 'HYPHA_OPTIONS_CONFLICT' }));
    expect(ShutdownSafety.install({ signals: ['SIGUSR2', 'SIGUSR2'] })).toBe(first);
    first.uninstall();
    first.uninstall();
  });
});
