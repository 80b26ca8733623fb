/** What the plugins of a route come to where the core can run all of them. */
import type { AddressRange } from './address.js';

/** One edit, as the `editOp` codes have it. */
export interface ReadyEdit {
  readonly op: number;
  readonly name: string;
  readonly value: string;
}

/** One plugin of a policy; kinds and codes are those of src/codegen/policy.ts. */
export type PolicyStepInput =
  | {
      readonly kind: 'KEY_AUTH';
      readonly flags: number;
      /** Of keys, as they were configured. */
      readonly names: readonly string[];
    }
  | {
      readonly kind: 'RATE_LIMIT';
      readonly flags: number;
      readonly windows: readonly PolicyWindowInput[];
      /** A `policySubject` code. */
      readonly subject: number;
      /** Header name in lower case with dashes, path, or id of the service. */
      readonly text: string;
      /** The counter hash behind what all keys begin with. */
      readonly state: { readonly low: number; readonly high: number; readonly length: number };
    }
  | { readonly kind: 'ADDRESSES'; readonly flags: number; readonly ranges: readonly PolicyRange[] }
  | {
      readonly kind: 'EDITS' | 'CORS';
      readonly flags: number;
      readonly edits: readonly ReadyEdit[];
    }
  | {
      readonly kind: 'REQUEST_ID' | 'TRIGGER';
      readonly flags: number;
      /** Of the header, as it was configured. */
      readonly name: string;
    }
  | {
      readonly kind: 'TRANSFORM';
      readonly flags: number;
      readonly changes: readonly PolicyChangeInput[];
    };

export interface PolicyWindowInput {
  /** A `period` code. */
  readonly period: number;
  readonly limit: number;
  /** Names of the fields for the client. */
  readonly limitName: string;
  readonly remainingName: string;
}

export interface PolicyRange extends AddressRange {
  /** An `addressFamily` code. */
  readonly family: number;
}

export interface PolicyChangeInput {
  /** A `policyChangeOp` code. */
  readonly op: number;
  readonly name: string;
  readonly value: string;
}

/** A key and what a request with it becomes. */
export interface PolicyKey {
  /** One character per byte. */
  readonly key: string;
  readonly edits: readonly ReadyEdit[];
  readonly consumerId: string;
  readonly credentialId: string;
  /** In the shell's list of credentials. */
  readonly place: number;
}

export interface PolicyInput {
  readonly steps: readonly PolicyStepInput[];
  /** Access steps of the plan that the policy stands for, from the first; 0: all of the plan. */
  readonly accessSteps: number;
}

export interface PolicyTableInput {
  readonly policies: readonly PolicyInput[];
  /** Null: no policy needs them. */
  readonly keys: readonly PolicyKey[] | null;
}
