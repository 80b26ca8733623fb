/** The Date header's text (RFC 9110 5.6.7, IMF-fixdate), made once a second. */
// raw memory: the cached text
import { putText } from '../bytes';
import { CONTROL, Control } from '../layout';

export const DATE_BYTES: usize = 29;
const text: usize = memory.data(32);
let made: i64 = -1;

/** Pointer to the 29 bytes of the current date. */
export function dateText(): usize {
  const seconds = <i64>(changetype<Control>(CONTROL).wallMs / 1000);
  if (seconds != made) {
    made = seconds;
    write(seconds);
  }
  return text;
}

function write(seconds: i64): void {
  const days = seconds / 86400;
  const rest = <u32>(seconds % 86400);
  // Days to year, month, day in the proleptic Gregorian calendar, eras of 400 years from 1 March.
  const z = days + 719468;
  const era = z / 146097;
  const dayOfEra = z - era * 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const shifted = (5 * dayOfYear + 2) / 153;
  const day = <u32>(dayOfYear - (153 * shifted + 2) / 5 + 1);
  const month = <u32>(shifted < 10 ? shifted + 3 : shifted - 9);
  const year = <u32>(yearOfEra + era * 400 + (month <= 2 ? 1 : 0));
  name('SunMonTueWedThuFriSat', <usize>((days + 4) % 7), text);
  putText(text + 3, ', ');
  two(text + 5, day);
  name('JanFebMarAprMayJunJulAugSepOctNovDec', month - 1, text + 8);
  two(text + 12, year / 100);
  two(text + 14, year % 100);
  two(text + 17, rest / 3600);
  two(text + 20, (rest / 60) % 60);
  two(text + 23, rest % 60);
  store<u8>(text + 7, 0x20);
  store<u8>(text + 11, 0x20);
  store<u8>(text + 16, 0x20);
  store<u8>(text + 19, 0x3a);
  store<u8>(text + 22, 0x3a);
  putText(text + 25, ' GMT');
}

function name(names: string, index: usize, d: usize): void {
  const from = changetype<usize>(names) + index * 6;
  for (let i: usize = 0; i < 3; i++) store<u8>(d + i, load<u8>(from + (i << 1)));
}

function two(d: usize, value: u32): void {
  store<u8>(d, <u8>(48 + value / 10));
  store<u8>(d + 1, <u8>(48 + (value % 10)));
}
