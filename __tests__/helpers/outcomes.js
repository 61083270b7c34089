// What tests say about results of the contract, which never rejects, and about promises of Store, which does.

import assert from 'node:assert/strict';

/**
 * @param {Promise<any>} promise of a contract method
 * @returns {Promise<any>} its result, which is a success without an error
 */
export async function ok(promise) {
  const result = await promise;
  assert.equal(result.success, true, result.error?.message);
  assert.ok(!('error' in result) && !('errors' in result), 'a success has no error');
  return result;
}

/**
 * @param {Promise<any>} promise of a contract method
 * @param {string} code
 * @param {string | RegExp} [message]
 * @returns {Promise<any>} the result
 */
export async function fails(promise, code, message) {
  const result = await promise;
  assert.equal(result.success, false, `expected ${code}`);
  checkError(result.error, code, message);
  return result;
}

/** @param {any} error @param {string} code @param {string | RegExp} [message] */
export function checkError(error, code, message) {
  assert.ok(error instanceof Error, 'an Error');
  assert.equal(/** @type {any} */ (error).code, code, error.message);
  if (typeof message === 'string') assert.equal(error.message, message);
  else if (message !== undefined) assert.match(error.message, message);
}

/**
 * @param {Promise<any> | (() => Promise<any>)} work
 * @param {string} code
 * @param {string | RegExp} [message]
 * @returns {Promise<any>} the StorageError that it rejected with
 */
export async function rejects(work, code, message) {
  let value;
  try {
    value = await (typeof work === 'function' ? work() : work);
  } catch (error) {
    checkError(error, code, message);
    assert.equal(error.name, 'StorageError');
    return error;
  }
  assert.fail(`resolved to ${typeof value} instead of ${code}`);
}

/**
 * @param {() => Promise<boolean>} condition
 * @param {string} what
 */
export async function until(condition, what) {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `never came: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** @param {Map<any, any>} map */
export const pairs = (map) => {
  assert.ok(map instanceof Map, 'a Map');
  return [...map];
};

const deep = (depth) => {
  let value = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};

const circle = {};
circle.self = circle;

/** Values that no store holds. */
export const INVALID_VALUES = [
  ['undefined', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a BigInt', 1n],
  ['a nested BigInt', { a: [1n] }],
  ['a circular object', circle],
  ['an object whose toJSON throws', { toJSON() { throw new Error('refused'); } }],
  ['an object whose toJSON gives undefined', { toJSON() {} }],
];

/** Keys that no store holds, but the strings among them. */
export const INVALID_KEYS = [undefined, null, 5, NaN, true, 5n, Symbol('k'), {}, [], ['a'], () => 'k', new Date(0), Buffer.from('k')];
export const INVALID_KEY_STRINGS = ['', ' ', '\t\n', '\u00a0\u2003', '\ud800', 'a\udc00b', '\udc00\ud800'];

export { deep };
