// In the order in which they run: readers first, then what changes documents, then what adds some.

import cities from './cities.js';
import count from './count.js';
import duringScan from './during-scan.js';
import eventLoop from './event-loop.js';
import filter from './filter.js';
import get from './get.js';
import getMany from './get-many.js';
import has from './has.js';
import indexCost from './index-cost.js';
import indexed from './indexed.js';
import list from './list.js';
import set from './set.js';
import setConcurrent from './set-concurrent.js';
import setMany from './set-many.js';
import transactions from './transactions.js';

export const WORKLOADS = [get, has, getMany, filter, count, list, set, ...setConcurrent, eventLoop, setMany, ...transactions, indexCost, ...indexed, ...cities, ...duringScan];
