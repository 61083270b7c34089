// The contract: query filters. Each line of the contract's table of what a naive SQL translation gets wrong is a case.

import assert from 'node:assert/strict';
import { deep, fails, ok } from '../../helpers/outcomes.js';

export const keysOf = async (b, filter, options) => (await ok(b.query(filter, options))).results.map(({ key }) => key);
const term = (field, operator, value) => ({ field, operator, value });

/** @param {any} b @param {Record<string, any>} documents by key */
export const store = (b, documents, options) => ok(b.setMany(Object.entries(documents).map(([key, value]) => ({ key, value })), options));

/**
 * Stores each value as property v, as the whole value and as metadata m, and checks which of them a comparison finds.
 * @param {any} b
 * @param {any[]} values
 * @param {[operator: string, operand: any, expected: any[]][]} lines
 */
async function compare(b, values, lines) {
  const entries = values.map((value, i) => ({ key: `k${String(i).padStart(2, '0')}`, value, i }));
  await ok(b.setMany(entries.map(({ key, value }) => ({ key, value: { v: value }, options: { metadata: { m: value } } })), { namespace: 'property' }));
  await ok(b.setMany(entries.map(({ key, value }) => ({ key, value })), { namespace: 'whole' }));
  for (const [operator, operand, expected] of lines) {
    const keys = entries.filter(({ value }) => expected.includes(value)).map(({ key }) => key);
    const what = `${operator} ${String(operand)}`;
    assert.deepEqual(await keysOf(b, term('v', operator, operand), { namespace: 'property' }), keys, what);
    assert.deepEqual(await keysOf(b, term('m', operator, operand), { namespace: 'property' }), keys, `metadata ${what}`);
    for (const field of ['value', '$value']) assert.deepEqual(await keysOf(b, term(field, operator, operand), { namespace: 'whole' }), keys, `${field} ${what}`);
    assert.equal((await ok(b.count({ filter: term('v', operator, operand), namespace: 'property' }))).count, keys.length, what);
  }
}

const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'contains', 'startsWith', 'endsWith', 'in', 'nin'];

