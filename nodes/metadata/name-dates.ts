/** Days and months by their English names, as `strftime` spells them in the C locale. */
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * A date as ComfyUI's front end fills `%date:FORMAT%`: `yyyy yy`, and `MM dd hh mm ss` or one letter each for a number
 * without a leading zero. Local time.
 *
 * @see https://github.com/Comfy-Org/ComfyUI_frontend/blob/1c03589c/src/utils/formatUtil.ts
 */
export function formatDate(date: Date, format: string): string {
  const parts: Readonly<Record<string, number>> = {
    M: date.getMonth() + 1,
    d: date.getDate(),
    h: date.getHours(),
    m: date.getMinutes(),
    s: date.getSeconds(),
  };
  return format.replace(/yyy?y?|([Mdhms])\1?/g, (part) => {
    if (part === 'yyy') return part;
    if (part === 'yyyy') return String(date.getFullYear()).padStart(4, '0');
    if (part === 'yy') return twoDigits(date.getFullYear() % 100);
    return String(parts[part.slice(0, 1)] ?? '').padStart(part.length, '0');
  });
}

/**
 * One conversion of `strftime`, in local time: `Y y m d H I M S p j a A b B`, and `F` for `%Y-%m-%d`. Undefined for
 * another letter: those of C that are left out give colons, slashes or spaces, which a name cannot hold.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/functions/strftime.html
 */
export function strftime(date: Date, letter: string): string | undefined {
  const year = String(date.getFullYear()).padStart(4, '0');
  const hour = date.getHours();
  switch (letter) {
    case 'Y':
      return year;
    case 'y':
      return twoDigits(date.getFullYear() % 100);
    case 'm':
      return twoDigits(date.getMonth() + 1);
    case 'd':
      return twoDigits(date.getDate());
    case 'H':
      return twoDigits(hour);
    case 'I':
      return twoDigits(hour % 12 === 0 ? 12 : hour % 12);
    case 'M':
      return twoDigits(date.getMinutes());
    case 'S':
      return twoDigits(date.getSeconds());
    case 'p':
      return hour < 12 ? 'AM' : 'PM';
    case 'j':
      return String(dayOfYear(date)).padStart(3, '0');
    case 'a':
      return DAYS[date.getDay()]?.slice(0, 3);
    case 'A':
      return DAYS[date.getDay()];
    case 'b':
      return MONTHS[date.getMonth()]?.slice(0, 3);
    case 'B':
      return MONTHS[date.getMonth()];
    case 'F':
      return `${year}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
    default:
      return undefined;
  }
}

/** From 1. Counted in UTC, where every day has 24 hours. */
function dayOfYear(date: Date): number {
  const year = date.getFullYear();
  return (Date.UTC(year, date.getMonth(), date.getDate()) - Date.UTC(year, 0, 0)) / DAY_MS;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
