// The child's side of child-run.js. Lines are written synchronously: what was said stays said, however the process ends.

import { writeSync } from 'node:fs';
import process from 'node:process';

function say(line) {
  for (let text = `${line}\n`; text !== ''; ) {
    try {
      text = text.slice(writeSync(1, text));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

export const input = () => JSON.parse(process.argv[2]);
export const phase = (name) => say(`@phase ${name}`);
export const ack = (key) => say(`@ack ${key}`);
export const data = (value) => say(`@data ${JSON.stringify(value)}`);
