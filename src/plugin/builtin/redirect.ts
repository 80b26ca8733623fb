/** Kong's redirect: sends every client elsewhere. */
import { definePlugin } from '../define.js';

const fields = {
  status_code: { type: 'integer', required: true, default: 301, between: [100, 599] },
  location: { type: 'string', required: true, format: 'url', description: 'Where to.' },
  keep_incoming_path: {
    type: 'boolean',
    default: false,
    description: 'Path and query of the request instead of those of `location`.',
  },
} as const;

export default definePlugin({
  name: 'redirect',
  version: '3.10.0',
  priority: 779,
  schema: { fields, scopes: ['consumer', 'service', 'route', 'global'] },
  access({ config, request, response }) {
    let { location } = config;
    if (config.keep_incoming_path) {
      const [, base = '', fragment = ''] = /^([^/]*\/\/[^/?#]*)[^#]*(#.*)?$/.exec(location) ?? [];
      const query = request.rawQuery === '' ? '' : `?${request.rawQuery}`;
      location = `${base}${request.path}${query}${fragment}`;
    }
    response.exit(config.status_code, 'redirecting', { Location: location });
  },
});
