/**
 * Compiled plugins inside a route table. A route whose plugins can run in the core, all of them or
 * the first ones, has a policy; the core runs it instead of calling the shell, or before it does,
 * or leaves a request to the shell.
 *
 *   RouteRecord.policy --> Policy --> PolicyStep[] (in the order of the plan) --> items, text
 *   TableHeader.keys --> KeyTable --> KeySlot[] (open addressing) --> PolicyCredential[]
 */
import type { Field } from './layout.js';

export const policyCodes = {
  policyKind: {
    KEY_AUTH: 1, // items: PolicyName[], names of keys
    RATE_LIMIT: 2, // items: PolicyWindow[]; text: header name or path of limit_by
    ADDRESSES: 3, // items: AddressItem[]; the client must be in one of them, with DENY in none
    EDITS: 4, // text: Edit records as the edits region has them
    CORS: 5, // text: as EDITS; nothing for OPTIONS
    REQUEST_ID: 6, // text: name of the header
    TRIGGER: 7, // text: name of a header or argument that must be absent
    TRANSFORM: 8, // items: PolicyChange[], changes of request headers
  },
  policyFlag: {
    IN_HEADER: 1,
    IN_QUERY: 2,
    HIDE: 4, // the key from the upstream, the headers from the client
    NOT_OPTIONS: 8, // OPTIONS requests are the shell's
    DENY: 16,
    TO_CLIENT: 32, // edits are of the answer
    COUNTED: 64, // ids are counted, not random
    NEEDS_ORIGIN: 128, // only where the request names an origin
  },
  /** Whose requests a rate limit counts together; the client's address where that is unknown. */
  policySubject: { ADDRESS: 0, CONSUMER: 1, CREDENTIAL: 2, SERVICE: 3, HEADER: 4, PATH: 5 },
  period: { SECOND: 0, MINUTE: 1, HOUR: 2, DAY: 3, MONTH: 4, YEAR: 5 },
  /** REMOVE and REPLACE where the field is there, ADD where it is not, APPEND always. */
  policyChangeOp: { REMOVE: 1, REPLACE: 2, ADD: 3, APPEND: 4 },
} as const;

export const policyStructs = {
  Policy: [
    ['u32', 'steps', 'offset of PolicyStep[]'],
    ['u32', 'stepCount', ''],
    ['u32', 'accessSteps', 'of the plan, the first ones that it stands for; 0: nothing is left'],
  ],
  PolicyStep: [
    ['u32', 'kind', 'policyKind code'],
    ['u32', 'flags', 'policyFlag bits'],
    ['u32', 'items', 'offset'],
    ['u32', 'itemCount', ''],
    ['u32', 'text', 'offset'],
    ['u32', 'textLength', 'bytes'],
    ['u32', 'count', 'edits in the text'],
    ['u32', 'subject', 'policySubject code'],
    ['u32', 'low', 'state of the counter hash behind what all keys begin with'],
    ['u32', 'high', ''],
    ['u32', 'hashed', 'characters that are in that state'],
  ],
  PolicyName: [
    ['u32', 'name', 'offset, in lower case, dashes for underscores'],
    ['u32', 'nameLength', ''],
    ['u32', 'argument', 'offset, as it was configured'],
    ['u32', 'argumentLength', ''],
  ],
  PolicyWindow: [
    ['u32', 'period', 'period code'],
    ['u32', 'limit', ''],
    ['u32', 'limitName', 'offset of the name of the field with the limit'],
    ['u32', 'limitNameLength', ''],
    ['u32', 'remainingName', 'offset'],
    ['u32', 'remainingNameLength', ''],
  ],
  PolicyChange: [
    ['u32', 'op', 'policyChangeOp code'],
    ['u32', 'name', 'offset'],
    ['u32', 'nameLength', ''],
    ['u32', 'value', 'offset'],
    ['u32', 'valueLength', ''],
  ],
  KeyTable: [
    ['u32', 'slots', 'offset of KeySlot[], a power of two of them'],
    ['u32', 'slotCount', ''],
    ['u32', 'credentials', 'offset of PolicyCredential[]'],
    ['u32', 'credentialCount', ''],
    ['u32', 'longestKey', 'bytes'],
  ],
  KeySlot: [
    ['u32', 'hash', 'FNV-1a of the key'],
    ['u32', 'credential', 'index + 1, 0: empty'],
  ],
  PolicyCredential: [
    ['u32', 'key', 'offset'],
    ['u32', 'keyLength', ''],
    ['u32', 'edits', 'offset of Edit records for the upstream: who the client is'],
    ['u32', 'editBytes', ''],
    ['u32', 'editCount', ''],
    ['u32', 'consumer', 'offset of the id'],
    ['u32', 'consumerLength', ''],
    ['u32', 'credential', 'offset of the id'],
    ['u32', 'credentialLength', ''],
    ['u32', 'place', 'in the list of the shell'],
  ],
  /** In the reply region while phase COUNT is called: as many as `PhaseView.status` says. */
  CounterAsk: [
    ['u32', 'low', 'hash of the key'],
    ['u32', 'high', ''],
    ['u32', 'keptSeconds', 'a new counter ends so much later'],
    ['u32', 'limit', ''],
    ['f64', 'used', 'written by the shell: what was counted before'],
  ],
} as const satisfies Record<string, readonly Field[]>;
