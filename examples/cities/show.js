// How the demo prints: a numbered title, the call as it stands in the code, its answer, its time.

let steps = 0;

export const grouped = (number) => number.toLocaleString('en-US');
export const say = (text) => console.log(`  ${text}`);

/** @param {string} title @param {Function | string} code a function is shown by its own source */
export function step(title, code) {
  const source = String(code).replace(/^(async )?\(\) =>\s*/, '').replace(/^\{\n|\n\s*\}$/g, '');
  const [first, ...rest] = source.split('\n');
  const margin = Math.min(...rest.map((line) => line.search(/\S/)));
  console.log(`\n${++steps}. ${title}`);
  for (const line of [first.trim(), ...rest.map((each) => each.slice(margin))]) say(`   ${line}`);
}

/**
 * Shows a question and asks it.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} question
 * @returns {Promise<{ answer: T, took: string }>}
 */
export async function ask(title, question) {
  step(title, question);
  const startedAt = performance.now();
  const answer = await question();
  const milliseconds = performance.now() - startedAt;
  return { answer, took: milliseconds < 10 ? `${milliseconds.toFixed(2)} ms` : `${Math.round(milliseconds)} ms` };
}

/** @param {string[]} words broken into lines */
export function sayList(words) {
  for (const line of words.join(', ').match(/\S.{0,76}(?= |$)/g)) say(line);
}

/** @param {(string | number)[][]} rows numbers are aligned to the right */
export function table(rows) {
  const text = (cell) => (typeof cell === 'number' ? grouped(cell) : cell);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => text(row[column]).length)));
  const align = (cell, column) => text(cell)[typeof cell === 'number' ? 'padStart' : 'padEnd'](widths[column]);
  for (const row of rows) say(row.map(align).join('  '));
}
