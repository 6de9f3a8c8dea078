const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

/**
 * Formats a date in local time and in English, as Python's `strftime` does in the C locale.
 * Knows `%Y %y %m %d %e %b %B %a %A %H %I %M %S %p %j %F %T %%`; other directives stay as they are.
 */
export function strftime(date: Date, format: string): string {
  return format.replace(
    /%([a-zA-Z%])/g,
    (directive, letter: string) => formatDirective(date, letter) ?? directive,
  );
}

function formatDirective(date: Date, letter: string): string | undefined {
  const month = MONTHS[date.getMonth()] ?? "";
  const day = DAYS[date.getDay()] ?? "";
  switch (letter) {
    case "Y":
      return String(date.getFullYear());
    case "y":
      return pad(date.getFullYear() % 100);
    case "m":
      return pad(date.getMonth() + 1);
    case "d":
      return pad(date.getDate());
    case "e":
      return String(date.getDate()).padStart(2, " ");
    case "B":
      return month;
    case "b":
      return month.slice(0, 3);
    case "A":
      return day;
    case "a":
      return day.slice(0, 3);
    case "H":
      return pad(date.getHours());
    case "I":
      return pad(date.getHours() % 12 || 12);
    case "M":
      return pad(date.getMinutes());
    case "S":
      return pad(date.getSeconds());
    case "p":
      return date.getHours() < 12 ? "AM" : "PM";
    case "j":
      return pad(dayOfYear(date), 3);
    case "F":
      return strftime(date, "%Y-%m-%d");
    case "T":
      return strftime(date, "%H:%M:%S");
    case "%":
      return "%";
    default:
      return undefined;
  }
}

function dayOfYear(date: Date): number {
  // In UTC, where no day has 23 hours.
  const today = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (today - Date.UTC(date.getFullYear(), 0, 1)) / 86_400_000 + 1;
}
