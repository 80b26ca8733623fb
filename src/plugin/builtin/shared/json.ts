/** JSON of bodies, which clients and upstreams write as they like. */
import { limits } from '../../../limits.js';

/** The value; undefined where the text is no JSON, or nests deeper than limits.bodyJsonDepth. */
export function parseJson(text: string): unknown {
  if (depthOf(text) > limits.bodyJsonDepth.value) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How deep brackets nest outside of strings; of a text that is no JSON some number. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (isInString) {
      if (char === 0x5c) i++;
      else if (char === 0x22) isInString = false;
    } else if (char === 0x22) isInString = true;
    else if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (char === 0x7d || char === 0x5d) depth--;
  }
  return deepest;
}
