/** Folders of `filter init` in Rust and Go, built where their compilers are, before a service. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';
import { root } from '../tidy/tree.js';

const cli = join(root, 'dist/cli.js');
const buildMs = 300_000;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filter-toolchains-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a command prints; empty where it is not there. */
function ask(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}

const rustTarget = ask('rustc', '--print', 'target-libdir', '--target', 'wasm32-wasip1');
/** WebAssembly that a host can call into came with 1.24. */
const hasGo = Number(/^go version go1\.(\d+)/.exec(ask('go', 'version'))?.[1] ?? 0) >= 24;
const present = [
  ...(rustTarget !== '' && existsSync(rustTarget) ? ['rust'] : []),
  ...(hasGo ? ['go'] : []),
];

const builds: Record<string, { obtain: string; command: string; output: string }> = {
  rust: {
    obtain: 'cargo fetch --quiet',
    command: 'cargo build --quiet --release --target wasm32-wasip1',
    output: 'target/wasm32-wasip1/release/filter.wasm',
  },
  go: {
    obtain: 'go mod tidy',
    command: 'GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o filter.wasm .',
    output: 'filter.wasm',
  },
};

test(
  `filters of the standard SDKs work (here: ${present.join(', ') || 'no compiler'})`,
  async () => {
    for (const lang of present) {
      const { obtain, command, output } = builds[lang];
      const name = `made-${lang}`;
      execFileSync(process.execPath, [cli, 'filter', 'init', name, '--lang', lang], {
        cwd: folder,
      });
      const env = { ...process.env, CARGO_TARGET_DIR: 'target' };
      const run = (line: string) =>
        execFileSync('sh', ['-c', line], { cwd: join(folder, name), env, stdio: 'pipe' });
      try {
        run(obtain);
      } catch {
        // A compiler without a way to its registry is as good as none.
        console.info(`${lang}: its SDK cannot be fetched here`);
        continue;
      }
      run(command);
      const { url } = await startUpstream((request, response) => {
        response.end(`${request.headers['x-gateway']}`);
      });
      const chain = { filters: [{ name, config: 'from config' }] };
      const route = { paths: ['/'], filter_chains: [chain] };
      const { proxy } = await startGateway({
        filters: { [name]: join(folder, name, output) },
        config: { _format_version: '3.0', services: [{ name: 'one', url, routes: [route] }] },
      });
      for (const method of ['GET', 'POST']) {
        const body = method === 'POST' ? 'body' : undefined;
        const response = await fetch(proxy, { method, body });
        expect(await response.text()).toBe('from config');
        expect(response.headers.get('x-filtered')).toBe(lang);
      }
    }
  },
  buildMs,
);
