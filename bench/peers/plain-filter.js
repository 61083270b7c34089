// Filters and sorting as an application writes them by hand in JavaScript.

const OPERATORS = {
  eq: (actual, wanted) => actual === wanted,
  ne: (actual, wanted) => actual !== wanted,
  gt: (actual, wanted) => actual > wanted,
  gte: (actual, wanted) => actual >= wanted,
  lt: (actual, wanted) => actual < wanted,
  lte: (actual, wanted) => actual <= wanted,
  in: (actual, wanted) => Array.isArray(wanted) && wanted.includes(actual),
  nin: (actual, wanted) => Array.isArray(wanted) && !wanted.includes(actual),
  contains: (actual, wanted) => String(actual).includes(String(wanted)),
  startsWith: (actual, wanted) => String(actual).startsWith(String(wanted)),
  endsWith: (actual, wanted) => String(actual).endsWith(String(wanted)),
};

function fieldOf(field, { key, value, metadata }) {
  if (field === 'key') return key;
  if (value !== null && typeof value === 'object' && field in value) return value[field];
  return metadata[field];
}

function matches({ field, operator, value: wanted }, entry) {
  const actual = fieldOf(field, entry);
  return actual !== undefined && OPERATORS[operator](actual, wanted);
}

/** @param {object | object[]} filter one condition, or several that must all hold */
export function matchesAll(filter, entry) {
  return Array.isArray(filter) ? filter.every((each) => matches(each, entry)) : matches(filter, entry);
}

/** @param {{ field: string, order: 'asc' | 'desc' }} sort */
export function compareBy({ field, order }) {
  const sign = order === 'desc' ? -1 : 1;
  return (one, other) => {
    const left = fieldOf(field, one);
    const right = fieldOf(field, other);
    return left === right ? 0 : left < right ? -sign : sign;
  };
}
