// schema/filter.schema.json says what readFilter() takes: filters made by the schema are accepted, broken ones refused.

import { readFileSync } from 'node:fs';
import { readFilter } from '../../lib/filter.js';
import { native } from '../../lib/native.js';
import { LIMIT_OPTIONS, readOptionsWithDefaults } from '../../lib/options.js';
import { Random, runSeed } from '../helpers/oracle-random.js';

const schema = JSON.parse(readFileSync(new URL('../../schema/filter.schema.json', import.meta.url), 'utf8'));
const docs = readFileSync(new URL('../../docs/queries.md', import.meta.url), 'utf8');
const limits = readOptionsWithDefaults({}, LIMIT_OPTIONS, 'limits');
const { $defs: defs } = schema;
const random = new Random(runSeed());

const SCALARS = ['', 'a', '*', '\ud800', 0, -0, 1.5, NaN, Infinity, true, false, null, undefined];
const scalar = () => random.pick(SCALARS);
const NAMES = ['a', '', '__proto__', 'key', '$value', 'a.b', "'", '\ud800'];

// What each $ref of an operand makes.
const makers = {
  '#/$defs/scalar': scalar,
  '#/$defs/values': () => random.some(5, scalar),
  '#/$defs/range': () => [scalar(), scalar()],
  '#/$defs/pattern': () => random.pick(['*', 'a*', '', 'a**b']),
};

function operandSchema(operator) {
  const { then } = defs.term.allOf.find(({ if: { properties } }) => properties.operator.const === operator || properties.operator.enum?.includes(operator));
  return then.properties.value;
}

function operand(operator) {
  const { type, $ref, oneOf } = operandSchema(operator);
  if (type === 'boolean') return random.chance(0.5);
  return makers[$ref ?? random.pick(oneOf).$ref]();
}

function place() {
  switch (random.pick(defs.term.oneOf).required[0]) {
    case 'field': return { field: random.pick(NAMES) };
    case 'path': return { path: [random.pick(NAMES), ...random.some(2, () => random.pick(NAMES))] };
    case 'metadata': return { metadata: random.pick(NAMES) };
    default: return { system: random.pick(defs.term.properties.system.enum) };
  }
}

function term() {
  const operator = random.pick(defs.operator.enum);
  return { ...place(), operator, value: operand(operator) };
}

function filter(depth) {
  const kind = depth === 0 ? 'term' : random.pick(defs.filter.oneOf).$ref.split('/').at(-1);
  const children = () => random.some(3, () => filter(depth - 1));
  switch (kind) {
    case 'list': return children();
    case 'and':
    case 'or': return { [kind]: children() };
    case 'not': return { not: filter(depth - 1) };
    default: return term();
  }
}

/** One of many ways to break a valid term. */
const BREAKS = [
  (t) => ({ ...t, operator: random.pick(['EQ', '', 'equals', 'constructor', 5, null, undefined]) }),
  (t) => { const { operator: _, ...rest } = t; return rest; },
  (t) => ({ operator: t.operator, value: t.value }),
  (t) => ({ ...t, field: random.pick([5, null, {}, ['a'], undefined]), path: undefined, metadata: undefined, system: undefined }),
  (t) => ({ ...t, field: 'a', path: ['a'], metadata: 'a' }),
  () => ({ path: random.pick([[], [1], 'a', null]), operator: 'eq', value: 1 }),
  () => ({ system: random.pick(['CreatedAt', '', 5]), operator: 'eq', value: 1 }),
  () => ({ metadata: random.pick([5, null, ['a']]), operator: 'eq', value: 1 }),
  () => ({ metadata: 'a', operator: 'eq', value: 1, extra: 1 }),
  (t) => ({ ...t, value: random.pick([{}, new Date(0), 5n, Symbol('s'), () => 1, [[]], [{}, 1]]) }),
  (t) => ({ ...t, operator: 'exists', value: random.pick([1, 'true', null, undefined]) }),
  (t) => ({ ...t, operator: 'like', value: random.pick([1, null, ['*'], undefined]) }),
  (t) => ({ ...t, operator: 'between', value: random.pick([1, [], [1], [1, 2, 3], null, [1, {}]]) }),
  (t) => ({ and: [t], or: [] }),
  (t) => ({ not: t, value: 1 }),
  (t) => ({ not: [t, random.pick([null, 5, 'x', undefined, true])] }),
  () => ({ [random.pick(['and', 'or'])]: random.pick([{}, null, 'x', 5]) }),
  () => random.pick([5, 'x', true, Symbol('s'), () => 1]),
];

describe('schema/filter.schema.json', () => {
  test('lists the operators that the addon has, and docs/queries.md explains each', () => {
    expect(defs.operator.enum).toEqual([...native.operators]);
    for (const operator of native.operators) {
      expect(() => operandSchema(operator)).not.toThrow();
      expect(docs).toContain(`\`${operator}\``);
    }
  });

  test('describes every part', () => {
    for (const [name, part] of Object.entries(defs)) expect([name, typeof part.description]).toEqual([name, 'string']);
    const refs = JSON.stringify(schema).match(/#\/\$defs\/\w+/g);
    for (const ref of refs) expect(Object.keys(defs)).toContain(ref.slice('#/$defs/'.length));
  });

  test('makes filters that readFilter() accepts', () => {
    for (let i = 0; i < 3000; i++) expect(() => readFilter(filter(4), limits)).not.toThrow();
  });

  test('and does not make those that readFilter() refuses', () => {
    for (let i = 0; i < 3000; i++) {
      const at = i % BREAKS.length;
      const broken = BREAKS[at](term());
      const wrapped = random.pick([broken, [broken], { or: [term(), broken] }, { not: broken }]);
      let code = `accepted by break ${at}`;
      try {
        readFilter(wrapped, limits);
      } catch (error) {
        ({ code } = error);
      }
      expect(code).toBe('HYPHA_INVALID_FILTER');
    }
  });
});
