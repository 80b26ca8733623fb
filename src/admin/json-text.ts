/** Answers that are too long to be written in one go. */
import { itemsPerStep, type Steps } from '../slices.js';

/** A body that is JSON already. */
export class JsonText {
  constructor(readonly text: string) {}
}

/** The JSON of entities by collection and id, in steps. */
export function* entitiesText(
  entities: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Steps<JsonText> {
  const collections: string[] = [];
  for (const [name, byId] of Object.entries(entities)) {
    const members: string[] = [];
    for (const [index, id] of Object.keys(byId).entries()) {
      if (index % itemsPerStep === 0) yield;
      members.push(`${JSON.stringify(id)}:${JSON.stringify(byId[id])}`);
    }
    collections.push(`${JSON.stringify(name)}:{${members.join(',')}}`);
  }
  return new JsonText(`{${collections.join(',')}}`);
}
