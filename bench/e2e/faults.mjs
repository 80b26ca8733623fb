/**
 * The figures that are not about speed: memory, slow peers, reloads and the end, against a real
 * Headgate over loopback. One line each: figure, goal, and whether it holds. Bounded; ends what it
 * started. `node bench/e2e/faults.mjs [NAME...]` runs those whose name has one of the words.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as drain from './figures/drain.mjs';
import * as idleConnections from './figures/idle-connections.mjs';
import * as memorySlope from './figures/memory-slope.mjs';
import * as reloads from './figures/reloads.mjs';
import * as slowHeads from './figures/slow-heads.mjs';
import * as slowReaders from './figures/slow-readers.mjs';
import { stopProgram } from './process.mjs';
import { startSubject } from './subjects.mjs';

/** Each exports `name`, `goal` and `run(context)`, which resolves with `{ text, holds }`. */
const figures = [slowReaders, idleConnections, memorySlope, slowHeads, reloads, drain];

async function show(figure) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-figure-'));
  const cleanUp = [() => rmSync(folder, { recursive: true, force: true })];
  const context = {
    folder,
    /** Registers what must happen at the end, in reverse order. */
    defer: (step) => cleanUp.unshift(step),
    /** Starts Headgate in front of a port; it is ended with the figure. */
    async headgate(upstreamPort, options) {
      const handle = await startSubject('headgate', folder, upstreamPort, options);
      if (!handle) throw new Error('dist/cli.js is missing: npm run build');
      cleanUp.unshift(() => stopProgram(handle));
      return handle;
    },
  };
  try {
    const { text, holds } = await figure.run(context);
    console.log(`${holds ? 'holds' : 'FAILS'}  ${figure.name}: ${text} (goal: ${figure.goal})`);
    return holds;
  } catch (error) {
    console.log(`FAILS  ${figure.name}: ${error.message} (goal: ${figure.goal})`);
    return false;
  } finally {
    for (const step of cleanUp) await step();
  }
}

const words = process.argv.slice(2);
for (const figure of figures) {
  if (words.length > 0 && !words.some((word) => figure.name.includes(word))) continue;
  if (!(await show(figure))) process.exitCode = 1;
}
