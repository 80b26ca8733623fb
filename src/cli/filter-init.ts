/** Makes a folder with a filter that builds: from the examples that come with the package. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes } from './exit.js';

const examples = fileURLToPath(new URL('../../examples/filters/', import.meta.url));
const namePattern = /^[a-z][a-z0-9-]*$/;

interface Template {
  /** Folder or files below the examples, and where they go. */
  readonly files: readonly (readonly [from: string, to: string])[];
  readonly build: string;
  /** Where the build puts the module. */
  readonly output: (name: string) => string;
  /** Further files by path. */
  readonly more: (name: string) => Readonly<Record<string, string>>;
}

const assemblyScript: Template = {
  files: [
    ['assemblyscript/sdk.ts', 'assembly/sdk.ts'],
    ['assemblyscript/header-edit.ts', 'assembly/index.ts'],
  ],
  build: 'npm install && npm run build',
  output: (name) => `build/${name}.wasm`,
  more: (name) => ({
    'package.json': `${JSON.stringify(
      {
        name,
        private: true,
        type: 'module',
        scripts: {
          build: `asc assembly/index.ts --runtime incremental -O --outFile build/${name}.wasm`,
          test: 'npm run build && node test.mjs',
        },
        devDependencies: { assemblyscript: '^0.28.0' },
      },
      null,
      2,
    )}\n`,
  }),
};

const templates: Readonly<Record<string, Template>> = {
  as: assemblyScript,
  rust: {
    files: [
      ['rust/Cargo.toml', 'Cargo.toml'],
      ['rust/src/lib.rs', 'src/lib.rs'],
    ],
    build: 'cargo build --release --target wasm32-wasip1',
    output: () => 'target/wasm32-wasip1/release/filter.wasm',
    more: () => ({}),
  },
  go: {
    files: [
      ['go/go.mod', 'go.mod'],
      ['go/main.go', 'main.go'],
    ],
    build: 'go mod tidy && GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o filter.wasm .',
    output: () => 'filter.wasm',
    more: () => ({}),
  },
};

/** @throws Error for a bad name, an unknown language, a folder that is not empty */
export async function initFilter(name: string, lang: string): Promise<number> {
  if (!namePattern.test(name)) throw new Error(`'${name}': expected lower-case letters, digits, -`);
  const template = templates[lang];
  if (!template) throw new Error(`--lang ${lang}: expected one of ${Object.keys(templates)}`);
  await mkdir(name);
  for (const [from, to] of template.files) {
    await mkdir(join(name, to, '..'), { recursive: true });
    await cp(join(examples, from), join(name, to));
  }
  const more = { ...template.more(name), ...commonFiles(name, template) };
  for (const [path, text] of Object.entries(more)) await writeFile(join(name, path), text);
  process.stdout.write(
    `made ${name}/; next:\n  cd ${name}\n  ${template.build}\n  node test.mjs\n`,
  );
  return exitCodes.done;
}

function commonFiles(name: string, template: Template): Record<string, string> {
  const output = template.output(name);
  return {
    'README.md': [
      `# ${name}`,
      '',
      `Build: \`${template.build}\``,
      '',
      `Try: \`headgate filter run ${output} --config value -- http://localhost/\``,
      '',
      'Test: `node test.mjs` (after the build)',
      '',
    ].join('\n'),
    'test.mjs': [
      "import assert from 'node:assert';",
      "import { execFileSync } from 'node:child_process';",
      '',
      "const headgate = (process.env.HEADGATE ?? 'npx headgate').split(' ');",
      `const run = ['filter', 'run', '${output}', '--config', 'value', '--quiet', '--'];`,
      "const args = [...headgate.slice(1), ...run, 'http://localhost/'];",
      "const text = execFileSync(headgate[0], args, { encoding: 'utf8' });",
      'assert.match(text, /^x-gateway: value$/m);',
      'assert.match(text, /^x-filtered: /m);',
      "console.log('ok');",
      '',
    ].join('\n'),
  };
}