const naive = {
  'true is not 1': (b) => compare(b, [true, 1, '1', false, 0], [
    ['eq', 1, [1]], ['eq', true, [true]], ['ne', 1, [true, '1', false, 0]], ['in', [1], [1]], ['in', [true], [true]], ['nin', [0, 1], [true, '1', false]],
    ['eq', 0, [0]], ['eq', false, [false]], ['eq', '1', ['1']],
  ]),
  'null is not equal to 5, and a missing field matches nothing': async (b) => {
    await compare(b, [null, 5], [['ne', 5, [null]], ['nin', [5], [null]], ['ne', null, [5]], ['nin', [null], [5]]]);
    await store(b, { empty: {}, array: [], scalar: 1 }, { namespace: 'missing' });
    for (const operator of OPERATORS) {
      for (const operand of [5, null, undefined, 'undefined', [5], [], [undefined]]) {
        if (Array.isArray(operand) && !['in', 'nin'].includes(operator)) continue;
        assert.deepEqual(await keysOf(b, term('v', operator, operand), { namespace: 'missing' }), [], operator);
      }
    }
  },
  'a stored null is equal to null': (b) => compare(b, [null, 0, '', 'null', false], [
    ['eq', null, [null]], ['in', [null], [null]], ['eq', undefined, []], ['ne', undefined, [null, 0, '', 'null', false]], ['in', [undefined], []],
  ]),
  'null and booleans compare as numbers': (b) => compare(b, [null, true, false], [
    ['gt', -1, [null, true, false]], ['gte', 0, [null, true, false]], ['gt', 0, [true]], ['lte', 0, [null, false]], ['lt', 1, [null, false]],
    ['gte', null, [null, true, false]], ['gt', null, [true]], ['lt', true, [null, false]], ['gte', false, [null, true, false]], ['gt', undefined, []], ['lte', undefined, []],
    ['gte', '0', [null, true, false]], ['gt', 'x', []],
  ]),
  'strings compare with numbers as JavaScript converts them': (b) => compare(b, ['10', 'abc', '', ' 0x10 ', '1e2', '-Infinity', '0b11', '1_0', '\u00a012\ufeff', '-0x1', '.5', '5.', '+7'], [
    ['gt', 9, ['10', ' 0x10 ', '1e2', '\u00a012\ufeff']], ['lt', 1, ['', '-Infinity', '.5']], ['gte', 16, [' 0x10 ', '1e2']], ['lte', 0, ['', '-Infinity']],
    ['gte', 3, ['10', ' 0x10 ', '1e2', '0b11', '\u00a012\ufeff', '5.', '+7']], ['lt', -1e308, ['-Infinity']], ['gt', true, ['10', ' 0x10 ', '1e2', '0b11', '\u00a012\ufeff', '5.', '+7']],
    ['gte', null, ['10', '', ' 0x10 ', '1e2', '0b11', '\u00a012\ufeff', '.5', '5.', '+7']],
  ]),
  'numbers compare with strings as JavaScript converts them': (b) => compare(b, [5, 10, 9], [
    ['lt', 'abc', []], ['gt', 'abc', []], ['gte', '9', [10, 9]], ['lt', '10', [5, 9]], ['gt', '', [5, 10, 9]], ['eq', '5', []],
  ]),
  'two strings compare as text': (b) => compare(b, ['10', '9', 'a', 'A', 'abc', ''], [
    ['gt', '9', ['a', 'A', 'abc']], ['lt', '9', ['10', '']], ['gte', 'a', ['a', 'abc']], ['lt', 'a', ['10', '9', 'A', '']], ['lte', '', ['']],
  ]),
  'arrays and objects compare through their text': (b) => {
    const [three, none, object, two, nested, pair] = [[3], [], {}, ['2'], [[7]], [1, 2]];
    return compare(b, [three, none, object, two, nested, pair], [
      ['gt', 2, [three, nested]], ['lt', 1, [none]], ['gt', 0, [three, two, nested]], ['gte', 0, [three, none, two, nested]], ['gt', '2', [three, object, nested]],
      ['lte', '1,2', [none, pair]], ['lt', '[p', [three, none, object, two, nested, pair].filter((x) => String(x) < '[p')], ['eq', '3', []], ['eq', null, []],
      ['ne', null, [three, none, object, two, nested, pair]], ['in', ['3', null, 3], []], ['nin', [3], [three, none, object, two, nested, pair]],
    ]);
  },
  'nothing is above, below or equal to NaN': (b) => compare(b, [5, null, 'NaN', '', true], [
    ['gt', NaN, []], ['gte', NaN, []], ['lt', NaN, []], ['lte', NaN, []], ['eq', NaN, []], ['ne', NaN, [5, null, 'NaN', '', true]], ['in', [NaN], []],
    ['nin', [NaN], [5, null, 'NaN', '', true]], ['contains', NaN, ['NaN']], ['startsWith', NaN, ['NaN']],
  ]),
  'infinities are above and below every number': (b) => compare(b, [1e308, -1e308, 'Infinity'], [
    ['lt', Infinity, [1e308, -1e308]], ['gt', -Infinity, [1e308, -1e308, 'Infinity']], ['gte', Infinity, ['Infinity']], ['eq', Infinity, []], ['contains', Infinity, ['Infinity']],
  ]),
  'text operators compare what String() gives': (b) => {
    const [list, object, empty, nested] = [[1, null, 'x'], {}, [], [[1, [2]], { a: 1 }]];
    const values = [1e21, 1e-7, -0.5, 123456789012345680000, null, true, list, object, empty, nested, 'a%b_c'];
    return compare(b, values, [
      ['contains', 'e+21', [1e21]], ['startsWith', '1e+21', [1e21]], ['endsWith', 'e-7', [1e-7]], ['startsWith', '-0.5', [-0.5]], ['endsWith', '5680000', [123456789012345680000]],
      ['contains', 'ull', [null]], ['endsWith', 'rue', [true]], ['contains', ',,', [list]], ['startsWith', '1,,x', [list]], ['endsWith', '1,2,[object Object]', [nested]],
      ['contains', '[object Object]', [object, nested]], ['startsWith', '[object', [object]], ['contains', '', values], ['startsWith', '', values], ['endsWith', '', values],
      ['contains', '%', ['a%b_c']], ['contains', '_', ['a%b_c']], ['startsWith', 'a%', ['a%b_c']], ['endsWith', '_c', ['a%b_c']], ['startsWith', 'A', []], ['contains', 1e21, [1e21]],
      ['contains', null, [null]], ['contains', undefined, []], ['contains', true, [true]], ['startsWith', 1, [1e21, 1e-7, 123456789012345680000, list, nested]],
    ]);
  },
  'strings are ordered by UTF-16 code units': (b) => compare(b, ['\uffee', '😀', '\ue000', '\ud7ff', 'z'], [
    ['gt', '😀', ['\uffee', '\ue000']], ['lt', '\uffee', ['😀', '\ue000', '\ud7ff', 'z']], ['gte', '\ud83d', ['\uffee', '😀', '\ue000']], ['lte', '\ud83d\ude00', ['😀', '\ud7ff', 'z']],
  ]),
  'lone surrogates are code units like any other': (b) => compare(b, ['😀', '\ud83d', '\ude00x', 'a'], [
    ['contains', '\ud83d', ['😀', '\ud83d']], ['endsWith', '\ude00', ['😀']], ['startsWith', '\ude00', ['\ude00x']], ['eq', '\ud83d', ['\ud83d']], ['in', ['\ud83d', 'a'], ['\ud83d', 'a']],
  ]),
  'a field is a literal name, whatever characters it has': async (b) => {
    const names = ['a.b', 'a[0]', '', 'a"b', 'a\\b', '0', '$', '$.a', '$[0]', '#', '*', "a'b", 'a b', 'a\0b', 'é', '😀', '\ud800', '"', '\\"', 'a]b', '[', '%', '__proto__', 'toString', 'length', 'field'];
    const document = (name) => Object.defineProperty({}, name, { value: name, enumerable: true });
    for (const [i, name] of names.entries()) await ok(b.set(`k${String(i).padStart(2, '0')}`, document(name)));
    await ok(b.set('nested', { a: { b: 'nested', 0: 'nested' } }));
    for (const [i, name] of names.entries()) {
      assert.deepEqual(await keysOf(b, term(name, 'eq', name)), [`k${String(i).padStart(2, '0')}`], name);
      assert.deepEqual(await keysOf(b, term(name, 'ne', name)), [], name);
    }
  },
  'arrays have their indices and their length as fields, strings have none': async (b) => {
    await store(b, { list: ['x', 'y'], text: 'xy', object: { 0: 'x', length: 2 } });
    assert.deepEqual(await keysOf(b, term('0', 'eq', 'x')), ['list', 'object']);
    assert.deepEqual(await keysOf(b, term('1', 'eq', 'y')), ['list']);
    assert.deepEqual(await keysOf(b, term('length', 'eq', 2)), ['list', 'object']);
    for (const name of ['00', '01', '-1', '2', '1.0', '+1', ' 1']) assert.deepEqual(await keysOf(b, term(name, 'ne', null)), [], name);
  },
  'numbers keep the value that JavaScript gave them': async (b) => {
    const numbers = [2 ** 60, 2 ** 53 - 1, 2 ** 53 + 2, 1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 0.1 + 0.2, 1e21, 123456789.12345679, 2 ** 53 + 8, -1e-320, 4.35, 1e23];
    for (const [i, number] of numbers.entries()) await ok(b.set(`k${String(i).padStart(2, '0')}`, { v: number }));
    for (const [i, number] of numbers.entries()) {
      const key = `k${String(i).padStart(2, '0')}`;
      assert.deepEqual(await keysOf(b, term('v', 'eq', number)), [key], String(number));
      assert.ok((await keysOf(b, term('v', 'contains', String(number)))).includes(key), String(number));
      assert.ok(!(await keysOf(b, term('v', 'ne', number))).includes(key), String(number));
    }
    assert.deepEqual(await keysOf(b, term('v', 'startsWith', '1152921504606847000')), ['k00']);
    assert.deepEqual(await keysOf(b, term('v', 'gt', 1.7e308)), ['k03']);
  },
  'minus zero is zero': (b) => compare(b, [0, '-0'], [['eq', -0, [0]], ['in', [-0], [0]], ['contains', -0, [0, '-0']], ['gte', -0, [0, '-0']]]),
  'a value nested deeper than 1,000 levels is filtered like any other': async (b) => {
    await store(b, { deep: { v: deep(3000), x: 1 }, shallow: { x: 2 }, whole: deep(2500) });
    assert.deepEqual(await keysOf(b, term('x', 'eq', 1)), ['deep']);
    assert.deepEqual(await keysOf(b, term('v', 'eq', 1)), []);
    assert.deepEqual(await keysOf(b, term('v', 'contains', '1')), ['deep']);
    assert.deepEqual(await keysOf(b, term('value', 'endsWith', '1')), ['whole']);
    assert.equal((await ok(b.query(term('x', 'gte', 1), { sort: { field: 'v' } }))).results.length, 2);
  },
  'NUL is a character like any other in keys, values, fields and operands': async (b) => {
    await store(b, { 'a\0b': { v: 'x\0y' }, 'a\0c': { v: 'x' }, a: { v: 'x\0' } });
    assert.deepEqual(await keysOf(b, term('v', 'eq', 'x\0y')), ['a\0b']);
    assert.deepEqual(await keysOf(b, term('v', 'eq', 'x')), ['a\0c']);
    assert.deepEqual(await keysOf(b, term('v', 'contains', '\0')), ['a', 'a\0b']);
    assert.deepEqual(await keysOf(b, term('v', 'endsWith', '\0')), ['a']);
    assert.deepEqual(await keysOf(b, term('key', 'eq', 'a\0b')), ['a\0b']);
    assert.deepEqual(await keysOf(b, term('key', 'startsWith', 'a\0')), ['a\0b', 'a\0c']);
    assert.deepEqual(await keysOf(b, term('key', 'endsWith', '\0c')), ['a\0c']);
    assert.deepEqual(await keysOf(b, term('key', 'in', ['a\0c', 'a'])), ['a', 'a\0c']);
  },
};

