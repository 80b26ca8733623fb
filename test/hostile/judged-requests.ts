/** Requests with what the upstream must see of them, for the judge behind the simulator. */
import { chunkVectors, codingVectors, lengthVectors } from './request-framing.js';
import {
  fieldVectors,
  hopVectors,
  hostVectors,
  lineVectors,
  targetVectors,
} from './request-heads.js';
import type { RequestVector } from './vector.js';

export const judgedVectors: readonly RequestVector[] = [
  ...lengthVectors,
  ...codingVectors,
  ...chunkVectors,
  ...lineVectors,
  ...targetVectors,
  ...hostVectors,
  ...fieldVectors,
  ...hopVectors,
];
