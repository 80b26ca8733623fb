/** `videos=2, images=1`: what an upstream says that a request cost. */

/** Above it a cost would turn the counter over. */
const costMax = 1_000_000_000;

/** Costs by limit; names that are no limit, and what is no whole number, are left out. */
export function costsOf(
  header: string | null,
  limits: Readonly<Record<string, unknown>>,
): Readonly<Record<string, number>> {
  const costs: Record<string, number> = {};
  for (const part of header?.split(',') ?? []) {
    const [name, value, more] = part.split('=').map((text) => text.trim());
    if (more !== undefined || value === undefined || !Object.hasOwn(limits, name)) continue;
    if (/^\d+$/.test(value)) costs[name] = Math.min(Number(value), costMax);
  }
  return costs;
}
