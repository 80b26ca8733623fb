/**
 * The matcher inside a route table: how a request finds its route without looking at all of them.
 * All offsets count from the table's base, all indices from 0 in their own array.
 *
 *   +-------------+   name      +----------+   root    +----------+  firstChild  +----------+
 *   | Matcher     |-- hash ---> | HostSlot |---------> | PathNode |------------> | PathNode |..
 *   | exact       |             +----------+           | label    |  (children   | label    |
 *   | leftmost *. |                                    | best     |   are        |          |
 *   | rightmost .*|             any host               | cand...  |   adjacent)  | cand...  |
 *   | anyHost     |----------------------------------> +----|-----+              +----|-----+
 *   +-------------+                                         v                         v
 *                                       +-----------------------------------+
 *                                       | Candidate[]  best order first     |
 *                                       | order, route, port, prefixLength  |
 *                                       | checks ---> Check[] -> CheckItem[]|
 *                                       +-----------------------------------+
 *
 * `order` numbers every pseudo-route of the configuration from 0, best rank first, so one compare
 * decides between candidates of different hosts and paths. `best` of a node is the lowest order in
 * its subtree: a walk that cannot improve the answer stops there.
 */
import type { Field } from './layout.js';

export const matcherCodes = {
  /** Request fields that some route of the table looks at. */
  need: {
    METHOD: 1,
    HOST: 2,
    PATH: 4,
    HEADER: 8,
    SNI: 16,
    SOURCE: 32,
    DESTINATION: 64,
    QUERY: 128,
  },
  checkOp: {
    METHOD: 1,
    HEADER: 2,
    SNI: 3,
    PATH_REGEX: 4,
    SOURCE: 5,
    DESTINATION: 6,
    // those of the flavour `traditional`
    HEADER_AS_SENT: 7,
    PATH_REGEX_TAIL: 8,
    // those of the flavour `expressions`: the kind of connection, and the expression itself
    CLEAR: 16,
    SECURE: 17,
    EXPRESSION: 18,
  },
  /** How hosts are split and compared. */
  matcherFlavor: { ENGINE: 0, TRADITIONAL: 1 },
  regexOp: {
    MATCH: 1,
    CHARACTER: 2,
    CLASS: 3,
    SPLIT: 4,
    JUMP: 5,
    SAVE: 6,
    START: 7,
    END: 8,
    LINE_START: 9,
    LINE_END: 10,
    WORD: 11,
    NOT_WORD: 12,
  },
  itemKind: { EXACT: 1, ENDS_WITH: 2, STARTS_WITH: 3, REGEX: 4, ADDRESS: 5, EXPRESSION: 6 },
  addressFamily: { ANY: 0, V4: 4, V6: 6 },
  /** Why `route_commit` refused a table. */
  tableError: {
    NONE: 0,
    HEADER: 1,
    ROUTES: 2,
    SERVICES: 3,
    HOSTS: 4,
    NODES: 5,
    CANDIDATES: 6,
    CHECKS: 7,
    REGEX: 8,
    EXPRESSION: 9,
    POLICIES: 10,
  },
} as const;

export const matcherStructs = {
  Matcher: [
    ['u32', 'exact', 'offset of HostSlot[exactMask + 1]'],
    ['u32', 'exactMask', 'slot count - 1; at most half of the slots are taken'],
    ['u32', 'exactMax', 'longest name; 0: no slot is taken'],
    ['u32', 'left', 'the same for *.name, stored with its leading dot'],
    ['u32', 'leftMask', ''],
    ['u32', 'leftMax', ''],
    ['u32', 'right', 'the same for name.*, stored with its trailing dot'],
    ['u32', 'rightMask', ''],
    ['u32', 'rightMax', ''],
    [
      'u32',
      'bare',
      'traditional: exact hosts without the port of the request; else: hosts in lower case',
    ],
    ['u32', 'bareMask', ''],
    ['u32', 'bareMax', ''],
    ['u32', 'flavor', 'matcherFlavor code'],
    ['i32', 'anyHost', 'node of the routes without hosts, -1: none'],
    ['u32', 'nodes', 'offset of PathNode[]'],
    ['u32', 'nodeCount', ''],
    ['u32', 'candidates', 'offset of Candidate[]'],
    ['u32', 'candidateCount', ''],
    ['u32', 'checks', 'offset of Check[]'],
    ['u32', 'checkCount', ''],
    ['u32', 'items', 'offset of CheckItem[]'],
    ['u32', 'itemCount', ''],
  ],
  /** Open addressing, linear probing. */
  HostSlot: [
    ['u32', 'hash', 'of the name, see src/core/route-hosts.ts'],
    ['u32', 'name', 'offset'],
    ['u32', 'nameLength', '0: the slot is free'],
    ['u32', 'root', 'node'],
  ],
  PathNode: [
    ['u32', 'label', 'offset of the bytes between the parent and this node'],
    ['u32', 'labelLength', '0 only at a root'],
    ['u32', 'best', 'lowest order in this subtree'],
    ['u32', 'candidates', 'index of the first'],
    ['u32', 'candidateCount', ''],
    ['u32', 'firstChild', 'node; above this one, so that every walk ends'],
    ['u32', 'childCount', ''],
    ['u32', 'firsts', 'offset of the first label bytes of the children, 16-byte padded'],
  ],
  Candidate: [
    ['u32', 'order', '0: tried before all others'],
    ['u32', 'route', 'index'],
    ['u32', 'port', 'port of the host condition + 1, 0: any'],
    ['u32', 'prefixLength', 'of the plain path'],
    ['u32', 'checks', 'index of the first'],
    ['u32', 'checkCount', 'all must hold'],
  ],
  Check: [
    ['u32', 'op', 'checkOp code'],
    ['u32', 'name', 'offset: header name in lower case with _ for -'],
    ['u32', 'nameLength', ''],
    ['u32', 'items', 'index of the first'],
    ['u32', 'itemCount', 'one must hold'],
  ],
  CheckItem: [
    ['u32', 'kind', 'itemKind code'],
    ['u32', 'bytes', 'offset of the text, the compiled pattern or the AddressItem'],
    ['u32', 'length', 'bytes'],
  ],
  /** An element of `sources` or `destinations`. */
  AddressItem: [
    ['bytes16', 'address', 'IPv6, or IPv4 mapped into ::ffff:0:0/96; host bits zero'],
    ['u32', 'prefixBits', '0 to 128'],
    ['u32', 'port', 'port + 1, 0: any'],
    ['u32', 'family', 'addressFamily code; ANY: the address does not matter'],
  ],
  /** A compiled pattern: this, then RegexInstruction[], then the words of its classes. */
  RegexProgram: [
    ['u32', 'instructionCount', ''],
    ['u32', 'classWords', ''],
    ['u32', 'slotCount', 'two per group, the whole match included'],
    ['u32', 'anchored', '1: matches start at the start of the text only'],
    ['u32', 'foldText', '1: ASCII capitals of the text count as small letters'],
    ['u32', 'bytes', '1: the text is bytes, not UTF-8'],
  ],
  /**
   * A class is u32[4] of bits for ASCII, the number of ranges beyond ASCII, and for each of those
   * the first and the last code point, in order.
   */
  RegexInstruction: [
    ['u32', 'op', 'regexOp code'],
    ['u32', 'x', 'CHARACTER: code point; CLASS, WORD, NOT_WORD: class in words; SPLIT, JUMP: next'],
    ['u32', 'y', 'SPLIT: the less preferred next'],
  ],
} as const satisfies Record<string, readonly Field[]>;
