/**
 * The upstream that every subject proxies to: nginx where it is installed, else a raw socket
 * server. It must never be the bottleneck, so it answers constant bytes.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, freePort, startProgram } from './process.mjs';

/**
 * Starts an upstream with answers of `bodyBytes`; resolves with its handle (`port`). `readsBodies`:
 * it answers behind the body of a request, where nginx would answer at once.
 */
export async function startUpstream(folder, bodyBytes, { readsBodies = false } = {}) {
  const port = await freePort();
  const nginx = readsBodies ? undefined : findProgram('nginx');
  if (!nginx) {
    const self = fileURLToPath(import.meta.url);
    return startProgram(process.execPath, [self, String(port), String(bodyBytes)], { port });
  }
  const files = join(folder, 'upstream.conf');
  writeFileSync(join(folder, 'body'), 'x'.repeat(bodyBytes));
  const answer =
    bodyBytes <= 1024 ? `return 200 "${'x'.repeat(bodyBytes)}";` : 'try_files /body =404;';
  writeFileSync(
    files,
    `daemon off; master_process off; pid ${folder}/upstream.pid; error_log ${folder}/upstream.log;
events { worker_connections 8192; multi_accept on; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 3600s;
  sendfile on; tcp_nodelay on;
  client_body_temp_path ${folder}/u1; proxy_temp_path ${folder}/u2; fastcgi_temp_path ${folder}/u3;
  uwsgi_temp_path ${folder}/u4; scgi_temp_path ${folder}/u5; open_file_cache max=10;
  server { listen 127.0.0.1:${port} backlog=4096; root ${folder}; location / { ${answer} } }
}
`,
  );
  return startProgram(nginx, ['-c', files, '-e', `${folder}/upstream.log`], { port });
}

/** Answers each request with the same bytes, behind its body. */
function serve(port, bodyBytes) {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
  const answer = Buffer.from(head + 'x'.repeat(bodyBytes), 'latin1');
  const server = createServer({ noDelay: true }, (socket) => {
    let tail = '';
    let left = 0;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      let rest = chunk;
      while (rest.length > 0) {
        if (left > 0) {
          const taken = Math.min(left, rest.length);
          left -= taken;
          rest = rest.subarray(taken);
          if (left === 0) socket.write(answer);
          continue;
        }
        const text = tail + rest.toString('latin1');
        const end = text.indexOf('\r\n\r\n') + 4;
        if (end < 4) {
          tail = text;
          return;
        }
        rest = rest.subarray(end - tail.length);
        tail = '';
        left = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
        if (left === 0) socket.write(answer);
      }
    });
  });
  server.listen({ port, host: '127.0.0.1', backlog: 4096 });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  serve(Number(process.argv[2]), Number(process.argv[3]));
}
