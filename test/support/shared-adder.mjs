/** A thread that counts in data shared with others; for tests of the shared stores. */
import { workerData } from 'node:worker_threads';
import { openStores } from '../../dist/filter/shared/stores.js';

const { memory, channel, worker, steps } = workerData;
const { shared, queues } = openStores({ memory, channel }, worker);

for (let step = 0; step < steps; ) {
  const known = shared.get('', 'counter');
  const count = known ? Number(Buffer.from(known.value).toString()) : 0;
  const value = Buffer.from(String(count + 1));
  // A key that is missing is written by whoever asks first, so it is made by one of them.
  if (!known && worker !== 1) continue;
  if (shared.set('', 'counter', value, known?.cas ?? 0) === 0) step++;
}
queues.close();
