/** Kong's file-log: appends log records to a file, one JSON line each. */
import { type CustomFieldsConfig, customFields, recordText } from '../../log/custom-fields.js';
import { oneAttempt } from '../../log/one-attempt.js';
import { FileSink } from '../../log/sink/file.js';
import { definePlugin } from '../define.js';

const sink = new FileSink();

const schema = {
  fields: {
    path: {
      type: 'string',
      required: true,
      check: pathFault,
      description: 'The file; made with mode 0644 where it does not exist.',
    },
    reopen: {
      type: 'boolean',
      required: true,
      default: false,
      description: 'Open the file anew for every write.',
    },
    ...customFields,
  },
} as const;

interface FileLogConfig extends CustomFieldsConfig {
  readonly path: string;
  readonly reopen: boolean;
}

export default definePlugin({
  name: 'file-log',
  version: '3.10.0',
  priority: 9,
  schema,
  logSink: {
    queue: () => oneAttempt,
    send: (batch, config: FileLogConfig) => {
      const lines = batch.map((entry) => `${recordText(entry, config)}\n`);
      return sink.append(config.path, lines.join(''), config.reopen);
    },
    reopen: () => sink.reopen(),
    close: () => sink.close(),
  },
});

function pathFault(path: string): string | undefined {
  return path.trim() === path && /^[^*&%\\`]+$/.test(path) ? undefined : 'not a valid filename';
}
