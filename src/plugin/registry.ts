/**
 * Finds the plugins a node may use: the bundled ones, modules by path or package, and given
 * objects.
 */

import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GatewayError } from '../errors.js';
import acl from './builtin/acl.js';
import basicAuth from './builtin/basic-auth.js';
import botDetection from './builtin/bot-detection/plugin.js';
import correlationId from './builtin/correlation-id.js';
import cors from './builtin/cors/plugin.js';
import datadog from './builtin/datadog.js';
import fileLog from './builtin/file-log.js';
import { functionPlugins } from './builtin/functions/plugin.js';
import hmacAuth from './builtin/hmac-auth/plugin.js';
import httpLog from './builtin/http-log.js';
import ipRestriction from './builtin/ip-restriction.js';
import jwt from './builtin/jwt/plugin.js';
import keyAuth from './builtin/key-auth.js';
import loggly from './builtin/loggly.js';
import oauth2 from './builtin/oauth2/plugin.js';
import opa from './builtin/opa/plugin.js';
import opentelemetry from './builtin/opentelemetry.js';
import prometheus from './builtin/prometheus.js';
import proxyCache from './builtin/proxy-cache/plugin.js';
import rateLimiting from './builtin/rate-limiting/plugin.js';
import redirect from './builtin/redirect.js';
import requestSizeLimiting from './builtin/request-size-limiting.js';
import requestTermination from './builtin/request-termination.js';
import requestTransformer from './builtin/request-transformer/plugin.js';
import responseRatelimiting from './builtin/response-ratelimiting/plugin.js';
import responseTransformer from './builtin/response-transformer/plugin.js';
import routeByClaim from './builtin/route-by-claim.js';
import session from './builtin/session/plugin.js';
import statsd from './builtin/statsd.js';
import syslog from './builtin/syslog.js';
import tcpLog from './builtin/tcp-log.js';
import udpLog from './builtin/udp-log.js';
import zipkin from './builtin/zipkin.js';
import { type AnyPlugin, definitionFault } from './define.js';

export type PluginRegistry = ReadonlyMap<string, AnyPlugin>;

/** Plugins that come with the gateway. */
export const bundledPlugins: readonly AnyPlugin[] = [
  acl,
  basicAuth,
  botDetection,
  correlationId,
  cors,
  datadog,
  fileLog,
  ...functionPlugins(false),
  hmacAuth,
  httpLog,
  ipRestriction,
  jwt,
  keyAuth,
  loggly,
  oauth2,
  opa,
  opentelemetry,
  prometheus,
  proxyCache,
  rateLimiting,
  redirect,
  requestSizeLimiting,
  requestTermination,
  requestTransformer,
  responseRatelimiting,
  responseTransformer,
  routeByClaim,
  session,
  statsd,
  syslog,
  tcpLog,
  udpLog,
  zipkin,
];

export interface PluginSources {
  /**
   * The node setting `plugins`: `bundled`, names of bundled plugins, paths of modules (`./x.mjs`)
   * or names of packages; a module's default export is the plugin, or an array of them.
   */
  readonly names: readonly string[];
  /** Plugins given as objects; they win over bundled ones of the same name. */
  readonly given?: readonly AnyPlugin[];
  /** Directory that relative paths and package names start from; default the working directory. */
  readonly from?: string;
  /** The setting `untrusted_js`: whether pre-function and post-function run. Default false. */
  readonly untrustedJs?: boolean;
}

/** The same where function bodies of the configuration may run. */
const withFunctions = bundledPlugins.map((plugin) => {
  return functionPlugins(true).find(({ name }) => name === plugin.name) ?? plugin;
});

/**
 * Loads every plugin of a node.
 * @throws GatewayError GW_E_PLUGIN_UNKNOWN where a module cannot be loaded, GW_E_PLUGIN_DEFINITION
 * where it is no plugin; the message says why
 */
export async function loadPlugins(sources: PluginSources): Promise<PluginRegistry> {
  const registry = new Map<string, AnyPlugin>();
  const bundled = sources.untrustedJs ? withFunctions : bundledPlugins;
  for (const name of sources.names) {
    if (name === 'bundled') {
      for (const plugin of bundled) registry.set(plugin.name, plugin);
      continue;
    }
    const known = bundled.find((plugin) => plugin.name === name);
    if (known) registry.set(name, known);
    else for (const plugin of await importPlugins(name, sources.from)) add(registry, plugin, name);
  }
  const given = new Set<string>();
  for (const plugin of sources.given ?? []) {
    check(plugin, 'plugins');
    if (given.has(plugin.name)) throw bad('plugins', `two plugins are named ${plugin.name}`);
    given.add(plugin.name);
    registry.set(plugin.name, plugin);
  }
  return registry;
}

/** Lets every log sink end what it holds; a sink that fails is left alone. */
export async function closePlugins(plugins: PluginRegistry): Promise<void> {
  await Promise.allSettled([...plugins.values()].map((plugin) => plugin.logSink?.close?.()));
}

function add(registry: Map<string, AnyPlugin>, plugin: AnyPlugin, source: string): void {
  check(plugin, source);
  const known = registry.get(plugin.name);
  if (known && known !== plugin) throw bad(source, `two plugins are named ${plugin.name}`);
  registry.set(plugin.name, plugin);
}

function check(value: unknown, source: string): void {
  const fault = definitionFault(value);
  if (fault) throw bad(source, fault);
}

async function importPlugins(name: string, from = process.cwd()): Promise<AnyPlugin[]> {
  let exported: unknown;
  try {
    const module = (await import(locate(name, from))) as { default?: unknown };
    exported = module.default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    const message = `plugin '${name}' cannot be loaded: ${reason}`;
    throw new GatewayError('GW_E_PLUGIN_UNKNOWN', message, { cause });
  }
  if (exported === undefined) throw bad(name, 'the module has no default export');
  return Array.isArray(exported) ? exported : [exported as AnyPlugin];
}

function locate(name: string, from: string): string {
  if (name.startsWith('file:')) return name;
  if (isAbsolute(name) || /^\.{1,2}\//.test(name)) return pathToFileURL(resolve(from, name)).href;
  return pathToFileURL(createRequire(resolve(from, 'package.json')).resolve(name)).href;
}

const bad = (source: string, reason: string): GatewayError =>
  new GatewayError('GW_E_PLUGIN_DEFINITION', `plugin '${source}': ${reason}`);
