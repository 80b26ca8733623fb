/** The proxies under comparison: how each is configured and started for one scenario. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFilters } from './filters.mjs';
import { startNginxLua } from './plugins/elsewhere.mjs';
import { findProgram, freePort, startProgram } from './process.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');

/** Names in the order of the table. */
export const subjectNames = [
  'headgate',
  'nginx',
  'haproxy',
  'http-proxy-3',
  'fast-proxy',
  '@fastify/http-proxy',
];

/**
 * Starts one subject in front of `upstreamPort`; each uses one process or thread for traffic and
 * keeps upstream connections alive. `options.routes` counts routes or locations (default 1),
 * `options.settings` are arguments for `headgate start`, `options.driver` is `net` or `native`,
 * `options.filters` are names of filters.mjs for a chain,
 * `options.logBatch` turns http-log on, `options.plugins` are on the service, with
 * `options.consumers`, `options.threads` are those of HAProxy (default 1), `options.features` are
 * keys and limits for `nginx with Lua` and `fast-gateway`.
 * Undefined where it is absent.
 */
export async function startSubject(name, folder, upstreamPort, options = {}) {
  if (name === 'headgate') return startHeadgate(folder, upstreamPort, options);
  if (name === 'nginx') return startNginx(folder, upstreamPort, options);
  if (name === 'nginx with Lua') return startNginxLua(folder, upstreamPort, options);
  if (name === 'haproxy') return startHaproxy(folder, upstreamPort, options);
  return startNodeProxy(name, upstreamPort, options);
}

/** Headgate's own file: the request of the benchmark matches the last of `routes`. */
export function headgateConfig(upstreamPort, routes = 1, log = null, more = {}) {
  const lines = ['_format_version: "3.0"', 'services:', '- name: upstream'];
  lines.push(`  url: http://127.0.0.1:${upstreamPort}`, '  routes:');
  for (let index = 1; index < routes; index++) {
    lines.push(`  - { name: r${index}, paths: [/api/v1/resource-${index}], strip_path: false }`);
  }
  lines.push('  - { name: last, paths: [/bench], strip_path: false }');
  if (log) {
    lines.push('  plugins:', '  - name: http-log', '    config:');
    lines.push(`      http_endpoint: http://127.0.0.1:${log.port}/in`);
    lines.push(`      queue: { max_batch_size: ${log.batch}, max_coalescing_delay: 0.1 }`);
  }
  // JSON is YAML.
  if (more.filters?.length > 0) {
    const filters = more.filters.map((name) => ({ name }));
    lines.push(`  filter_chains: ${JSON.stringify([{ filters }])}`);
  }
  if (more.plugins) lines.push(`  plugins: ${JSON.stringify(more.plugins)}`);
  if (more.consumers) lines.push(`consumers: ${JSON.stringify(more.consumers)}`);
  return `${lines.join('\n')}\n`;
}

async function startHeadgate(folder, upstreamPort, options = {}) {
  const { routes = 1, settings = [], env, driver, logBatch, receiverPort } = options;
  const log = logBatch === undefined ? null : { batch: logBatch, port: receiverPort };
  const cli = join(root, 'dist/cli.js');
  if (!existsSync(cli)) return undefined;
  if (driver === 'native' && !existsSync(join(root, 'build/native/headgate.node')))
    return undefined;
  const [port, adminPort] = [await freePort(), await freePort()];
  const file = join(folder, `headgate-${routes}.yml`);
  writeFileSync(file, headgateConfig(upstreamPort, routes, log, options));
  const wasm = options.filters
    ? { KONG_WASM: 'on', KONG_WASM_FILTERS_PATH: writeFilters(folder) }
    : {};
  const nodeArgs = process.env.BENCH_NODE_ARGS?.split(' ').filter(Boolean) ?? [];
  const handle = await startProgram(
    process.execPath,
    [...nodeArgs, cli, 'start', '-c', file, ...settings],
    {
      port,
      cwd: folder,
      env: {
        KONG_PROXY_LISTEN: `127.0.0.1:${port}`,
        KONG_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
        KONG_UPSTREAM_KEEPALIVE_POOL_SIZE: '512',
        KONG_UPSTREAM_KEEPALIVE_MAX_REQUESTS: '100000000',
        HEADGATE_KEEPALIVE_REQUESTS: '100000000',
        HEADGATE_ACCESS_LOG: 'off',
        HEADGATE_DRIVER: driver ?? 'auto',
        ...wasm,
        ...env,
      },
    },
  );
  return Object.assign(handle, { adminPort, file });
}

/** The locations of nginx: the same prefixes as Headgate's routes, `/` where there is only one. */
function nginxLocations(count) {
  const body =
    '{ proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Connection ""; }';
  if (count === 1) return `    location / ${body}`;
  const prefixes = Array.from({ length: count - 1 }, (_, at) => `/api/v1/resource-${at + 1}`);
  return [...prefixes, '/bench'].map((prefix) => `    location ${prefix} ${body}`).join('\n');
}

async function startNginx(folder, upstreamPort, { accessLog = false, routes = 1 } = {}) {
  const program = findProgram('nginx');
  if (!program) return undefined;
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 8192; }
http {
  access_log ${accessLog ? `${folder}/access.log combined buffer=64k flush=1s` : 'off'};
  keepalive_requests 100000000; keepalive_timeout 3600s; tcp_nodelay on;
  client_max_body_size 0;
  client_body_temp_path ${folder}/n1; proxy_temp_path ${folder}/n2; fastcgi_temp_path ${folder}/n3;
  uwsgi_temp_path ${folder}/n4; scgi_temp_path ${folder}/n5;
  upstream target { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
${nginxLocations(routes)}
  }
}
`,
  );
  return startProgram(program, ['-c', file, '-e', `${folder}/nginx.log`], { port });
}

async function startHaproxy(folder, upstreamPort, { threads = 1 } = {}) {
  const program = findProgram('haproxy');
  if (!program) return undefined;
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread ${threads}
  maxconn 8192
  tune.pool-high-fd-ratio 50
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:${port} backlog 4096
  default_backend back
backend back
  server one 127.0.0.1:${upstreamPort} pool-max-conn 512
`,
  );
  return startProgram(program, ['-db', '-f', file], { port });
}

async function startNodeProxy(name, upstreamPort, { features = false }) {
  const packageFile = join(here, 'node_modules', name, 'package.json');
  if (!existsSync(packageFile)) installPeers();
  if (!existsSync(packageFile)) return undefined;
  const port = await freePort();
  const args = [join(here, 'node-proxy.mjs'), name, String(port), String(upstreamPort)];
  if (features) args.push('features');
  return startProgram(process.execPath, args, { port, env: { NODE_ENV: 'production' } });
}

let tried = false;

function installPeers() {
  if (tried) return;
  tried = true;
  process.stderr.write('installing the Node peers into bench/e2e (once)\n');
  try {
    const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
    execFileSync('npm', args, { cwd: here, stdio: 'inherit' });
  } catch {
    process.stderr.write('the Node peers could not be installed; going on without them\n');
  }
}
