/** Closed-loop load over keep-alive connections: wrk where it is installed, else raw sockets. */
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './process.mjs';

const unitMs = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/**
 * GETs `path` for `seconds` over `connections`, or POSTs `postBytes`; `close`: each request on a
 * connection of its own; `headers`: further fields, pairs; `keys`: values of the field `apikey`,
 * in turn (all of these need wrk). Resolves with
 * `{ requests, seconds, perSecond, p50Ms, p99Ms, errors }`; errors: failed and non-2xx answers.
 */
export async function load(port, options = {}) {
  const { path = '/bench', seconds = 5, connections = 64 } = options;
  const { postBytes = 0, close = false, headers = [], keys = [] } = options;
  const wrk = findProgram('wrk');
  const special = postBytes > 0 || close || headers.length + keys.length > 0;
  if (!wrk && special) throw new Error('POST, close and headers need wrk');
  if (!wrk) return runSockets(port, path, seconds, connections);
  const script = scriptOf({ postBytes, keys });
  const url = `http://127.0.0.1:${port}${path}`;
  return runWrk(wrk, url, { seconds, connections, close, headers, script });
}

/** The wrk script that a load needs; null: none. */
function scriptOf({ postBytes, keys }) {
  if (postBytes > 0) {
    return `wrk.method = "POST"\nwrk.body = string.rep("x", ${postBytes})\n`;
  }
  if (keys.length === 0) return null;
  return `local requests, turn = {}, 0
function init()
  for i, key in ipairs({ ${keys.map((key) => JSON.stringify(key)).join(', ')} }) do
    requests[i] = wrk.format(nil, nil, { apikey = key, Host = wrk.headers.Host })
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
`;
}

async function runWrk(wrk, url, { seconds, connections, close, headers, script }) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '--latency'];
  if (close) args.push('-H', 'Connection: close');
  for (const [name, value] of headers) args.push('-H', `${name}: ${value}`);
  const scriptFile = join(tmpdir(), `headgate-load-${process.pid}.lua`);
  if (script !== null) {
    writeFileSync(scriptFile, script);
    args.push('-s', scriptFile);
  }
  const { stdout } = await promisify(execFile)(wrk, [...args, url]);
  rmSync(scriptFile, { force: true });
  const [, requests, took, unit] = /(\d+) requests in ([\d.]+)(s|m)/.exec(stdout);
  const failed = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    stdout,
  );
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(stdout);
  const errors = failed ? failed.slice(1).reduce((sum, count) => sum + Number(count), 0) : 0;
  return {
    requests: Number(requests),
    seconds: (Number(took) * unitMs[unit]) / 1000,
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]),
    p50Ms: percentile(stdout, 50),
    p99Ms: percentile(stdout, 99),
    errors: errors + Number(refused?.[1] ?? 0),
  };
}

function percentile(text, percent) {
  const match = new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s|m)`).exec(text);
  return Number(match[1]) * unitMs[match[2]];
}

/** Understands answers with Content-Length only: that is what the upstream here sends. */
async function runSockets(port, path, seconds, connections) {
  const latencies = [];
  let errors = 0;
  const end = performance.now() + seconds * 1000;
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const one = () =>
    new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let sent = 0;
      const next = () => {
        if (performance.now() >= end) return socket.destroy();
        sent = performance.now();
        socket.write(request);
      };
      const reader = answerReader((status) => {
        latencies.push(performance.now() - sent);
        if (status < 200 || status > 299) errors++;
        next();
      });
      socket.on('connect', next).on('data', reader).on('close', resolve);
      socket.on('error', () => errors++);
    });
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, one));
  const took = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.floor(latencies.length * share)] ?? 0;
  const requests = latencies.length;
  const perSecond = requests / took;
  return { requests, seconds: took, perSecond, p50Ms: at(0.5), p99Ms: at(0.99), errors };
}

/** Returns a `data` handler that calls `onAnswer(status)` after each whole answer. */
export function answerReader(onAnswer) {
  let head = '';
  let bodyLeft = 0;
  let status = 0;
  return (chunk) => {
    let offset = 0;
    while (offset < chunk.length) {
      if (bodyLeft > 0) {
        const taken = Math.min(bodyLeft, chunk.length - offset);
        bodyLeft -= taken;
        offset += taken;
        if (bodyLeft === 0) onAnswer(status);
        continue;
      }
      const before = head.length;
      head += chunk.toString('latin1', offset);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      offset += end + 4 - before;
      status = Number(head.slice(9, 12));
      bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      head = '';
      if (bodyLeft === 0) onAnswer(status);
    }
  };
}
