// What the reader sees: blocks of numbers while the bench runs, the floor at its end, and a Markdown table.

import { cpus, loadavg } from 'node:os';
import { BASELINE, PEERS } from './peers/index.js';

const CONTRACT = 'hyphadb-contract';
const STORE = 'hyphadb-store';
const NOTHING = { name: 'nothing', title: 'JSON.stringify alone' };
const titleOf = (name) => [...PEERS, NOTHING].find((each) => each.name === name).title;

const TITLE_WIDTH = 28;
const NUMBER_WIDTH = 11;

/** @param {number} value @returns {string} three significant digits or all that stand before the point */
export function formatNumber(value) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const [whole, fraction] = value.toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction ? `${grouped}.${fraction}` : grouped;
}

const formatRatio = (ratio) => `${formatNumber(ratio)}x`;

/** How many times faster than the baseline, by the medians; undefined without a baseline. */
function ratioOf(results, name, against = BASELINE) {
  return results[against] && results[name] ? results[against].median / results[name].median : undefined;
}

function line(title, cells) {
  return `  ${title.padEnd(TITLE_WIDTH)}${cells.map((cell) => cell.padStart(NUMBER_WIDTH)).join('')}`;
}

/** One measured row of the report: { title, per, unit, results }. */
export function block({ title, per, unit, results, against }) {
  const isTime = unit === 'µs';
  const head = ['min', 'median', 'max', isTime ? 'speed' : ''];
  const lines = [`\n${title} (${unit} per ${per})`, line('', head)];
  for (const [name, { min, median, max }] of Object.entries(results)) {
    const ratio = isTime ? ratioOf(results, name, against) : undefined;
    const numbers = [min, median, max].map(formatNumber);
    lines.push(line(titleOf(name), [...numbers, ratio === undefined ? '' : formatRatio(ratio)]));
  }
  return lines.join('\n');
}

/** @returns {{ text: string, met: boolean }[]} what the project asks of itself, and whether this row shows it */
export function judge({ title, unit, results, floor, below, notAboveBaseline, notSlowerThan = [], of = CONTRACT, against = BASELINE }) {
  const verdicts = [];
  const own = results[of];
  const baseline = results[against];
  const add = (met, text) => verdicts.push({ met, text: `${title}: ${text}` });
  if (floor && own && baseline) {
    const ratio = ratioOf(results, of, against);
    const whose = against === BASELINE ? 'better-sqlite3' : titleOf(against);
    add(ratio >= floor, `${formatRatio(ratio)} of ${whose}'s speed, at least ${formatRatio(floor)}`);
  }
  for (const other of notSlowerThan) {
    if (!results[STORE] || !results[other]) continue;
    const [ours, theirs] = [results[STORE].median, results[other].median];
    add(ours <= theirs, `Store ${formatNumber(ours)} ${unit}, ${titleOf(other)} ${formatNumber(theirs)} ${unit}`);
  }
  if (below && own) add(own.median < below, `${formatNumber(own.median)} ${unit}, less than ${below} ${unit}`);
  if (notAboveBaseline && own && baseline) {
    const text = `${formatNumber(own.median)} ${unit}, better-sqlite3 ${formatNumber(baseline.median)} ${unit}`;
    add(own.median <= baseline.median, text);
  }
  return verdicts;
}

export function floorTable(rows) {
  const verdicts = rows.flatMap(judge);
  if (verdicts.length === 0) return '';
  const lines = verdicts.map(({ met, text }) => `  ${met ? 'met   ' : 'MISSED'}  ${text}`);
  return ['\nThe floor', ...lines].join('\n');
}

/** Where and how, in a few words. */
export function circumstances({ versions, rounds, directory }) {
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  const own = versions[CONTRACT] ?? versions[STORE] ?? 'left out';
  return [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} x ${processor}, ` +
      `load ${loadavg()[0].toFixed(1)}`,
    `HyphaDB: ${own}, durability normal; better-sqlite3: ${versions[BASELINE] ?? 'left out'}, WAL, synchronous NORMAL; ` +
      'the others with their defaults; synced: full and FULL',
    `medians of ${rounds} interleaved rounds, fewer with the cities; databases in ${directory}`,
  ];
}

const markdownCell = (cell) => {
  if (!cell) return '';
  return `${formatNumber(cell.median)} (${formatNumber(cell.min)}–${formatNumber(cell.max)})`;
};

/** The table of the README. */
export function markdown(rows, setting) {
  const present = PEERS.filter(({ name, control }) => !control && rows.some(({ results }) => results[name]));
  const head = ['workload', 'unit', ...present.map(({ title }) => title), 'contract, speed', 'floor'];
  const lines = [head, head.map(() => '---')];
  for (const row of rows) {
    const cells = present.map(({ name }) => markdownCell(row.results[name]));
    const ratio = row.unit === 'µs' ? ratioOf(row.results, row.of ?? CONTRACT, row.against) : undefined;
    const limit = row.floor ? formatRatio(row.floor) : row.below ? `< ${row.below}` : '';
    lines.push([row.title, row.unit, ...cells, ratio === undefined ? '' : formatRatio(ratio), limit]);
  }
  const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const note = circumstances(setting).slice(0, 2).join('.\n');
  const how = `Each cell is the median (minimum–maximum) of ${setting.rounds} interleaved rounds (fewer with the cities), ` +
    'per operation; ' +
    'where a call carries many documents, per document. ' +
    'Speed is that of HyphaDB through the contract, in multiples of the better-sqlite3 backend (of the Store where the ' +
    'contract has no such method; atomic() in multiples of @deno/kv).';
  return `${note}.\n${how}\n\n${table}`;
}
