/** Clients that take a large answer slowly must hold back the upstream, not fill the gateway. */
import { connect } from 'node:net';
import { rawUpstream } from '../client.mjs';
import { pause, residentKib } from '../process.mjs';

const READERS = 20;
const BODY_BYTES = 50 * 1024 * 1024;
const MIB = 1024 * 1024;
const SETTLE_MS = 3_000;

export const name = `${READERS} slow readers of 50 MiB`;
export const goal = 'resident memory grows by at most 4 MiB, at most 10 MiB pulled per reader';

export async function run({ headgate, defer }) {
  const upstream = await rawUpstream(stream);
  defer(upstream.close);
  const gateway = await headgate(upstream.port);
  // One whole answer first: what the gateway needs once is not growth.
  await wholeAnswer(gateway.port);
  await pause(500);
  const before = residentKib(gateway.pid);
  const readers = Array.from({ length: READERS }, () => slowReader(gateway.port));
  defer(() => {
    for (const reader of readers) reader.stop();
  });
  let peak = before;
  for (const end = Date.now() + SETTLE_MS; Date.now() < end; ) {
    await pause(100);
    peak = Math.max(peak, residentKib(gateway.pid));
  }
  const pulled = [...upstream.sockets].map((socket) => socket.bytesWritten - socket.writableLength);
  const most = Math.max(...pulled) / MIB;
  const growth = (peak - before) / 1024;
  const text = `+${growth.toFixed(1)} MiB, at most ${most.toFixed(1)} MiB pulled`;
  return { text, holds: growth <= 4 && most <= 10 && pulled.length >= READERS };
}

/** Writes the body in pieces, as fast as the gateway takes them. */
function stream(socket) {
  const piece = Buffer.alloc(65_536, 'x');
  let left = BODY_BYTES;
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\nConnection: close\r\n\r\n`);
  const more = () => {
    while (left > 0) {
      left -= piece.length;
      if (!socket.write(piece)) return;
    }
    socket.end();
    socket.off('drain', more);
  };
  socket.on('drain', more);
  more();
}

function wholeAnswer(port) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write('GET /bench HTTP/1.1\r\nHost: slow\r\nConnection: close\r\n\r\n');
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (bytes > BODY_BYTES) resolve();
      else reject(new Error(`an undisturbed reader got ${bytes} bytes`));
    });
  });
}

/** Takes some 64 KiB a second. */
function slowReader(port) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write('GET /bench HTTP/1.1\r\nHost: slow\r\n\r\n');
  socket.on('error', () => {});
  socket.on('data', () => socket.pause());
  const timer = setInterval(() => socket.resume(), 1_000);
  const stop = () => {
    clearInterval(timer);
    socket.destroy();
  };
  return { stop };
}
