/** Prometheus text (exposition format 0.0.4), family by family. */

export type Labels = Readonly<Record<string, string>>;
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** Collects samples by family, so that every family has one header. */
export class MetricText {
  readonly #families = new Map<string, string[]>();

  family(name: string, type: MetricType, help: string): void {
    const full = fullName(name);
    this.#families.set(name, [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`]);
  }

  sample(family: string, labels: Labels, value: number, suffix = ''): void {
    const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escapeLabel(text)}"`);
    const list = pairs.length > 0 ? `{${pairs.join(',')}}` : '';
    this.#families.get(family)?.push(`${fullName(family)}${suffix}${list} ${value}`);
  }

  /** `buckets`: counts per bound, not cumulative, and that of the rest. */
  histogram(
    family: string,
    labels: Labels,
    bounds: readonly number[],
    buckets: readonly number[],
    sum: number,
  ): void {
    let count = 0;
    bounds.forEach((bound, index) => {
      count += buckets[index];
      this.sample(family, { ...labels, le: String(bound) }, count, '_bucket');
    });
    count += buckets[bounds.length];
    this.sample(family, { ...labels, le: '+Inf' }, count, '_bucket');
    this.sample(family, labels, count, '_count');
    this.sample(family, labels, sum, '_sum');
  }

  toString(): string {
    return `${[...this.#families.values()].flat().join('\n')}\n`;
  }
}

/** What Kong has, too, is named as there; the rest carries our name. */
const fullName = (name: string): string => (name.startsWith('headgate_') ? name : `kong_${name}`);

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
