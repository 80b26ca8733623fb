/**
 * The same features elsewhere: keys of 1,000 clients and a limit for each, in nginx with Lua and in
 * fast-gateway. Both are written for speed: one look-up, one counter, the headers that Headgate
 * sends; neither has its plugins' schemas, scopes or other sources of keys.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, freePort, startProgram } from '../process.mjs';

const moduleFolders = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules'];

/** The module of nginx that runs Lua, with what it needs; null where one is not installed. */
function luaModules() {
  const folder = moduleFolders.find((path) => existsSync(join(path, 'ngx_http_lua_module.so')));
  if (!folder) return null;
  const kit = join(folder, 'ndk_http_module.so');
  return [...(existsSync(kit) ? [kit] : []), join(folder, 'ngx_http_lua_module.so')];
}

const access = `
      access_by_lua_block {
        local client = keys[ngx.var.http_apikey or ""]
        if not client then
          ngx.status = 401
          ngx.say('{"message":"Unauthorized"}')
          return ngx.exit(401)
        end
        ngx.req.set_header("X-Consumer-Username", client)
        ngx.req.set_header("X-Credential-Identifier", client)
        local second = math.floor(ngx.now())
        local count = ngx.shared.limits:incr(client .. second, 1, 0, 2)
        if count > limit then return ngx.exit(429) end
        local left = limit - count
        ngx.header["X-RateLimit-Limit-Second"] = limit
        ngx.header["X-RateLimit-Remaining-Second"] = left
        ngx.header["RateLimit-Limit"] = limit
        ngx.header["RateLimit-Remaining"] = left
        ngx.header["RateLimit-Reset"] = 1
      }`;

/** nginx with one worker; `features`: with keys and limits. Undefined where it cannot be had. */
export async function startNginxLua(folder, upstreamPort, { features = true } = {}) {
  const program = findProgram('nginx');
  const modules = luaModules();
  if (!program || !modules) return undefined;
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `${modules.map((path) => `load_module ${path};`).join('\n')}
daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 8192; }
http {
  access_log off;
  lua_shared_dict limits 16m;
  init_by_lua_block {
    keys, limit = {}, 1000000
    for i = 0, 999 do keys[string.format("key-%04d", i)] = "consumer-" .. i end
  }
  keepalive_requests 100000000; keepalive_timeout 3600s; tcp_nodelay on;
  client_body_temp_path ${folder}/n1; proxy_temp_path ${folder}/n2; fastcgi_temp_path ${folder}/n3;
  uwsgi_temp_path ${folder}/n4; scgi_temp_path ${folder}/n5;
  upstream target { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {${features ? access : ''}
      proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Connection "";
    }
  }
}
`,
  );
  return startProgram(program, ['-c', file, '-e', `${folder}/nginx.log`], { port });
}

/** Middleware of fast-gateway for the same. */
export function keysAndLimits() {
  const clients = new Map();
  for (let i = 0; i < 1000; i++) clients.set(`key-${String(i).padStart(4, '0')}`, `consumer-${i}`);
  const limit = 1_000_000;
  let second = 0;
  const counts = new Map();
  const authenticate = (request, response, next) => {
    const client = clients.get(request.headers.apikey);
    if (!client) {
      response.statusCode = 401;
      return response.end('{"message":"Unauthorized"}');
    }
    request.headers['x-consumer-username'] = client;
    request.headers['x-credential-identifier'] = client;
    request.client = client;
    return next();
  };
  const restrain = (request, response, next) => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      second = now;
      counts.clear();
    }
    const count = (counts.get(request.client) ?? 0) + 1;
    counts.set(request.client, count);
    if (count > limit) {
      response.statusCode = 429;
      return response.end();
    }
    response.setHeader('X-RateLimit-Limit-Second', limit);
    response.setHeader('X-RateLimit-Remaining-Second', limit - count);
    response.setHeader('RateLimit-Limit', limit);
    response.setHeader('RateLimit-Remaining', limit - count);
    response.setHeader('RateLimit-Reset', 1);
    return next();
  };
  return [authenticate, restrain];
}