const places = {
  'query() answers key, value and metadata, in key order': async (b) => {
    await ok(b.set('b', { n: 1 }, { metadata: { m: 1 } }));
    await ok(b.set('a', 5));
    assert.deepEqual(await b.query([]), { success: true, results: [{ key: 'a', value: 5, metadata: {} }, { key: 'b', value: { n: 1 }, metadata: { m: 1 } }] });
    const { results } = await ok(b.query([]));
    results[1].value.n = 'changed';
    assert.deepEqual((await ok(b.get('b'))).data, { n: 1 });
  },
  'an empty array matches everything, several terms must all match': async (b) => {
    await store(b, { a: { x: 1, y: 1 }, b: { x: 1, y: 2 }, c: { x: 2, y: 2 } });
    assert.deepEqual(await keysOf(b, []), ['a', 'b', 'c']);
    assert.deepEqual(await keysOf(b, [term('x', 'eq', 1), term('y', 'eq', 2)]), ['b']);
    assert.deepEqual(await keysOf(b, [term('x', 'eq', 1), term('x', 'eq', 2)]), []);
    assert.deepEqual(await keysOf(b, term('x', 'eq', 1), { namespace: 'never' }), []);
  },
  'value and key, with and without a dollar, are the whole value and the key, whatever the value has': async (b) => {
    await store(b, { k1: { value: 'own', key: 'own', $key: 'own', $value: 'own' }, k2: 'own', own: 1 });
    for (const field of ['value', '$value']) assert.deepEqual(await keysOf(b, term(field, 'eq', 'own')), ['k2']);
    for (const field of ['key', '$key']) assert.deepEqual(await keysOf(b, term(field, 'eq', 'own')), ['own']);
  },
  'the key is compared by every operator': async (b) => {
    const keys = ['', '1', '10', '9', 'A', 'a', 'a%', 'a_', 'ab', 'é', '😀', '\uffee'].slice(1);
    await ok(b.setMany(keys.map((key) => ({ key, value: 1 }))));
    const all = (await ok(b.list())).keys;
    const check = async (operator, operand, test) => assert.deepEqual(await keysOf(b, term('key', operator, operand)), all.filter(test), `${operator} ${String(operand)}`);
    await check('eq', 'a', (key) => key === 'a');
    await check('eq', 1, () => false);
    await check('ne', 'a', (key) => key !== 'a');
    await check('ne', 1, () => true);
    await check('gt', 'a', (key) => key > 'a');
    await check('gt', '😀', (key) => key > '😀');
    await check('gte', 9, (key) => key >= 9);
    await check('lt', '9', (key) => key < '9');
    await check('lte', 9.5, (key) => key <= 9.5);
    await check('contains', '%', (key) => key.includes('%'));
    await check('contains', 0, (key) => key.includes('0'));
    await check('contains', '\ud83d', (key) => key.includes('\ud83d'));
    await check('startsWith', 'a', (key) => key.startsWith('a'));
    await check('startsWith', '', () => true);
    await check('startsWith', '\ud83d', (key) => key.startsWith('\ud83d'));
    await check('endsWith', '_', (key) => key.endsWith('_'));
    await check('in', ['a', '10', 9, null, '\ud83d'], (key) => ['a', '10'].includes(key));
    await check('nin', ['a', 10], (key) => key !== 'a');
    await check('in', [], () => false);
    await check('nin', [], () => true);
  },
  'a property of the value hides the metadata, present null included': async (b) => {
    await ok(b.set('own', { v: 1 }, { metadata: { v: 2 } }));
    await ok(b.set('null', { v: null }, { metadata: { v: 2 } }));
    await ok(b.set('fallback', { w: 1 }, { metadata: { v: 2 } }));
    await ok(b.set('scalar', 'text', { metadata: { v: 2, length: 2 } }));
    await ok(b.set('array', [], { metadata: { v: 2, length: 2 } }));
    await ok(b.set('none', {}));
    assert.deepEqual(await keysOf(b, term('v', 'eq', 2)), ['array', 'fallback', 'scalar']);
    assert.deepEqual(await keysOf(b, term('v', 'eq', null)), ['null']);
    assert.deepEqual(await keysOf(b, term('v', 'ne', 2)), ['null', 'own']);
    assert.deepEqual(await keysOf(b, term('length', 'eq', 2)), ['scalar']);
  },
  'names of the prototype chain are absent unless they are own properties': async (b) => {
    const names = Object.getOwnPropertyNames(Object.prototype).concat('map', 'push', 'at');
    await store(b, { object: {}, array: [], text: 'x', null: null });
    await ok(b.set('with metadata', {}, { metadata: {} }));
    for (const name of names) {
      for (const [operator, operand] of [['ne', 1], ['nin', []], ['contains', ''], ['eq', undefined]]) {
        assert.deepEqual(await keysOf(b, term(name, operator, operand)), [], `${name} ${operator}`);
      }
      await ok(b.set('own', JSON.parse(`{${JSON.stringify(name)}:1}`)));
      assert.deepEqual(await keysOf(b, term(name, 'eq', 1)), ['own'], name);
      await ok(b.set('own', {}, { metadata: JSON.parse(`{${JSON.stringify(name)}:1}`) }));
      assert.deepEqual(await keysOf(b, term(name, 'eq', 1)), ['own'], name);
      await ok(b.delete('own'));
    }
  },
  'in and nin need an array and find nothing without one': async (b) => {
    await store(b, { a: { v: 'x' }, b: { v: 1 }, c: {} });
    for (const operand of ['x', 1, null, undefined, true]) {
      assert.deepEqual(await keysOf(b, term('v', 'in', operand)), []);
      assert.deepEqual(await keysOf(b, term('v', 'nin', operand)), []);
    }
    assert.deepEqual(await keysOf(b, term('v', 'in', ['x', 1, 'y'])), ['a', 'b']);
    assert.deepEqual(await keysOf(b, term('v', 'nin', ['x'])), ['b']);
    assert.deepEqual(await keysOf(b, term('v', 'in', Array.from({ length: 3000 }, (_, i) => i))), ['b']);
  },
};

