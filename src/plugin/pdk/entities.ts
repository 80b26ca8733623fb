/** The configuration's entities as plugins look them up. */
import type { EntityLookup } from '../../config/lookup.js';
import type {
  Consumer,
  ConsumerGroup,
  CredentialCollection,
  CredentialOf,
} from '../../config/model.js';
import type { PluginEntities } from '../pdk-types.js';

export class StepEntities implements PluginEntities {
  readonly #lookup: EntityLookup | undefined;

  constructor(lookup: EntityLookup | undefined) {
    this.#lookup = lookup;
  }

  consumer(id: string): Consumer | null {
    return this.#lookup?.consumer('id', id) ?? null;
  }

  consumerByName(username: string): Consumer | null {
    return this.#lookup?.consumer('username', username) ?? null;
  }

  find<C extends CredentialCollection>(
    collection: C,
    field: string,
    value: string,
  ): CredentialOf[C] | null {
    return this.#lookup?.find(collection, field, value) ?? null;
  }

  ofConsumer<C extends CredentialCollection>(
    collection: C,
    consumerId: string,
  ): readonly CredentialOf[C][] {
    return this.#lookup?.ofConsumer(collection, consumerId) ?? [];
  }

  groupsOf(consumerId: string): readonly ConsumerGroup[] {
    return this.#lookup?.groupsOf(consumerId) ?? [];
  }
}
