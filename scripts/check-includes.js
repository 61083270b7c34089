// The include arrows of the C++ code run one way: binding -> include <- engine, and inside the engine from a higher
// folder to the same or a lower one. Only the binding knows Node, and only through napi_setup.h.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './support/files.js';
import { isMain, main, root, StepError } from './support/run.js';

// Highest first. A file directly in addon/engine stands above all of them.
const LEVELS = ['exec', 'ops', 'store', 'query', 'schema', 'sqlite', 'base'];

const NODE_HEADER = /^(napi(-inl.*)?|node|node_.*|js_native_api.*|uv|v8.*)\.h$|^(node|uv|libplatform|cppgc)\//;
const ONLY_DOOR_TO_NODE = 'addon/binding/napi_setup.h';

/** @returns {{ line: number, path: string }[]} */
export function includesOf(text) {
  const found = [];
  text.split('\n').forEach((source, index) => {
    const match = /^\s*#\s*include\s*["<]([^">]+)[">]/.exec(source);
    if (match) found.push({ line: index + 1, path: match[1] });
  });
  return found;
}

function engineComplaint(file, included) {
  const parts = file.split('/').slice(2);
  const target = included.split('/');
  if (target.length === 1 || target[0] === 'hypha' || target[0] === 'nlohmann') return null;
  const to = LEVELS.indexOf(target[0]);
  if (to < 0) return target[0] === 'binding' ? 'the engine does not know the binding' : null;
  if (parts.length === 1) return null;
  const from = LEVELS.indexOf(parts[0]);
  if (from < 0) return `folder ${parts[0]} has no place in LEVELS of scripts/check-includes.js`;
  return from <= to ? null : `${parts[0]} stands below ${target[0]} (${LEVELS.join(' > ')})`;
}

function complaint(file, included) {
  const isNode = NODE_HEADER.test(included);
  const isSqlite = /^sqlite3.*\.h$/.test(included);
  const isEngine = LEVELS.includes(included.split('/')[0]);
  const isJson = included.startsWith('nlohmann/');
  if (included.startsWith('..')) return 'name the header from its root folder, without ".."';
  if (file.startsWith('addon/binding/')) {
    if (isSqlite || isEngine || isJson) return 'the binding knows the engine through addon/include only';
    return isNode && file !== ONLY_DOOR_TO_NODE ? `Node headers come through ${ONLY_DOOR_TO_NODE}` : null;
  }
  if (isNode) return 'no Node header outside addon/binding';
  if (isJson && file.startsWith('addon/engine/')) return 'the engine writes JSON with base/json_object.h, whose end needs no memory';
  if (file.startsWith('addon/include/')) {
    return isSqlite || isEngine || isJson ? 'a public header shows nothing of the engine' : null;
  }
  return file.startsWith('addon/engine/') ? engineComplaint(file, included) : null;
}

/** @returns {string[]} one line for each include that runs the wrong way */
export function findBadIncludes() {
  const bad = [];
  for (const file of filesBelow('addon', ['.cc', '.h'])) {
    for (const { line, path } of includesOf(readFileSync(join(root, file), 'utf8'))) {
      const why = complaint(file, path);
      if (why) bad.push(`${file}:${line}: includes ${path}: ${why}`);
    }
  }
  return bad;
}

if (isMain(import.meta.url)) {
  await main(() => {
    const bad = findBadIncludes();
    if (bad.length > 0) throw new StepError(`\n${bad.join('\n')}`);
  });
}