const invalid = {
  'an unknown operator, a filter that is none and a missing field name their place': async (b) => {
    await ok(b.set('k', { a: 1 }));
    const good = term('a', 'eq', 1);
    const bad = [
      term('a', 'equals', 1), term('a', 'EQ', 1), term('a', undefined, 1), { field: 'a', value: 1 }, { operator: 'eq', value: 1 }, term(5, 'eq', 1), term(undefined, 'eq', 1),
      term(null, 'eq', 1), {}, 5, 'text', true, null, undefined, () => 1, term('a', 'constructor', 1), term('a', '__proto__', 1), term('a', 'toString', 1), term('a', {}, 1),
    ];
    for (const filter of bad) {
      await fails(b.query([good, filter]), 'HYPHA_INVALID_FILTER', /\[1\]/);
      await fails(b.count({ filter: [good, good, filter] }), 'HYPHA_INVALID_FILTER', /\[2\]/);
      if (filter !== null && filter !== undefined) await fails(b.query(filter), 'HYPHA_INVALID_FILTER', /^filter/);
      if (filter !== null && filter !== undefined) await fails(b.count({ filter }), 'HYPHA_INVALID_FILTER', /^filter/);
    }
  },
  'operands that have no exact meaning are refused': async (b) => {
    await ok(b.set('k', { a: 1 }));
    for (const operand of [new Date(0), 1n, {}, [], [1], () => 1, Symbol('s'), /x/, new Map()]) {
      await fails(b.query([term('a', 'eq', 1), term('a', 'eq', operand)]), 'HYPHA_INVALID_FILTER', /\[1\]/);
      await fails(b.query(term('key', 'ne', operand)), 'HYPHA_INVALID_FILTER', /value/);
      await fails(b.query(term('a', 'in', [1, operand])), 'HYPHA_INVALID_FILTER', /\[1\]/);
    }
  },
  'a filter is refused even where there is nothing to filter': async (b) => {
    await fails(b.query([term('a', 'nope', 1)], { namespace: 'never' }), 'HYPHA_INVALID_FILTER');
    await fails(b.query([term('a', 'nope', 1)], { limit: 0 }), 'HYPHA_INVALID_FILTER');
  },
};

