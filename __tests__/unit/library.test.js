import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES, SQLITE_VERSION } from '../../lib/index.js';
import { findBadIncludes } from '../../scripts/check-includes.js';
import { makeFolder, removeFolder } from '../helpers/folders.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ADDON = process.env.HYPHADB_ADDON ?? join(ROOT, 'build/release/hypha.node');

/** Runs a program in a folder where `hyphadb` resolves to this package. */
function run(folder, source, env = {}) {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(ROOT, join(folder, 'node_modules/hyphadb'));
  return execFileSync(process.execPath, ['--input-type=module', '-e', source], { cwd: folder, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', ...env } });
}

describe('the package', () => {
  let folder;
  beforeEach(() => {
    folder = makeFolder();
  });
  afterEach(() => removeFolder(folder));

  test('the 60-second example of the README runs as it is written', () => {
    const [, section] = readFileSync(join(ROOT, 'README.md'), 'utf8').split(/^#+ .*60 seconds.*$/m);
    const [, example] = /```js\n([\s\S]*?)```/.exec(section);
    expect(run(folder, example)).toBe("{ name: 'Ada', age: 36 }\n[ 'user:2 is Grace' ]\n[ 's1' ] 2\n");
  });

  test('a second copy of the addon in one process is refused with both paths: HYPHA_DUPLICATE_LIBRARY', () => {
    const copy = join(folder, 'copy.node');
    copyFileSync(ADDON, copy);
    const source = `
      import { createRequire } from 'node:module';
      import 'hyphadb';
      const second = createRequire(import.meta.url)(${JSON.stringify(copy)});
      console.log(JSON.stringify(second.refusal));`;
    const refusal = JSON.parse(run(folder, source));
    expect(refusal.code).toBe('HYPHA_DUPLICATE_LIBRARY');
    expect(refusal.message).toContain(copy);
    expect(refusal.message).toContain('hypha.node');
  });

  test('a missing addon is told with the platform and every place that was tried', () => {
    const absent = join(folder, 'absent.node');
    const source = `
      const error = await import('hyphadb').catch((failure) => failure);
      console.log(error.code, error.message);`;
    const output = run(folder, source, { HYPHADB_ADDON: absent });
    expect(output).toMatch(/^HYPHA_CANT_OPEN no native addon for linux-x64/);
    expect(output).toContain(absent);
    expect(output).toContain(process.versions.node);
  });

  test('is one instance for import and require', () => {
    const source = `
      import { createRequire } from 'node:module';
      import { open } from 'hyphadb';
      console.log(createRequire(import.meta.url)('hyphadb').open === open);`;
    expect(run(folder, source).trim()).toBe('true');
  });

  test('names the SQLite inside, at least 3.51.3, and a frozen table of codes', () => {
    const [major, minor, patch] = SQLITE_VERSION.split('.').map(Number);
    expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(3_051_003);
    expect(Object.isFrozen(ERROR_CODES)).toBe(true);
  });

  test('its C++ engine and public headers include nothing of Node, and no include runs against the layers', () => {
    expect(findBadIncludes()).toEqual([]);
  });
});
