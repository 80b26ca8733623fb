/**
 * Every limit of the gateway: its value, its unit and what happens when it is reached.
 * The generator copies the ones marked `core: true` into `assembly/layout.ts`, so that the Wasm
 * core and the shell cannot disagree. Nothing else in the project spells a limit out.
 */

export interface Limit {
  readonly value: number;
  readonly unit: 'bytes' | 'count' | 'ms' | 'bits';
  /** What happens at the limit, in one sentence. */
  readonly at: string;
  /** True where the Wasm core needs the number too. */
  readonly core?: boolean;
}

const bytes = (value: number, at: string, core = true): Limit => ({
  value,
  unit: 'bytes',
  at,
  core,
});
const count = (value: number, at: string, core = true): Limit => ({
  value,
  unit: 'count',
  at,
  core,
});
const ms = (value: number, at: string, core = true): Limit => ({ value, unit: 'ms', at, core });

export const limits = {
  requestLineBytes: bytes(8192, 'answered 414 (RFC 9110 15.5.15); 8000 octets are supported'),
  requestHeadBytes: bytes(32768, 'answered 431 (RFC 6585 5)'),
  responseHeadBytes: bytes(32768, 'the upstream answer is discarded and 502 is sent'),
  headerCount: count(200, 'request answered 431, response turned into 502'),
  headerNameBytes: bytes(1024, 'request answered 431, response turned into 502'),
  chunkExtensionBytes: bytes(4096, 'per chunk; the message ends visibly (400 or a cut answer)'),
  trailerBytes: bytes(8192, 'the message ends visibly (400 or a cut answer)'),
  informationalResponses: count(32, 'per exchange; the upstream answer becomes 502'),
  leadingEmptyLines: count(4, 'before a request line; answered 400'),
  pipelineBytes: bytes(65536, 'held behind a running exchange; reading is paused'),
  downstreamConnections: count(16384, 'a further connection is closed at once and counted'),
  upstreamConnections: count(16384, 'a further exchange is answered 503'),
  targets: count(16384, 'a configuration that needs more is refused'),
  balancers: count(4096, 'a configuration with more upstreams is refused'),
  balancerViews: count(16384, 'a configuration that uses upstreams in more ways is refused'),
  balancerPeers: count(16384, 'further addresses of targets are left out, with a log line'),
  balancerTableBytes: bytes(15728640, 'a configuration whose upstreams need more is refused'),
  balancerTurns: count(65536, 'weights that need more turns for a round are rounded', false),
  upstreamTries: count(64, 'upper bound of 1 + retries for one exchange'),
  eventsPerBatch: count(4096, 'the driver hands over the rest in the next batch'),
  commandsPerBatch: count(65536, 'bug guard: reached only by a fault in the core, which traps'),
  metricSlots: count(16384, 'further routes share slot 0, the overflow series'),
  proxyCacheBytes: bytes(134217728, 'of a worker; the least used answers go first', false),
  proxyCacheBodyBytes: bytes(8388608, 'a larger answer is passed on and not kept', false),
  oauthTokens: count(100000, 'of a worker, and as many codes; the oldest go first', false),
  sharedCounters: count(65536, 'the counter that ends first makes room for a new one', false),
  webSocketClientBytes: bytes(1048576, 'of a message; closed with 1009 (RFC 6455 7.4.1)', false),
  webSocketUpstreamBytes: bytes(16777216, 'of a message; closed with 1009', false),
  webSocketPayloadBytes: bytes(33554432, 'a plugin that asks for more is refused', false),
  webSocketCloseMs: ms(5000, 'from the first close frame on; then the connections close', false),
  rings: count(256, 'a configuration that needs more log queues is refused'),
  ringsPerRoute: count(8, 'a configuration that needs more log queues on one route is refused'),
  ringEntryBytes: bytes(65024, 'heads in the record are cut and flagged as cut'),
  ringBytes: bytes(33554432, 'waiting in one log queue; the oldest entries are dropped', false),
  journalSegmentBytes: bytes(
    16777216,
    'of one file of a queue journal; the next entry begins another',
    false,
  ),
  recordExpressionBytes: bytes(2048, 'a custom field whose expression is longer is refused', false),
  recordExpressionDepth: count(
    32,
    'a custom field whose expression nests deeper is refused',
    false,
  ),
  expressionFields: count(100, 'a log plugin with more custom fields is refused', false),
  expressionListItems: count(1000, 'split() gives no more parts', false),
  expressionResultBytes: bytes(65536, 'a longer text made by an expression is null', false),
  noteBytes: bytes(
    65536,
    'of record values set by plugins for one request; more is an error',
    false,
  ),
  notedRequests: count(32768, 'the older half of all notes for log records is forgotten', false),
  notesBytes: bytes(33554432, 'the older half of all notes for log records is forgotten', false),
  tappedLines: count(1000, 'further log lines of one request are not shipped as logs', false),
  tappedRequests: count(1024, "the oldest request's log lines are not shipped as logs", false),
  regexInstructions: count(4096, 'a pattern that compiles to more is refused'),
  regexGroups: count(31, 'a pattern with more capture groups is refused'),
  regexDepth: count(64, 'a pattern with more nested groups is refused', false),
  expressionBytes: bytes(65536, 'a longer expression of a route is refused', false),
  expressionDepth: count(64, 'an expression with more nested parentheses is refused'),
  expressionReach: count(256, 'a route that more hosts times paths lead to is tried on all', false),
  routeArenaBytes: bytes(100663296, 'a route table that needs more is refused'),
  policyKeys: count(100000, 'with more keys key-auth is left to the shell', false),
  clientPlans: count(1024, 'of one route kept for clients; above it they are made anew', false),
  metricLabelSets: count(20000, 'further label sets of the prometheus plugin count not', false),
  policyAnswerMs: ms(10000, 'a request that a policy decides about is answered 500', false),
  policyAnswerBytes: bytes(1048576, 'of a policy server; the request is answered 500', false),
  bodyJsonDepth: count(1000, 'a JSON body nested deeper is none to plugins', false),
  pluginSpans: count(100, 'of one request, and events of one span; further ones are lost', false),
  argumentsRead: count(1000, 'arguments or headers that a plugin may ask for at once', false),
  verifiedTokens: count(1000, 'of the jwt plugin; the oldest is verified again', false),
  verifiedTokenBytes: bytes(4096, 'longer ones are verified at every request', false),
  pluginCacheEntries: count(10000, 'in the cache of one plugin; the least recently used go', false),
  editBytes: bytes(262144, 'header edits or a local reply above it: plugin error, answered 500'),
  replyBodyBytes: bytes(1048576, 'a body given to response.exit above it is an error'),
  pullBytes: bytes(65536, 'of a body that the shell hands over at once; the rest follows'),
  pullsPerEvent: count(4, 'the rest waits until the driver has reported back-pressure'),
  unsentBytesPerConnection: bytes(1048576, 'hard cap kept by the driver; the connection is reset'),
  proxyHeaderBytes: bytes(4096, 'of a PROXY protocol header; the connection is reset'),
  drainClientBodyBytes: bytes(
    65536,
    'of an unread request body after an early answer; then closed',
  ),
  tlsHandshakes: count(1024, 'per listener at a time; a further connection is closed', false),
  tlsHandshakeMs: ms(60000, 'a client whose handshake takes longer is closed', false),
  lingerMs: ms(1000, 'time to read on after an error answer, so that the peer sees it'),
  timerTickMs: ms(
    32,
    'granularity of the timer wheel: no deadline fires early, at most one tick late',
  ),
  resolvedNameMs: ms(1000, 'an upstream name is looked up again for the next connection', false),
  targetNameMs: ms(5000, 'the name of a target is looked up again', false),
  probeTickMs: ms(50, 'an active health check begins so much late at most', false),
  connectAttemptMs: ms(250, 'the next address of an upstream name is tried', false),
  resolvedNames: count(4096, 'remembered addresses of upstream names are forgotten', false),
  configBytes: bytes(67108864, 'a configuration document above it is refused', false),
  configAliasNodes: count(1000000, 'a document whose aliases copy more values is refused', false),
  loadSliceMs: ms(4, 'of work on a new configuration; then events are handled', false),
  configDepth: count(64, 'a document nested deeper is refused', false),
  filterModuleBytes: bytes(67108864, 'a larger filter module is refused', false),
  filterMemoryPages: count(
    2048,
    'of 64 KiB for an instance: growth fails inside; a module that starts with more is refused',
    false,
  ),
  filterMapPairs: count(1024, 'a longer header list from a filter gets BadArgument', false),
  filterMapBytes: bytes(1048576, 'a larger header list from a filter gets BadArgument', false),
  filterInlineBytes: bytes(
    262144,
    'a larger module is checked and compiled in a thread of its own',
    false,
  ),
  filterRandomBytes: bytes(65536, 'asked for by a filter at once; more gets EINVAL', false),
  filterLogBytes: bytes(8192, 'a longer message of a filter is cut', false),
  filterBodyBytes: bytes(
    1048576,
    'held for a paused filter in one direction: request 413, response 502 or cut',
    false,
  ),
  filterMeasuredBytes: bytes(
    65536,
    'body of an answer that filters may change: its head waits until its length is known',
    false,
  ),
  filterReplyBodyBytes: bytes(1048576, 'a larger local response gets BadArgument', false),
  filterCalls: count(64, 'pending calls of one context; a further one gets InternalFailure', false),
  filterCallBodyBytes: bytes(4194304, 'a larger answer to a call counts as failed', false),
  filterSharedBytes: bytes(16777216, 'shared data: a further value gets InternalFailure', false),
  filterSharedKeys: count(65536, 'shared data: a further key gets InternalFailure', false),
  filterSharedMemoryBytes: bytes(
    67108864,
    'of shared data and queues of all threads: a further value gets InternalFailure',
    false,
  ),
  filterQueues: count(1024, 'shared queues: a further one gets InternalFailure', false),
  filterQueueBytes: bytes(4194304, 'in one shared queue: more gets InternalFailure', false),
  filterMetrics: count(4096, 'names of one filter: a further one gets InternalFailure', false),
  filterMetricNameBytes: bytes(256, 'a longer metric name gets BadArgument', false),
  filterPauseMs: ms(60000, 'an exchange paused longer by a filter is answered 504', false),
  filterQuarantineMs: ms(
    60000,
    'a filter that ran for too long is not started again before',
    false,
  ),
  filterDoneMs: ms(5000, 'a context that waits with proxy_done longer is deleted', false),
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof limits;