const beyond = {
  'and, or and not nest, and not is the complement': async (b) => {
    await store(b, { a: { x: 1 }, b: { x: 2 }, c: { y: 1 }, d: 5 });
    const one = term('x', 'eq', 1);
    assert.deepEqual(await keysOf(b, { not: one }), ['b', 'c', 'd']);
    assert.deepEqual(await keysOf(b, { not: { not: one } }), ['a']);
    assert.deepEqual(await keysOf(b, { or: [one, term('y', 'eq', 1)] }), ['a', 'c']);
    assert.deepEqual(await keysOf(b, { and: [{ or: [one, term('x', 'eq', 2)] }, { not: term('key', 'eq', 'a') }] }), ['b']);
    assert.deepEqual(await keysOf(b, { or: [] }), []);
    assert.deepEqual(await keysOf(b, { and: [] }), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await keysOf(b, [{ or: [one, term('x', 'eq', 2)] }, term('x', 'gt', 1)]), ['b']);
    await fails(b.query([one, { or: [one, { not: term('a', 'nope', 1) }] }]), 'HYPHA_INVALID_FILTER', /\[1\]\.or\[1\]\.not/);
  },
  'path, metadata and system read from their own place only': async (b) => {
    await ok(b.set('a', { address: { city: 'Paris', list: [{ n: 1 }] }, m: 1 }, { metadata: { m: 2, address: { city: 'Rome' } } }));
    await ok(b.set('b', { address: 'text', 'address.city': 'Paris' }));
    assert.deepEqual(await keysOf(b, { path: ['address', 'city'], operator: 'eq', value: 'Paris' }), ['a']);
    assert.deepEqual(await keysOf(b, { path: ['address', 'list', '0', 'n'], operator: 'eq', value: 1 }), ['a']);
    assert.deepEqual(await keysOf(b, { metadata: 'm', operator: 'eq', value: 2 }), ['a']);
    assert.deepEqual(await keysOf(b, { metadata: 'm', operator: 'eq', value: 1 }), []);
    assert.deepEqual(await keysOf(b, { system: 'version', operator: 'gte', value: 1 }), ['a', 'b']);
    assert.deepEqual(await keysOf(b, { system: 'createdAt', operator: 'gt', value: Date.now() + 60_000 }), []);
    assert.deepEqual(await keysOf(b, { system: 'updatedAt', operator: 'lte', value: Date.now() + 60_000 }), ['a', 'b']);
    for (const bad of [{ path: [] }, { path: 'a' }, { path: [1] }, { system: 'id' }, { metadata: 5 }, { field: 'a', path: ['a'] }]) {
      await fails(b.query({ ...bad, operator: 'eq', value: 1 }), 'HYPHA_INVALID_FILTER');
    }
  },
  'exists, between, like and has': async (b) => {
    await store(b, { a: { v: 5, t: ['x', 1] }, b: { v: 10, t: 'x' }, c: { v: null }, d: { v: 'a%b' }, e: {} });
    assert.deepEqual(await keysOf(b, term('v', 'exists', true)), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await keysOf(b, term('v', 'exists', false)), ['e']);
    assert.deepEqual(await keysOf(b, term('v', 'between', [5, 10])), ['a', 'b']);
    assert.deepEqual(await keysOf(b, term('v', 'between', [6, 9])), []);
    assert.deepEqual(await keysOf(b, term('v', 'like', 'a%*')), ['d']);
    assert.deepEqual(await keysOf(b, term('v', 'like', 'A*')), []);
    assert.deepEqual(await keysOf(b, term('t', 'has', 'x')), ['a']);
    assert.deepEqual(await keysOf(b, term('t', 'has', 1)), ['a']);
    for (const [operator, operand] of [['exists', 1], ['between', 5], ['between', [1]], ['between', [1, 2, 3]], ['like', 5]]) {
      await fails(b.query(term('v', operator, operand)), 'HYPHA_INVALID_FILTER');
    }
  },
};

export const filterCases = { ...places, ...naive, ...invalid, ...beyond };
