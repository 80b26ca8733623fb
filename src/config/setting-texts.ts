/** Settings as Kong prints them: truth values as words, lists as JSON, everything else as given. */
import { type SettingName, type SettingRow, settingTable } from './setting-table.js';
import { files, names, onOff } from './setting-types.js';

/** Keys, and texts that may hold some. */
const secret = /_key$|^declarative_config_string$/;

/** `given`: the text of a setting, undefined where it has its default. */
export function settingTexts(
  given: (name: SettingName) => string | undefined,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [name, row] of Object.entries(settingTable)) {
    if (!secret.test(name)) texts.set(name, textOf(row, given(name as SettingName) ?? row.default));
  }
  return texts;
}

function textOf({ type }: SettingRow<unknown>, text: string): string {
  if (type === onOff) return String(onOff.parse(text));
  if (type === names || type === files) return JSON.stringify(items(text));
  return text;
}

const items = (text: string): string[] =>
  text.split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim()]));
