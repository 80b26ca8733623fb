/** Name and version of this package, and the id of this process. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const version = manifest.version;

/** Product token (RFC 9110 10.2.4) for Server and Via. */
export const product = `headgate/${version}`;

/** Id of this process, in `GET /` and in what plugins echo. */
export const nodeId = randomUUID();
